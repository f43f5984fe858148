package dev.ossicle.engine;

import dev.ossicle.engine.GenerationEvent.Done;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * One generation on its way: events come out in order as the model's thread makes them. One thread reads; any thread may
 * cancel.
 */
public final class Generation implements AutoCloseable {
    private record Failure(Throwable cause) {}

    private final GenerationRequest request;
    private final long arrival;
    private final Runnable whenEnded;
    /** {@link GenerationEvent}s, and at most one {@link Failure}, last. Bounded by the request's maximum of tokens. */
    private final BlockingQueue<Object> events = new LinkedBlockingQueue<>();

    private volatile boolean cancelled;
    private boolean ended;

    /**
     * @param arrival on the clock of the scheduler
     * @param whenEnded runs once, before the last event can be read
     */
    Generation(GenerationRequest request, long arrival, Runnable whenEnded) {
        this.request = request;
        this.arrival = arrival;
        this.whenEnded = whenEnded;
    }

    public GenerationRequest request() {
        return request;
    }

    /**
     * Waits for the next event; null after {@link Done}.
     *
     * @throws GenerationException if the model failed; nothing follows
     */
    public @Nullable GenerationEvent next() throws InterruptedException {
        if (ended) {
            return null;
        }
        Object event = events.take();
        if (event instanceof Failure failure) {
            ended = true;
            throw new GenerationException(failure.cause());
        }
        ended = event instanceof Done;
        return (GenerationEvent) event;
    }

    /** Asks the model's thread to stop before its next step; {@link Done} still comes. Harmless when it has ended. */
    public void cancel() {
        cancelled = true;
    }

    /** The same as {@link #cancel}. */
    @Override
    public void close() {
        cancel();
    }

    boolean isCancelled() {
        return cancelled;
    }

    long arrival() {
        return arrival;
    }

    /** Whether its deadline has passed. */
    boolean isLate(long now) {
        Duration timeout = request.timeout();
        return timeout != null && timeout.compareTo(Duration.ofNanos(now - arrival)) <= 0; // toNanos() overflows
    }

    void emit(GenerationEvent event) {
        if (event instanceof Done) {
            whenEnded.run();
        }
        events.add(event);
    }

    void fail(Throwable cause) {
        whenEnded.run();
        events.add(new Failure(cause));
    }
}
