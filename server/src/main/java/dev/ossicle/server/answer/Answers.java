package dev.ossicle.server.answer;

import dev.ossicle.server.metrics.Metrics;
import dev.ossicle.server.store.KeptFiles;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The answers that are on their way, and what they share. */
public final class Answers {
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
}
