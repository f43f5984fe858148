package dev.ossicle.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A fixed number of threads that compute one stage after another: the caller and its workers claim tasks one by one, and
 * the caller goes on when the last is done. Waiting is spinning for a while, then parking. Only one thread calls
 * {@link #run} and {@link #close}. Runs without allocating.
 */
final class Team implements AutoCloseable {
    /** Part of a stage. */
    @FunctionalInterface
    interface Stage {
        /**
         * Does one task.
         *
         * @param thread 0 for the caller, 1 and on for the workers: an index of scratch memory
         */
        void run(int task, int thread);
    }

    /**
     * How long a thread spins before it parks: longer than what the caller computes alone between stages, 20 to 50 microseconds. Waking a
     * parked thread takes as long again (the rounding before gate and up projections had to wait for it in each layer: bench/LOG.md, entry 38).
     */
    private static final long SPIN_NANOS = 300_000;

    private final Worker[] workers;

    /**
     * Number of the stage in the upper half, tasks not yet claimed in the lower. A task is claimed by counting down, so a
     * worker that wakes late finds nothing to do, and one that claims finds the stage that its task belongs to. The last task is
     * claimed first: a thread that reads its next megabyte of weights from further down keeps what the processor fetches ahead at
     * its pace, one that skips what the others read, upwards, falls to half of it (Zen 5; bench/LOG.md, entry 25).
     */
    private final AtomicLong unclaimed = new AtomicLong();

    private final AtomicInteger unfinished = new AtomicInteger();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    private Stage stage = (task, thread) -> {};

    private @Nullable Thread caller;
    private volatile boolean callerParked;
    private volatile boolean closed;

    Team(int threads) {
        workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(i + 1);
            workers[i].thread.start();
        }
    }

    int threads() {
        return workers.length + 1;
    }

    /** Runs the tasks 0 .. tasks - 1 of the stage, in any order, and returns when all are done. */
    void run(int tasks, Stage next) {
        if (tasks <= 1 || workers.length == 0) {
            for (int task = 0; task < tasks; task++) {
                next.run(task, 0);
            }
            return;
        }
        caller = Thread.currentThread();
        stage = next;
        unfinished.set(tasks);
        long number = (unclaimed.get() >>> 32) + 1;
        unclaimed.set(number << 32 | tasks);
        for (int i = 0; i < Math.min(workers.length, tasks - 1); i++) {
            if (workers[i].parked) {
                LockSupport.unpark(workers[i].thread);
            }
        }
        claim(0);
        awaitLast();
        Throwable thrown = failure.get();
        if (thrown != null) {
            failure.set(null);
            if (thrown instanceof Error error) {
                throw error;
            }
            throw (RuntimeException) thrown; // a stage declares no checked exceptions
        }
    }

    private void awaitLast() {
        long start = System.nanoTime();
        while (unfinished.get() > 0) {
            if (System.nanoTime() - start < SPIN_NANOS) {
                Thread.onSpinWait();
            } else {
                callerParked = true;
                if (unfinished.get() > 0) {
                    LockSupport.park(this);
                }
                callerParked = false;
            }
        }
    }

    /** Runs tasks until none is left. */
    private void claim(int thread) {
        while (true) {
            long seen = unclaimed.get();
            int left = (int) seen;
            if (left == 0) {
                return;
            }
            if (unclaimed.compareAndSet(seen, seen - 1)) {
                runTask(left - 1, thread);
            }
        }
    }

    private void runTask(int task, int thread) {
        try {
            if (failure.get() == null) {
                stage.run(task, thread);
            }
        } catch (RuntimeException | Error e) {
            failure.compareAndSet(null, e);
        } finally {
            if (unfinished.decrementAndGet() == 0 && callerParked) {
                LockSupport.unpark(caller);
            }
        }
    }

    /** Ends the workers. */
    @Override
    public void close() {
        closed = true;
        for (Worker worker : workers) {
            LockSupport.unpark(worker.thread);
        }
    }

    private final class Worker implements Runnable {
        private final int index;
        private final Thread thread;
        private volatile boolean parked;

        Worker(int index) {
            this.index = index;
            this.thread = new Thread(this, "ossicle-cpu-" + index);
            this.thread.setDaemon(true);
        }

        @Override
        public void run() {
            long start = System.nanoTime();
            while (!closed) {
                if ((int) unclaimed.get() != 0) {
                    claim(index);
                    start = System.nanoTime();
                } else if (System.nanoTime() - start < SPIN_NANOS) {
                    Thread.onSpinWait();
                } else {
                    parked = true;
                    if ((int) unclaimed.get() == 0 && !closed) {
                        LockSupport.park(Team.this);
                    }
                    parked = false;
                    start = System.nanoTime();
                }
            }
        }
    }
}
