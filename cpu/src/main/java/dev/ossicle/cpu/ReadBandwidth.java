package dev.ossicle.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorSpecies;

/** How fast threads together can read memory: the ceiling of decoding, which reads most of the active weights for each token. */
public final class ReadBandwidth {
    /** Far above any last-level cache, for each thread. */
    private static final long BYTES = 128L << 20;

    /** The first passes run in the interpreter, and a virtual machine is not left alone for long: 0.3 s or so. */
    private static final int PASSES = 30;

    /** What is read in one call: so many that the loop is soon compiled as a whole. */
    private static final int PIECE = 1 << 20;

    private static final VectorSpecies<Long> LINE = VectorSpecies.of(long.class, Lanes.FLOATS.vectorShape());

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
        long half = BYTES / 2;
        long all = 0;
        for (long at = part.address(); at < part.address() + half; at += PIECE) {
            all |= read(at, at + half);
        }
        return all;
    }

    /** Two pieces side by side, as the kernels read strips: 70 GB/s where one after the other gave 63 (bench/LOG.md, entry 32). */
    private static long read(long at, long other) {
        LongVector all = LongVector.zero(LINE);
        LongVector others = all;
        for (int i = 0; i < PIECE; i += LINE.vectorByteSize()) {
            all = all.or(LongVector.fromMemorySegment(LINE, Lanes.MEMORY, at + i, ByteOrder.nativeOrder()));
            others = others.or(LongVector.fromMemorySegment(LINE, Lanes.MEMORY, other + i, ByteOrder.nativeOrder()));
        }
        return all.or(others).lane(0);
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
