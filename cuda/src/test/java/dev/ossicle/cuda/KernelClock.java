package dev.ossicle.cuda;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Times each kernel of the passes of a runner, by events on both sides of it: alone, without the overlap with its neighbours that
 * a graph allows.
 */
final class KernelClock implements LaunchWatch, AutoCloseable {
    /** Fills that keep the GPU busy while a pass is put on the stream, or a kernel's time would be the host's for launching it. */
    private static final int HEAD_START = 128;

    /** How long they take: some hundred launches, each with two events, of some microseconds. */
    private static final double HEAD_START_SECONDS = 0.006;

    private final CudaModelRunner runner;
    private final DeviceMemory scratch;
    /** Before and after each launch; used again by the next pass. */
    private final List<Event> events = new ArrayList<>();

    private final List<String> names = new ArrayList<>();

    /** What all launches of a kernel took in one pass. */
    record Time(int launches, double milliseconds) {}

    /** @param bandwidth bytes that the GPU's memory writes each second */
    KernelClock(CudaModelRunner runner, double bandwidth) {
        this.runner = runner;
        long bytes = Math.max(1, (long) (bandwidth * HEAD_START_SECONDS / HEAD_START));
        this.scratch = DeviceMemory.allocate(runner.device(), bytes);
    }

    /** Of each kernel, the fastest of so many passes; in the order in which they are first launched. */
    Map<String, Time> times(int passes, Runnable pass) {
        Map<String, Time> best = new LinkedHashMap<>();
        for (int i = 0; i < passes; i++) {
            names.clear();
            for (int n = 0; n < HEAD_START; n++) {
                runner.stream().fill(scratch, (byte) n);
            }
            runner.stream().watch(this);
            try {
                pass.run();
            } finally {
                runner.stream().watch(null);
            }
            runner.device().synchronize();
            once().forEach((name, time) -> best.merge(name, time, (a, b) -> a.milliseconds < b.milliseconds ? a : b));
        }
        return best;
    }

    private Map<String, Time> once() {
        Map<String, Time> times = new LinkedHashMap<>();
        for (int i = 0; i < names.size(); i++) {
            double milliseconds = events.get(2 * i).millisecondsUntil(events.get(2 * i + 1));
            times.merge(
                    names.get(i),
                    new Time(1, milliseconds),
                    (a, b) -> new Time(a.launches + b.launches, a.milliseconds + b.milliseconds));
        }
        return times;
    }

    @Override
    public void before(String kernel) {
        event(2 * names.size()).record(runner.stream());
        names.add(kernel);
    }

    @Override
    public void after() {
        event(2 * names.size() - 1).record(runner.stream());
    }

    private Event event(int index) {
        if (index == events.size()) {
            events.add(Event.create(runner.device()));
        }
        return events.get(index);
    }

    @Override
    public void close() {
        events.forEach(Event::close);
        scratch.close();
    }
}
