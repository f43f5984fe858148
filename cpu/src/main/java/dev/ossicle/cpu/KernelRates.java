package dev.ossicle.cpu;

import dev.ossicle.cpu.Strips.Format;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.SequencedSet;
import java.util.TreeSet;

/**
 * How fast the kernels of fast precision are by themselves, in the shapes of gpt-oss-20b and with weights that come from memory: a
 * first look, for which JMH is the second ({@code bench/}).
 */
public final class KernelRates {
    private static final int COLUMNS = 2880;

    /** Strips that are multiplied together, as the tasks of a pass do. */
    private static final int TASK = 8;

    /** Weights of each thread, at least: far above its share of any cache. */
    private static final long BYTES = 128L << 20;

    /** C2 compiles a kernel while it runs. */
    private static final long WARM_UP_NANOS = 1_000_000_000;

    private static final long MEASURE_NANOS = 300_000_000;

    /**
     * One kernel.
     *
     * @param kernel mxfp4, q8_0 or bf16, the format of the weights
     * @param vectors of activations that each weight is multiplied with
     * @param bytesPerSecond of weights, all threads together
     * @param multiplicationsPerSecond with an addition each
     */
    public record Rate(
            String kernel, int vectors, int threads, double bytesPerSecond, double multiplicationsPerSecond) {}

    /** One thread's work. */
    private static final class Worker {
        private final StripMultiplier mxFp4 = new StripMultiplier();
        private final DenseStripMultiplier dense = new DenseStripMultiplier();
        private final PackedRows packed = new PackedRows();
        private final Strips strips;
        private final int vectors;
        private final float[] x;
        private final int[] xAt;
        private final RoundedSlots rounded = new RoundedSlots(COLUMNS);
        /** [TASK, vectors, 32 rows]. */
        private final float[] outA;

        private final float[] outB;
        private int strip;

        Worker(Strips strips, int vectors) {
            this.strips = strips;
            this.vectors = vectors;
            x = new float[vectors * COLUMNS];
            xAt = new int[vectors];
            outA = new float[TASK * vectors * Strips.ROWS];
            outB = new float[TASK * vectors * Strips.ROWS];
            Random random = new Random(1);
            for (int i = 0; i < x.length; i++) {
                x[i] = (float) random.nextGaussian();
            }
            Arrays.setAll(xAt, i -> i * COLUMNS);
            packed.packAll(x, xAt, 0, vectors, COLUMNS);
            rounded.grow(vectors);
            int[] buffer = new int[32];
            float[] lanes = new float[Lanes.WIDTH];
            for (int i = 0; i < vectors; i++) {
                for (int block = 0; block < COLUMNS / 32; block++) {
                    rounded.set(x, xAt[i] + 32 * block, 0, vectors, i, block, buffer, lanes);
                }
            }
        }

        /** Multiplies strips, those further down in memory last, for so long; strips per second. */
        double run(long nanos) {
            long done = 0;
            long start = System.nanoTime();
            long taken;
            do {
                multiply();
                done += TASK;
                taken = System.nanoTime() - start;
            } while (taken < nanos);
            return done / (taken * 1e-9);
        }

        private void multiply() {
            strip = (strip == 0 ? strips.count() : strip) - TASK;
            switch (strips.format()) {
                case MXFP4 -> mxFp4.multiply(strips, strip, TASK, 0, vectors, rounded, outA, outB);
                case Q8_0, BF16 -> dense.multiply(strips, strip, TASK, x, xAt, 0, vectors, packed, outA);
            }
        }
    }

    private KernelRates() {}

    /** Each kernel with 1 and with 64 vectors, on one thread and on so many; takes some ten seconds. */
    public static List<Rate> measure(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads are " + threads + ", must be at least 1");
        }
        return measure(threads, BYTES, WARM_UP_NANOS, MEASURE_NANOS);
    }

    static List<Rate> measure(int threads, long bytes, long warmUpNanos, long measureNanos) {
        SequencedSet<Integer> counts = new TreeSet<>(List.of(1, threads));
        List<Rate> rates = new ArrayList<>();
        for (Format format : Format.values()) {
            try (Arena arena = Arena.ofShared()) {
                Strips[] strips = new Strips[threads];
                Arrays.setAll(strips, i -> strips(format, bytes, arena));
                for (int vectors : new int[] {1, 64}) {
                    new Worker(strips[0], vectors).run(warmUpNanos);
                    for (int count : counts) {
                        double rate = run(Arrays.copyOf(strips, count), vectors, measureNanos);
                        rates.add(new Rate(
                                format.name().toLowerCase(Locale.ROOT),
                                vectors,
                                count,
                                rate * (COLUMNS / 32) * format.blockBytes,
                                rate * format.rows * COLUMNS * vectors));
                    }
                }
            }
        }
        return rates;
    }

    /** Strips per second, all threads together; each on weights of its own. */
    private static double run(Strips[] strips, int vectors, long nanos) {
        double[] rates = new double[strips.length];
        try (Team team = new Team(strips.length)) {
            Worker[] workers = new Worker[strips.length];
            Arrays.setAll(workers, i -> new Worker(strips[i], vectors));
            team.run(strips.length, (task, thread) -> rates[task] = workers[task].run(nanos));
        }
        return Arrays.stream(rates).sum();
    }

    /** Weights that are numbers. */
    private static Strips strips(Format format, long bytes, Arena arena) {
        int blocks = COLUMNS / 32;
        int count = TASK * Math.toIntExact(Math.max(1, bytes / ((long) TASK * blocks * format.blockBytes)));
        MemorySegment data = SystemMemory.allocate(arena, (long) count * blocks * format.blockBytes);
        byte[] block = new byte[format.blockBytes];
        new Random(2).nextBytes(block);
        // Scales that are numbers, in any format, or nothing but numbers.
        Arrays.fill(block, 0, format == Format.BF16 ? block.length : 4 * Strips.ROWS, (byte) 120);
        for (long at = 0; at < data.byteSize(); at += block.length) {
            MemorySegment.copy(block, 0, data, ValueLayout.JAVA_BYTE, at, block.length);
        }
        return new Strips(format, count, blocks, data, 0);
    }
}
