package dev.ossicle.cpu;

import dev.ossicle.checkpoint.BF16Matrix;
import dev.ossicle.checkpoint.ExpertWeights;
import dev.ossicle.checkpoint.F16Matrix;
import dev.ossicle.checkpoint.F32Matrix;
import dev.ossicle.checkpoint.GgufMxFp4Matrix;
import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.checkpoint.MxFp4Matrix;
import dev.ossicle.checkpoint.Q8_0Matrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Weights of random values in random formats and storage orders, of a size that keeps activations near 1. */
final class RandomModel {
    /** How a matrix may lie in a file. */
    enum Storage {
        F32,
        F16,
        BF16,
        BF16_TRANSPOSED,
        BF16_ALTERNATING,
        Q8_0,
        MXFP4,
        MXFP4_ALTERNATING,
        GGUF_MXFP4;

        boolean needsBlocks() {
            return this == Q8_0 || this == MXFP4 || this == MXFP4_ALTERNATING || this == GGUF_MXFP4;
        }
    }

    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

    private final Random random;
    private final Arena arena = Arena.ofAuto();

    RandomModel(long seed) {
        random = new Random(seed);
    }

    ModelConfig config() {
        int[] heads = pick(new int[][] {{1, 1}, {2, 1}, {4, 2}, {6, 2}, {3, 3}, {8, 1}, {9, 3}, {16, 2}, {5, 1}});
        int experts = pick(new int[] {1, 2, 4, 5, 8, 33});
        return new ModelConfig(
                pick(new int[] {1, 2, 3, 4}),
                experts,
                Math.min(experts, pick(new int[] {1, 2, 4, 4, 4})),
                pick(new int[] {7, 64, 101, 256}),
                pick(new int[] {32, 96, 160}),
                pick(new int[] {32, 64, 160}),
                pick(new int[] {2, 6, 16, 48, 64, 80}),
                heads[0],
                heads[1],
                pick(new int[] {1, 3, 32, 65, 128}),
                4096,
                pick(new int[] {10_000, 150_000}),
                pick(new int[] {1, 32}),
                128,
                1,
                32,
                pick(new int[] {1, 7}),
                1e-5);
    }

    int pick(int[] from) {
        return from[random.nextInt(from.length)];
    }

    private int[] pick(int[][] from) {
        return from[random.nextInt(from.length)];
    }

    int[] tokens(ModelConfig config, int count) {
        return random.ints(count, 0, config.vocabulary()).toArray();
    }

    ModelWeights weights(ModelConfig c) {
        return weights(c, null);
    }

    /** @param only every matrix in this storage where it can be; null for any */
    ModelWeights weights(ModelConfig c, @org.jspecify.annotations.Nullable Storage only) {
        List<LayerWeights> layers = new ArrayList<>();
        for (int l = 0; l < c.layers(); l++) {
            List<ExpertWeights> experts = new ArrayList<>();
            for (int e = 0; e < c.experts(); e++) {
                experts.add(new ExpertWeights(
                        matrix(c.intermediate(), c.hidden(), only),
                        matrix(c.intermediate(), c.hidden(), only),
                        matrix(c.hidden(), c.intermediate(), only)));
            }
            layers.add(new LayerWeights(
                    around(1, c.hidden()),
                    matrix(c.queryWidth(), c.hidden(), only),
                    around(0, c.queryWidth()),
                    matrix(c.kvWidth(), c.hidden(), only),
                    around(0, c.kvWidth()),
                    matrix(c.kvWidth(), c.hidden(), only),
                    around(0, c.kvWidth()),
                    around(0, c.heads()),
                    matrix(c.hidden(), c.queryWidth(), only),
                    around(0, c.hidden()),
                    around(1, c.hidden()),
                    matrix(c.experts(), c.hidden(), only),
                    around(0, c.experts()),
                    experts,
                    bias(c.experts(), c.intermediate()),
                    bias(c.experts(), c.intermediate()),
                    bias(c.experts(), c.hidden())));
        }
        return new ModelWeights(
                matrix(c.vocabulary(), c.hidden(), only),
                layers,
                around(1, c.hidden()),
                matrix(c.vocabulary(), c.hidden(), only));
    }

    private float[] around(float mean, int count) {
        float[] out = new float[count];
        for (int i = 0; i < count; i++) {
            out[i] = mean + 0.3f * (float) random.nextGaussian();
        }
        return out;
    }

    private Matrix bias(int rows, int columns) {
        return random.nextBoolean() ? matrix(Storage.BF16, rows, columns) : matrix(Storage.F32, rows, columns);
    }

