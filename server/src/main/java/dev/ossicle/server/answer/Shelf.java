package dev.ossicle.server.answer;

import dev.ossicle.tools.ToolSession;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * Tools of answers that ended, for those that go on from them: Python's variables and the browser's pages are the
 * conversation's. Kept for a while, the oldest closed first where there are many. Thread-safe.
 */
final class Shelf implements AutoCloseable {
    /** As long as OpenAI keeps a container that nobody uses. */
    private static final Duration TIME = Duration.ofMinutes(20);

    /** Each may be a process with what it has in memory. */
    private static final int MOST = 16;

    private record Kept(Set<String> keys, List<ToolSession> sessions, ScheduledFuture<?> end) {}

    private final List<Kept> all = new ArrayList<>();
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("ossicle-shelf").factory());
    private boolean closed;

    /** @param keys any of which finds them again */
    synchronized void put(Collection<String> keys, List<ToolSession> sessions) {
        if (closed || keys.isEmpty()) {
            sessions.forEach(ToolSession::close);
            return;
        }
        Set<String> names = Set.copyOf(keys);
        ScheduledFuture<?> end =
                clock.schedule(() -> take(names).forEach(ToolSession::close), TIME.toSeconds(), TimeUnit.SECONDS);
        all.add(new Kept(names, List.copyOf(sessions), end));
        while (all.size() > MOST) {
            close(all.removeFirst());
        }
    }

    /** Takes those that were put last under one of the keys; they are the caller's then. */
    synchronized List<ToolSession> take(Collection<String> keys) {
        for (Iterator<Kept> each = all.reversed().iterator(); each.hasNext(); ) {
            Kept kept = each.next();
            if (keys.stream().anyMatch(kept.keys::contains)) {
                each.remove();
                kept.end.cancel(false);
                return kept.sessions;
            }
        }
        return List.of();
    }

    private static void close(Kept kept) {
        kept.end.cancel(false);
        kept.sessions.forEach(ToolSession::close);
    }

    @Override
    public synchronized void close() {
        closed = true;
        clock.shutdownNow();
        all.forEach(Shelf::close);
        all.clear();
    }
}
