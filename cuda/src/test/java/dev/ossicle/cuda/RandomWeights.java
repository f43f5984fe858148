package dev.ossicle.cuda;

import dev.ossicle.checkpoint.BF16Matrix;
import dev.ossicle.checkpoint.ExpertWeights;
import dev.ossicle.checkpoint.F32Matrix;
import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.checkpoint.MxFp4Matrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Weights of any shape, also the largest, in little host memory: all matrices are views of the same random numbers, each at a place
 * of its own. They lie as in OpenAI's files, and are of a size that keeps activations near 1.
 */
final class RandomWeights {
    private static final long PERIOD = 32 << 20; // bytes after which the numbers come again

    private final ModelConfig config;
    private final Random random;
    private final MemorySegment codes;
    private final MemorySegment scales;
    private final MemorySegment dense;
    private final MemorySegment floats;
    private long place;

    private RandomWeights(ModelConfig config, long seed) {
        this.config = config;
        this.random = new Random(seed);
        long h = config.hidden();
        long i = config.intermediate();
        long widest = Math.max(Math.max(config.vocabulary(), config.queryWidth()) * h, h * config.queryWidth());
        Arena arena = Arena.ofAuto();
        codes = fill(arena.allocate(room(i * h), 64), at -> {
            byte[] bytes = new byte[1 << 16];
            random.nextBytes(bytes);
            return MemorySegment.ofArray(bytes);
        });
        // A code is 2.9 in the mean square, a sum has H of them.
        int scale = (int) Math.round(127 - Math.log(2.9 * Math.sqrt(h)) / Math.log(2));
        scales = fill(arena.allocate(room(i * h / 16), 64), at -> {
            byte[] bytes = new byte[1 << 16];
            for (int n = 0; n < bytes.length; n++) {
                bytes[n] = (byte) (scale - 1 + random.nextInt(3));
            }
            return MemorySegment.ofArray(bytes);
        });
        dense = fill(arena.allocate(room(2 * widest), 64), at -> {
            short[] bits = new short[1 << 15];
            for (int n = 0; n < bits.length; n++) {
                bits[n] = PlayedGpu.bf16((float) (random.nextGaussian() / Math.sqrt(h)));
            }
            return MemorySegment.ofArray(bits);
        });
        floats = fill(arena.allocate(room(4 * config.experts() * Math.max(h, i)), 64), at -> {
            float[] values = new float[1 << 14];
            for (int n = 0; n < values.length; n++) {
                values[n] = (float) (random.nextGaussian() / Math.sqrt(h));
            }
            return MemorySegment.ofArray(values);
        });
    }

    static ModelWeights of(ModelConfig config, long seed) {
        return new RandomWeights(config, seed).weights();
    }

    private static long room(long bytes) {
        return Math.max(1 << 20, bytes + (1 << 20));
    }

    private interface Numbers {
        MemorySegment next(long at);
    }

    private static MemorySegment fill(MemorySegment segment, Numbers numbers) {
        for (long at = 0; at < segment.byteSize(); ) {
            MemorySegment part = at < PERIOD ? numbers.next(at) : segment.asSlice(at - PERIOD, PERIOD);
            long bytes = Math.min(part.byteSize(), segment.byteSize() - at);
            MemorySegment.copy(part, 0, segment, at, bytes);
            at += bytes;
        }
        return segment;
    }

    /** Another place in a pool from which so many bytes can be taken. */
    private long place(MemorySegment pool, long bytes) {
        place += 1_000_003 * 64;
        return place % ((pool.byteSize() - bytes) / 64) * 64;
    }

    private ModelWeights weights() {
        ModelConfig c = config;
        List<LayerWeights> layers = new ArrayList<>();
        for (int l = 0; l < c.layers(); l++) {
            List<ExpertWeights> experts = new ArrayList<>();
            for (int e = 0; e < c.experts(); e++) {
                experts.add(expert());
            }
            layers.add(new LayerWeights(
                    vector(1, c.hidden()),
                    bf16(c.queryWidth(), c.hidden()),
                    vector(0, c.queryWidth()),
                    bf16(c.kvWidth(), c.hidden()),
                    vector(0, c.kvWidth()),
                    bf16(c.kvWidth(), c.hidden()),
                    vector(0, c.kvWidth()),
                    vector(0, c.heads()),
                    bf16(c.hidden(), c.queryWidth()),
                    vector(0, c.hidden()),
                    vector(1, c.hidden()),
                    bf16(c.experts(), c.hidden()),
                    vector(0, c.experts()),
                    experts,
                    float32(c.experts(), c.intermediate()),
                    float32(c.experts(), c.intermediate()),
                    float32(c.experts(), c.hidden())));
        }
        return new ModelWeights(
                bf16(c.vocabulary(), c.hidden()), layers, vector(1, c.hidden()), bf16(c.vocabulary(), c.hidden()));
    }

    /** Rows of gate and up alternate, as OpenAI has them. */
    private ExpertWeights expert() {
        int h = config.hidden();
        int i = config.intermediate();
        long gateCodes = place(codes, (long) i * h);
        long gateScales = place(scales, (long) i * h / 16);
        long downCodes = place(codes, (long) i * h / 2);
        long downScales = place(scales, (long) i * h / 32);
        return new ExpertWeights(
                new MxFp4Matrix(i, h, codes, gateCodes, h, scales, gateScales, h / 16),
                new MxFp4Matrix(i, h, codes, gateCodes + h / 2, h, scales, gateScales + h / 32, h / 16),
                new MxFp4Matrix(h, i, codes, downCodes, i / 2, scales, downScales, i / 32));
    }

    private Matrix bf16(int rows, int columns) {
        return new BF16Matrix(rows, columns, dense, place(dense, 2L * rows * columns), 2L * columns, 2);
    }

    private Matrix float32(int rows, int columns) {
        return new F32Matrix(rows, columns, floats, place(floats, 4L * rows * columns), 4L * columns, 4);
    }

    private float[] vector(float middle, int length) {
        float[] values = new float[length];
        for (int n = 0; n < length; n++) {
            values[n] = middle + 0.1f * (float) random.nextGaussian();
        }
        return values;
    }
}
