package dev.ossicle.cuda;

import dev.ossicle.checkpoint.BF16Matrix;
import dev.ossicle.checkpoint.ExpertWeights;
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

/** A model of odd shape that a GPU can run, with random weights in the storage orders of all file layouts. */
final class RandomModel {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

    final ModelConfig config;
    final ModelWeights weights;
    private final Random random;
    private final Arena arena = Arena.ofAuto();
    private final boolean rounded;

    RandomModel(long seed) {
        this(seed, false);
    }

    /** @param rounded whether the dense weights are bf16, so that a GPU rounds none of them */
    RandomModel(long seed, boolean rounded) {
        random = new Random(seed);
        this.rounded = rounded;
        config = config();
        weights = weights();
    }

    RandomModel(long seed, ModelConfig config) {
        random = new Random(seed);
        rounded = true;
        this.config = config;
        weights = weights();
    }

    private ModelConfig config() {
        int[] heads = pick(new int[][] {{1, 1}, {2, 1}, {4, 2}, {6, 2}, {3, 3}, {8, 1}, {9, 3}, {10, 1}, {5, 1}});
        int experts = pick(new int[] {1, 2, 4, 5, 8, 33});
        return new ModelConfig(
                pick(new int[] {1, 2, 3, 4}),
                experts,
                Math.min(experts, pick(new int[] {1, 2, 3, 4, 4})),
                pick(new int[] {7, 64, 101, 256}),
                pick(new int[] {32, 64, 96, 160}),
                pick(new int[] {32, 64, 96, 160}),
                64,
                heads[0],
                heads[1],
                pick(new int[] {1, 3, 32, 65, 128}),
                1000,
                pick(new int[] {10_000, 150_000}),
                pick(new int[] {1, 32}),
                128,
                1,
                32,
                pick(new int[] {1, 7}),
                1e-5);
    }

    int pick(int... from) {
        return from[random.nextInt(from.length)];
    }

    private int[] pick(int[][] from) {
        return from[random.nextInt(from.length)];
    }

    int[] tokens(int count) {
        return random.ints(count, 0, config.vocabulary()).toArray();
    }

    private ModelWeights weights() {
        List<LayerWeights> layers = new ArrayList<>();
        int queries = config.queryWidth();
        int keys = config.kvWidth();
        int hidden = config.hidden();
        for (int l = 0; l < config.layers(); l++) {
            boolean gguf = random.nextBoolean();
            List<ExpertWeights> experts = new ArrayList<>();
            for (int e = 0; e < config.experts(); e++) {
                experts.add(new ExpertWeights(
                        gguf ? gguf(config.intermediate(), hidden) : mxfp4(config.intermediate(), hidden, 2),
                        gguf ? gguf(config.intermediate(), hidden) : mxfp4(config.intermediate(), hidden, 2),
                        gguf ? gguf(hidden, config.intermediate()) : mxfp4(hidden, config.intermediate(), 1)));
            }
            layers.add(new LayerWeights(
                    around(1, hidden),
                    dense(queries, hidden),
                    around(0, queries),
                    dense(keys, hidden),
                    around(0, keys),
                    dense(keys, hidden),
                    around(0, keys),
                    around(0, config.heads()),
                    dense(hidden, queries),
                    around(0, hidden),
                    around(1, hidden),
                    dense(config.experts(), hidden),
                    around(0, config.experts()),
                    experts,
                    bf16(config.experts(), config.intermediate(), false),
                    f32(config.experts(), config.intermediate()),
                    bf16(config.experts(), hidden, false)));
        }
        return new ModelWeights(
                dense(config.vocabulary(), hidden), layers, around(1, hidden), dense(config.vocabulary(), hidden));
    }

    private float[] around(float mean, int count) {
        float[] out = new float[count];
        for (int i = 0; i < count; i++) {
            out[i] = mean + 0.3f * (float) random.nextGaussian();
        }
        return out;
    }

    private Matrix dense(int rows, int columns) {
        return switch (rounded ? random.nextInt(2) : random.nextInt(4)) {
            case 0 -> bf16(rows, columns, false);
            case 1 -> bf16(rows, columns, true);
            case 2 -> f32(rows, columns);
            default -> q8(rows, columns);
        };
    }

    private Matrix f32(int rows, int columns) {
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = gaussian(columns);
        }
        return F32Matrix.of(rows, columns, values);
    }

    private Matrix bf16(int rows, int columns, boolean transposed) {
        int pad = 2 * random.nextInt(20); // a mapping begins anywhere
        MemorySegment data = arena.allocate(pad + 2L * rows * columns);
        for (long i = 0; i < (long) rows * columns; i++) {
            data.set(SHORT, pad + 2 * i, WeightRows.rounded(gaussian(columns)));
        }
        return transposed
                ? new BF16Matrix(rows, columns, data, pad, 2, 2L * rows)
                : new BF16Matrix(rows, columns, data, pad, 2L * columns, 2);
    }

    private Matrix q8(int rows, int columns) {
        long stride = columns / 32 * 34L;
        MemorySegment data = bytes(rows * stride);
        for (long block = 0; block < data.byteSize(); block += 34) {
            double scale = (0.5 + random.nextDouble()) / 73 / Math.sqrt(columns);
            data.set(SHORT, block, Float.floatToFloat16((float) scale));
        }
        return new Q8_0Matrix(rows, columns, data, 0, stride);
    }

    /** @param step from one row to the next, 2 where gate and up rows alternate */
    private Matrix mxfp4(int rows, int columns, int step) {
        int pad = random.nextInt(20);
        long blockStride = (long) step * columns / 2;
        long scaleStride = (long) step * columns / 32;
        MemorySegment scales = arena.allocate(pad + rows * scaleStride);
        for (long i = pad; i < scales.byteSize(); i++) {
            scales.set(ValueLayout.JAVA_BYTE, i, scale(columns));
        }
        return new MxFp4Matrix(
                rows, columns, bytes(pad + rows * blockStride), pad, blockStride, scales, pad, scaleStride);
    }

    private Matrix gguf(int rows, int columns) {
        long stride = columns / 32 * 17L;
        MemorySegment data = bytes(rows * stride);
        for (long block = 0; block < data.byteSize(); block += 17) {
            data.set(ValueLayout.JAVA_BYTE, block, scale(columns));
        }
        return new GgufMxFp4Matrix(rows, columns, data, 0, stride);
    }

    private float gaussian(int columns) {
        return (float) (random.nextGaussian() / Math.sqrt(columns));
    }

    private MemorySegment bytes(long count) {
        byte[] values = new byte[Math.toIntExact(count)];
        random.nextBytes(values);
        MemorySegment data = arena.allocate(count);
        MemorySegment.copy(values, 0, data, ValueLayout.JAVA_BYTE, 0, values.length);
        return data;
    }

    /** E8M0 that brings random codes, whose root mean square is 2.9, to a size that keeps activations near 1. */
    private byte scale(int columns) {
        return (byte) (127 + Math.round(Math.log(1 / Math.sqrt(columns) / 2.9) / Math.log(2)) + random.nextInt(-1, 2));
    }
}
