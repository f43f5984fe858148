package dev.ossicle.server.http;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Looks at open exchanges from time to time: keeps streams alive, and notices who has left without saying so. */
final class Watch implements AutoCloseable {
    /** How soon a client that has gone is noticed. */
    private static final Duration INTERVAL = Duration.ofMillis(250);

    private record Waiting(PeekingEndPoint endPoint, Runnable whenGone) {}

    private final long pingNanos;
    private final Set<EventStream> streams = ConcurrentHashMap.newKeySet();
    private final Map<Exchange, Waiting> waiting = new ConcurrentHashMap<>();
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("ossicle-watch").factory());

    /** @param ping silence after which a stream says that it is there */
    Watch(Duration ping) {
        pingNanos = ping.toNanos();
        clock.scheduleWithFixedDelay(this::look, INTERVAL.toMillis(), INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
    }

    void add(EventStream stream) {
        streams.add(stream);
    }

    void forget(EventStream stream) {
        streams.remove(stream);
    }

    void add(Exchange exchange, PeekingEndPoint endPoint, Runnable whenGone) {
        waiting.put(exchange, new Waiting(endPoint, whenGone));
    }

    /** From here on the exchange's own writing and reading finds it out. */
    void forget(Exchange exchange) {
        waiting.remove(exchange);
    }

    /** Exchanges and streams that are looked at. */
    int watched() {
        return streams.size() + waiting.size();
    }

    private void look() {
        try {
            // A write may block on a client that does not read: not on this thread.
            streams.forEach(stream -> Thread.startVirtualThread(() -> stream.keepAlive(pingNanos)));
            waiting.forEach((exchange, each) -> {
                if (each.endPoint.isAbandoned()) {
                    waiting.remove(exchange);
                    each.whenGone.run();
                }
            });
        } catch (RuntimeException e) {
            System.getLogger("dev.ossicle.server")
                    .log(System.Logger.Level.WARNING, "looking at open requests failed", e);
        }
    }

    @Override
    public void close() {
        clock.shutdownNow();
    }
}