    private Matrix matrix(int rows, int columns, @org.jspecify.annotations.Nullable Storage only) {
        Storage[] all = Storage.values();
        Storage storage = only == null ? all[random.nextInt(all.length)] : only;
        return matrix(storage.needsBlocks() && columns % 32 != 0 ? Storage.BF16 : storage, rows, columns);
    }

    Matrix matrix(Storage storage, int rows, int columns) {
        double deviation = 1 / Math.sqrt(columns);
        int pad = 2 * random.nextInt(20); // a mapping begins anywhere
        return switch (storage) {
            case F32 -> {
                MemorySegment data = arena.allocate(pad + 4L * rows * columns);
                for (long i = 0; i < (long) rows * columns; i++) {
                    data.set(ValueLayout.JAVA_FLOAT_UNALIGNED, pad + 4 * i, gaussian(deviation));
                }
                yield new F32Matrix(rows, columns, data, pad, 4L * columns, 4);
            }
            case F16 -> {
                MemorySegment data = arena.allocate(pad + 2L * rows * columns);
                for (long i = 0; i < (long) rows * columns; i++) {
                    data.set(SHORT, pad + 2 * i, Float.floatToFloat16(gaussian(deviation)));
                }
                yield new F16Matrix(rows, columns, data, pad, 2L * columns, 2);
            }
            case BF16 -> new BF16Matrix(rows, columns, bf16(pad, rows * columns, deviation), pad, 2L * columns, 2);
            case BF16_TRANSPOSED ->
                new BF16Matrix(rows, columns, bf16(pad, rows * columns, deviation), pad, 2, 2L * rows);
            case BF16_ALTERNATING ->
                new BF16Matrix(
                        rows, columns, bf16(pad, 2 * rows * columns, deviation), pad + 2L * columns, 4L * columns, 2);
            case Q8_0 -> {
                long stride = columns / 32 * 34L;
                MemorySegment data = bytes(pad + rows * stride);
                for (long block = pad; block < data.byteSize(); block += 34) {
                    data.set(
                            SHORT, block, Float.floatToFloat16((float) (deviation / 73 * (0.5 + random.nextDouble()))));
                }
                yield new Q8_0Matrix(rows, columns, data, pad, stride);
            }
            case MXFP4, MXFP4_ALTERNATING -> {
                int step = storage == Storage.MXFP4 ? 1 : 2;
                long blockStride = (long) step * columns / 2;
                long scaleStride = (long) step * columns / 32;
                MemorySegment scales = arena.allocate(pad + rows * scaleStride);
                for (long i = pad; i < scales.byteSize(); i++) {
                    scales.set(ValueLayout.JAVA_BYTE, i, scale(deviation));
                }
                long skipped = step - 1L;
                yield new MxFp4Matrix(
                        rows,
                        columns,
                        bytes(pad + rows * blockStride),
                        pad + skipped * columns / 2,
                        blockStride,
                        scales,
                        pad + skipped * columns / 32,
                        scaleStride);
            }
            case GGUF_MXFP4 -> {
                long stride = columns / 32 * 17L;
                MemorySegment data = bytes(pad + rows * stride);
                for (long block = pad; block < data.byteSize(); block += 17) {
                    data.set(ValueLayout.JAVA_BYTE, block, scale(deviation));
                }
                yield new GgufMxFp4Matrix(rows, columns, data, pad, stride);
            }
        };
    }

    private float gaussian(double deviation) {
        return (float) (deviation * random.nextGaussian());
    }

    private MemorySegment bf16(int pad, int count, double deviation) {
        MemorySegment data = arena.allocate(pad + 2L * count);
        for (long i = 0; i < count; i++) {
            data.set(SHORT, pad + 2 * i, (short) (Float.floatToRawIntBits(gaussian(deviation)) >> 16));
        }
        return data;
    }

    private MemorySegment bytes(long count) {
        byte[] random = new byte[Math.toIntExact(count)];
        this.random.nextBytes(random);
        MemorySegment data = arena.allocate(count);
        MemorySegment.copy(random, 0, data, ValueLayout.JAVA_BYTE, 0, random.length);
        return data;
    }

    /** E8M0 that brings random codes, whose root mean square is 2.9, to this size, more or less. */
    private byte scale(double deviation) {
        return (byte) (127 + Math.round(Math.log(deviation / 2.9) / Math.log(2)) + random.nextInt(-1, 2));
    }
}
