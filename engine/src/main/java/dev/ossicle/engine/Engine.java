package dev.ossicle.engine;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.engine.GenerationEvent.Done;
import dev.ossicle.engine.GenerationEvent.Finish;
import dev.ossicle.engine.GenerationEvent.Timings;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Generates with one model. A thread of its own owns the runner and serves all generations side by side, as {@link Scheduler}
 * decides. Thread-safe.
 */
public final class Engine implements AutoCloseable {
    /** Generations that wait or run, unless told otherwise: some per caller of a busy server. */
    public static final int MAX_GENERATIONS = 256;

    private final ModelRunner runner;
    private final ModelConfig config;
    private final int maxGenerations;
    private final BlockingQueue<Generation> arrivals = new LinkedBlockingQueue<>();
    /** Started and not ended. */
    private final AtomicInteger open = new AtomicInteger();

    private final Thread thread;
    private volatile boolean closing;
    private volatile int running;

    /** Takes the runner over: closes it when it is closed itself. */
    public Engine(ModelRunner runner) {
        this(runner, MAX_GENERATIONS);
    }

    /** @param maxGenerations that may wait or run at a time */
    public Engine(ModelRunner runner, int maxGenerations) {
        if (maxGenerations < 1) {
            throw new IllegalArgumentException("max generations is " + maxGenerations + ", must be at least 1");
        }
        this.runner = runner;
        this.config = runner.config();
        this.maxGenerations = maxGenerations;
        this.thread = Thread.ofPlatform().name("ossicle-model").daemon().unstarted(this::serve);
        thread.start();
    }

    public ModelConfig config() {
        return config;
    }

    public String runnerDescription() {
        return runner.description();
    }

    /**
     * Queues a generation.
     *
     * @throws IllegalArgumentException if the prompt leaves no room in the model's context or has a token id that is not in
     *     the vocabulary
     * @throws QueueFullException if too many wait already
     * @throws IllegalStateException if the engine is closed
     */
    public Generation start(GenerationRequest request) {
        int[] prompt = request.prompt();
        if (prompt.length >= config.maxContext()) {
            throw new IllegalArgumentException("the prompt has " + prompt.length + " tokens, the model's context is "
                    + config.maxContext() + ": nothing is left for an answer");
        }
        for (int i = 0; i < prompt.length; i++) {
            if (prompt[i] < 0 || prompt[i] >= config.vocabulary()) {
                throw new IllegalArgumentException("prompt token " + i + " is " + prompt[i]
                        + ", the vocabulary has ids 0 to " + (config.vocabulary() - 1));
            }
        }
        if (open.incrementAndGet() > maxGenerations) {
            open.decrementAndGet();
            throw new QueueFullException(maxGenerations);
        }
        Generation generation = new Generation(request, System.nanoTime(), open::decrementAndGet);
        arrivals.add(generation);
        if (closing && arrivals.remove(generation)) {
            // The model's thread has gone, or will find this one no more.
            open.decrementAndGet();
            throw new IllegalStateException("the engine is closed");
        }
        return generation;
    }

    /** Generations that have been started and have not ended. */
    public int open() {
        return open.get();
    }

    /** Those of them that are being computed. */
    public int running() {
        return running;
    }

    private void serve() {
        Scheduler scheduler = new Scheduler(runner, System::nanoTime);
        try (runner;
                scheduler) {
            while (!closing) {
                if (scheduler.isIdle()) {
                    scheduler.add(arrivals.take());
                }
                for (Generation each = arrivals.poll(); each != null; each = arrivals.poll()) {
                    scheduler.add(each);
                }
                try {
                    scheduler.step();
                } catch (RuntimeException | Error e) { // whatever it was, somebody waits
                    scheduler.failAll(e);
                }
                running = scheduler.running();
            }
        } catch (InterruptedException e) {
            // close() asked for it
        } finally {
            for (Generation each = arrivals.poll(); each != null; each = arrivals.poll()) {
                each.emit(new Done(Finish.CANCELLED, new Timings(0, 0, 0, 0, 0)));
            }
        }
    }

    /** Cancels what is running and queued, and frees the model. */
    @Override
    public void close() {
        closing = true;
        thread.interrupt();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
