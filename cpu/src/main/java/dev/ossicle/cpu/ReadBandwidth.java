package dev.ossicle.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** How fast threads together can read memory: the ceiling of decoding, which reads most of the active weights for each token. */
public final class ReadBandwidth {
    /** Far above any last-level cache, for each thread. */
    private static final long BYTES = 128L << 20;

    /** The first passes run in the interpreter, and a virtual machine is not left alone for long: 0.3 s or so. */
    private static final int PASSES = 30;

    /** What is read in one call: so many that the loop is soon compiled as a whole. */
    private static final long PIECE = 1 << 20;

    /** Keeps the compiler from dropping what nobody uses. */
    private static final AtomicLong SINK = new AtomicLong();

    private ReadBandwidth() {}

    /** The numbers of threads to measure: 1, 2, 4 and so on, and the most. */
    public static List<Integer> threadCounts(int most) {
        List<Integer> counts = new ArrayList<>();
        for (int threads = 1; threads < most; threads *= 2) {
            counts.add(threads);
        }
        counts.add(most);
        return counts;
    }

    /** Bytes per second in the best of a few passes; takes a fraction of a second. */
    public static double measure(int threads) {
        double best = 0;
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = SystemMemory.allocate(arena, BYTES * threads).fill((byte) 1);
            for (int pass = 0; pass < PASSES; pass++) {
                long start = System.nanoTime();
                List<Thread> readers = new ArrayList<>();
                for (int t = 0; t < threads; t++) {
                    MemorySegment part = memory.asSlice(t * BYTES, BYTES);
                    readers.add(Thread.ofPlatform().start(() -> SINK.addAndGet(read(part))));
                }
                for (Thread reader : readers) {
                    join(reader);
                }
                best = Math.max(best, BYTES * threads / ((System.nanoTime() - start) * 1e-9));
            }
        }
        return best;
    }

    private static long read(MemorySegment part) {
        long all = 0;
        for (long i = 0; i < BYTES; i += PIECE) {
            all |= AttentionKernels.fetch(part.asSlice(i, PIECE));
        }
        return all;
    }

    private static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true; // the memory is read until all are done
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
