package dev.ossicle.server.answer;

import dev.ossicle.server.metrics.Metrics;
import dev.ossicle.server.store.KeptFiles;
import dev.ossicle.tools.ToolSession;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.ListIterator;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The answers that are on their way, and what they share. */
public final class Answers implements AutoCloseable {
    /** An answer on its way. */
    interface Open {
        /** Ends it soon, because the server ends. */
        void shutdown();
    }

    private final TurnMemory turns = new TurnMemory();
    private final Metrics metrics;
    private final Duration timeout;
    private final BuiltIns builtIns;
    private final KeptFiles files;
    private final Shelf shelf = new Shelf();
    private final Set<Open> open = ConcurrentHashMap.newKeySet();

    /** @param timeout of one answer, waiting included */
    public Answers(Metrics metrics, Duration timeout, BuiltIns builtIns, KeptFiles files) {
        this.metrics = metrics;
        this.timeout = timeout;
        this.builtIns = builtIns;
        this.files = files;
    }

    public TurnMemory turns() {
        return turns;
    }

    public Metrics metrics() {
        return metrics;
    }

    public BuiltIns builtIns() {
        return builtIns;
    }

    /**
     * Tools for an answer, which closes them: those of the answer that it goes on from, else fresh ones.
     *
     * @param keys a response's id, or ids of calls, that it may go on from
     */
    public List<ToolSession> open(Set<String> builtInTypes, Collection<String> keys) {
        List<ToolSession> kept = new ArrayList<>(shelf.take(keys));
        List<ToolSession> opened = builtIns.open(builtInTypes);
        for (ListIterator<ToolSession> each = opened.listIterator(); each.hasNext(); ) {
            ToolSession fresh = each.next();
            for (ToolSession one : kept) {
                if (one.namespace().name().equals(fresh.namespace().name())) {
                    fresh.close();
                    each.set(one);
                }
            }
        }
        kept.removeAll(opened);
        kept.forEach(ToolSession::close); // not asked for any more
        return opened;
    }

    Shelf shelf() {
        return shelf;
    }

    /** What tools left behind. */
    KeptFiles files() {
        return files;
    }

    public Duration timeout() {
        return timeout;
    }

    void add(Open run) {
        open.add(run);
    }

    void remove(Open run) {
        open.remove(run);
    }

    /** How many are on their way. */
    public int open() {
        return open.size();
    }

    /** Breaks off what is left. */
    public void shutdown() {
        open.forEach(Open::shutdown);
    }

    @Override
    public void close() {
        shelf.close();
    }
}
