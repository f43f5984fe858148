package dev.ossicle.cpu;

import static dev.ossicle.cpu.Lanes.FLOATS;
import static dev.ossicle.cpu.Lanes.SHORTS;
import static dev.ossicle.cpu.Lanes.WIDTH;

import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * One block of keys and values against some query rows. R is the number of rows, a multiple of {@link #TILE}; lanes are keys, or
 * components of values. What is computed of a row does not depend on the rows beside it.
 */
final class AttentionKernels {
    /** Rows that are multiplied together: with two vectors there are eight sums, as many as FMA units can take in turns. */
    static final int TILE = 4;

    private static final int KEYS = VectorKvSequence.BLOCK;

    /** By how much a score may be above what weights are relative to: they are at most e^16, nine million, and lose nothing by it. */
    private static final float SLACK = 16;

    /** A cache line, or as much of it as a vector has. */
    private static final VectorSpecies<Long> LINE = VectorSpecies.of(long.class, FLOATS.vectorShape());

    /** The cache's. */
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private AttentionKernels() {}

    /**
     * Scores of four rows.
     *
     * @param q queries, scaled [D, TILE]
     * @param k keys [D, KEYS]
     * @param scales address of what each key is to be multiplied by [KEYS]
     * @param s scores [TILE, KEYS], from the first of the rows on
     */
    static void scores(float[] q, int qAt, float[] k, int headDim, long scales, float[] s, int sAt) {
        for (int key = 0; key < KEYS; key += 2 * WIDTH) {
            FloatVector a0 = FloatVector.zero(FLOATS);
            FloatVector a1 = a0;
            FloatVector a2 = a0;
            FloatVector a3 = a0;
            FloatVector b0 = a0;
            FloatVector b1 = a0;
            FloatVector b2 = a0;
            FloatVector b3 = a0;
            for (int i = 0; i < headDim; i++) {
                FloatVector a = FloatVector.fromArray(FLOATS, k, i * KEYS + key);
                FloatVector b = FloatVector.fromArray(FLOATS, k, i * KEYS + key + WIDTH);
                FloatVector x = FloatVector.broadcast(FLOATS, q[qAt + TILE * i]);
                a0 = a.fma(x, a0);
                b0 = b.fma(x, b0);
                x = FloatVector.broadcast(FLOATS, q[qAt + TILE * i + 1]);
                a1 = a.fma(x, a1);
                b1 = b.fma(x, b1);
                x = FloatVector.broadcast(FLOATS, q[qAt + TILE * i + 2]);
                a2 = a.fma(x, a2);
                b2 = b.fma(x, b2);
                x = FloatVector.broadcast(FLOATS, q[qAt + TILE * i + 3]);
                a3 = a.fma(x, a3);
                b3 = b.fma(x, b3);
            }
            FloatVector x = FloatVector.fromMemorySegment(FLOATS, Lanes.MEMORY, scales + 4 * key, ORDER);
            FloatVector y = FloatVector.fromMemorySegment(FLOATS, Lanes.MEMORY, scales + 4 * (key + WIDTH), ORDER);
            int to = sAt + key;
            a0.mul(x).intoArray(s, to);
            b0.mul(y).intoArray(s, to + WIDTH);
            a1.mul(x).intoArray(s, to + KEYS);
            b1.mul(y).intoArray(s, to + KEYS + WIDTH);
            a2.mul(x).intoArray(s, to + 2 * KEYS);
            b2.mul(y).intoArray(s, to + 2 * KEYS + WIDTH);
            a3.mul(x).intoArray(s, to + 3 * KEYS);
            b3.mul(y).intoArray(s, to + 3 * KEYS + WIDTH);
        }
    }

    /**
     * Scores of eight rows, straight from 16-bit keys in the cache: a number that is widened serves all eight, and enough of the
     * loads that wait for memory are under way while others are multiplied. For vectors that come with 32 registers.
     *
     * @param at address of what each key is to be multiplied by [KEYS], followed by the keys [D, KEYS]
     * @param q queries, scaled [D, 8]: next to each other, so that one register points at them, where eight would not be
     *     enough for all (71 -> 99 GMAC/s)
     * @param s scores [8, KEYS], from the first of the rows on
     */
    static void scores8(long at, int headDim, float[] q, int qAt, float[] s, int sAt) {
        for (int key = 0; key < KEYS; key += 2 * WIDTH) {
            long column = at + 4 * KEYS + 2 * key;
            FloatVector a0 = FloatVector.zero(FLOATS);
            FloatVector a1 = a0;
            FloatVector a2 = a0;
            FloatVector a3 = a0;
            FloatVector a4 = a0;
            FloatVector a5 = a0;
            FloatVector a6 = a0;
            FloatVector a7 = a0;
            FloatVector b0 = a0;
            FloatVector b1 = a0;
            FloatVector b2 = a0;
            FloatVector b3 = a0;
            FloatVector b4 = a0;
            FloatVector b5 = a0;
            FloatVector b6 = a0;
            FloatVector b7 = a0;
            for (int i = 0; i < headDim; i++) {
                long from = column + 2L * KEYS * i;
                FloatVector a = (FloatVector) ShortVector.fromMemorySegment(SHORTS, Lanes.MEMORY, from, ORDER)
                        .convertShape(VectorOperators.S2F, FLOATS, 0);
                FloatVector b =
                        (FloatVector) ShortVector.fromMemorySegment(SHORTS, Lanes.MEMORY, from + 2 * WIDTH, ORDER)
                                .convertShape(VectorOperators.S2F, FLOATS, 0);
                FloatVector x = FloatVector.broadcast(FLOATS, q[qAt + 8 * i]);
                a0 = a.fma(x, a0);
                b0 = b.fma(x, b0);
                x = FloatVector.broadcast(FLOATS, q[qAt + 8 * i + 1]);
                a1 = a.fma(x, a1);
                b1 = b.fma(x, b1);
                x = FloatVector.broadcast(FLOATS, q[qAt + 8 * i + 2]);
                a2 = a.fma(x, a2);
                b2 = b.fma(x, b2);
                x = FloatVector.broadcast(FLOATS, q[qAt + 8 * i + 3]);
                a3 = a.fma(x, a3);
                b3 = b.fma(x, b3);
                x = FloatVector.broadcast(FLOATS, q[qAt + 8 * i + 4]);
                a4 = a.fma(x, a4);
                b4 = b.fma(x, b4);
                x = FloatVector.broadcast(FLOATS, q[qAt + 8 * i + 5]);
                a5 = a.fma(x, a5);
                b5 = b.fma(x, b5);
                x = FloatVector.broadcast(FLOATS, q[qAt + 8 * i + 6]);
                a6 = a.fma(x, a6);
                b6 = b.fma(x, b6);
                x = FloatVector.broadcast(FLOATS, q[qAt + 8 * i + 7]);
                a7 = a.fma(x, a7);
                b7 = b.fma(x, b7);
            }
            FloatVector x = FloatVector.fromMemorySegment(FLOATS, Lanes.MEMORY, at + 4 * key, ORDER);
            FloatVector y = FloatVector.fromMemorySegment(FLOATS, Lanes.MEMORY, at + 4 * (key + WIDTH), ORDER);
            int to = sAt + key;
            a0.mul(x).intoArray(s, to);
            b0.mul(y).intoArray(s, to + WIDTH);
            a1.mul(x).intoArray(s, to + KEYS);
            b1.mul(y).intoArray(s, to + KEYS + WIDTH);
            a2.mul(x).intoArray(s, to + 2 * KEYS);
            b2.mul(y).intoArray(s, to + 2 * KEYS + WIDTH);
            a3.mul(x).intoArray(s, to + 3 * KEYS);
            b3.mul(y).intoArray(s, to + 3 * KEYS + WIDTH);
            a4.mul(x).intoArray(s, to + 4 * KEYS);
            b4.mul(y).intoArray(s, to + 4 * KEYS + WIDTH);
            a5.mul(x).intoArray(s, to + 5 * KEYS);
            b5.mul(y).intoArray(s, to + 5 * KEYS + WIDTH);
            a6.mul(x).intoArray(s, to + 6 * KEYS);
            b6.mul(y).intoArray(s, to + 6 * KEYS + WIDTH);
            a7.mul(x).intoArray(s, to + 7 * KEYS);
            b7.mul(y).intoArray(s, to + 7 * KEYS + WIDTH);
        }
    }

    /**
     * Brings a block of the cache near: reads each of its lines, and does nothing else. Some hundred such loads are under way at a
     * time; of those in {@link #scores8}, with all that is multiplied between them, a dozen are, so that
     * reading everything twice is less than waiting for it.
     *
     * @param bytes of the block, a multiple of 64
     * @return nothing of use, but something must be
     */
    static long fetch(long at, int bytes) {
        LongVector all = LongVector.zero(LINE);
        for (int i = 0; i < bytes; i += LINE.vectorByteSize()) {
            all = all.or(LongVector.fromMemorySegment(LINE, Lanes.MEMORY, at + i, ORDER));
        }
        return all.lane(0);
    }

    /**
     * 16-bit numbers of the cache as floats, straight from its memory: widening them takes less time than waiting for them.
     *
     * @param at their address
     * @param count a multiple of 2W
     */
    static void expand(long at, int count, float[] into) {
        for (int i = 0; i < count; i += 2 * WIDTH) {
            ShortVector a = ShortVector.fromMemorySegment(SHORTS, Lanes.MEMORY, at + 2L * i, ORDER);
            ShortVector b = ShortVector.fromMemorySegment(SHORTS, Lanes.MEMORY, at + 2L * i + 2 * WIDTH, ORDER);
            ((FloatVector) a.convertShape(VectorOperators.S2F, FLOATS, 0)).intoArray(into, i);
            ((FloatVector) b.convertShape(VectorOperators.S2F, FLOATS, 0)).intoArray(into, i + WIDTH);
        }
    }

    /**
     * The same of 8-bit numbers.
     *
     * @param count a multiple of 32
     */
    static void expandBytes(long at, int count, float[] into) {
        for (int i = 0; i < count; i += 16) {
            ByteVector bytes = ByteVector.fromMemorySegment(Lanes.BYTES, Lanes.MEMORY, at + i, ORDER);
            ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 0)).intoArray(into, i);
            if (WIDTH <= 8) {
                ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 1)).intoArray(into, i + WIDTH);
            }
            if (WIDTH <= 4) {
                ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 2)).intoArray(into, i + 8);
                ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 3)).intoArray(into, i + 12);
            }
        }
    }

    /**
     * Sets the scores of keys that a row must not see to minus infinity.
     *
     * @param s scores of one row [KEYS]
     * @param from first of the block's keys that the row sees, may lie outside the block
     * @param to last one
     */
    static void mask(float[] s, int sAt, int from, int to) {
        int first = Math.clamp(from, 0, KEYS);
        int end = Math.clamp(to + 1L, first, KEYS);
        Arrays.fill(s, sAt, sAt + first, Float.NEGATIVE_INFINITY);
        Arrays.fill(s, sAt + end, sAt + KEYS, Float.NEGATIVE_INFINITY);
    }

    /**
     * One step of the online softmax: scores become weights relative to the maximum so far, or to one that is {@link #SLACK} less
     * at most, which spares finding it.
     *
     * @param s scores [rows, KEYS] of the rows from {@code first} on, replaced by their weights, times the scales
     * @param scales address of what each value is to be multiplied by [KEYS]
     * @param max what weights are relative to [R]
     * @param sum running sums of the weights, relative to the maximum, lane by lane [R, W]
     * @param shrink set to the factor by which this step's maximum makes earlier weights smaller [R], with room for W
     *     more
     */
    static void softmax(float[] s, int first, int rows, long scales, float[] max, float[] sum, float[] shrink) {
        for (int row = first; row < first + rows; row++) {
            FloatVector top = FloatVector.fromArray(FLOATS, s, (row - first) * KEYS);
            for (int key = WIDTH; key < KEYS; key += WIDTH) {
                FloatVector score = FloatVector.fromArray(FLOATS, s, (row - first) * KEYS + key);
                top = top.blend(score, score.compare(VectorOperators.GT, top));
            }
            float newest = max[row];
            if (top.compare(VectorOperators.GT, newest + SLACK).anyTrue()) {
                // Unlike a sum's, the order of a maximum does not matter.
                newest = Math.max(newest, top.reduceLanes(VectorOperators.MAX));
            }
            shrink[row] = max[row] - newest;
            max[row] = newest;
            for (int key = 0; key < KEYS; key += WIDTH) {
                FloatVector.fromArray(FLOATS, s, (row - first) * KEYS + key)
                        .sub(newest)
                        .intoArray(s, (row - first) * KEYS + key);
            }
        }
        Elementwise.exp(shrink, first, WIDTH, (rows + WIDTH - 1) / WIDTH);
        Elementwise.exp(s, 0, WIDTH, rows * KEYS / WIDTH);
        for (int row = first; row < first + rows; row++) {
            FloatVector total =
                    FloatVector.fromArray(FLOATS, sum, row * WIDTH).mul(FloatVector.broadcast(FLOATS, shrink[row]));
            for (int key = 0; key < KEYS; key += WIDTH) {
                FloatVector weight = FloatVector.fromArray(FLOATS, s, (row - first) * KEYS + key);
                total = total.add(weight);
                weight.mul(FloatVector.fromMemorySegment(FLOATS, Lanes.MEMORY, scales + 4 * key, ORDER))
                        .intoArray(s, (row - first) * KEYS + key);
            }
            total.intoArray(sum, row * WIDTH);
        }
    }

    /**
     * Adds the weighted values of four rows.
     *
     * @param p weights [TILE, KEYS], from the first of the rows on
     * @param keys how many of the block there are
     * @param v values [KEYS, stride]
     * @param stride a multiple of 2W
     * @param shrink of the rows, from the first on
     * @param o output so far [TILE, stride], from the first of the rows on
     */
    static void values(
            float[] p, int pAt, int keys, float[] v, int stride, float[] shrink, int row, float[] o, int oAt) {
        int p1 = pAt + KEYS;
        int p2 = p1 + KEYS;
        int p3 = p2 + KEYS;
        for (int i = 0; i < stride; i += 2 * WIDTH) {
            int to = oAt + i;
            FloatVector x = FloatVector.broadcast(FLOATS, shrink[row]);
            FloatVector a0 = FloatVector.fromArray(FLOATS, o, to).mul(x);
            FloatVector b0 = FloatVector.fromArray(FLOATS, o, to + WIDTH).mul(x);
            x = FloatVector.broadcast(FLOATS, shrink[row + 1]);
            FloatVector a1 = FloatVector.fromArray(FLOATS, o, to + stride).mul(x);
            FloatVector b1 =
                    FloatVector.fromArray(FLOATS, o, to + stride + WIDTH).mul(x);
            x = FloatVector.broadcast(FLOATS, shrink[row + 2]);
            FloatVector a2 = FloatVector.fromArray(FLOATS, o, to + 2 * stride).mul(x);
            FloatVector b2 =
                    FloatVector.fromArray(FLOATS, o, to + 2 * stride + WIDTH).mul(x);
            x = FloatVector.broadcast(FLOATS, shrink[row + 3]);
            FloatVector a3 = FloatVector.fromArray(FLOATS, o, to + 3 * stride).mul(x);
            FloatVector b3 =
                    FloatVector.fromArray(FLOATS, o, to + 3 * stride + WIDTH).mul(x);
            for (int j = 0; j < keys; j++) {
                FloatVector a = FloatVector.fromArray(FLOATS, v, j * stride + i);
                FloatVector b = FloatVector.fromArray(FLOATS, v, j * stride + i + WIDTH);
                x = FloatVector.broadcast(FLOATS, p[pAt + j]);
                a0 = a.fma(x, a0);
                b0 = b.fma(x, b0);
                x = FloatVector.broadcast(FLOATS, p[p1 + j]);
                a1 = a.fma(x, a1);
                b1 = b.fma(x, b1);
                x = FloatVector.broadcast(FLOATS, p[p2 + j]);
                a2 = a.fma(x, a2);
                b2 = b.fma(x, b2);
                x = FloatVector.broadcast(FLOATS, p[p3 + j]);
                a3 = a.fma(x, a3);
                b3 = b.fma(x, b3);
            }
            a0.intoArray(o, to);
            b0.intoArray(o, to + WIDTH);
            a1.intoArray(o, to + stride);
            b1.intoArray(o, to + stride + WIDTH);
            a2.intoArray(o, to + 2 * stride);
            b2.intoArray(o, to + 2 * stride + WIDTH);
            a3.intoArray(o, to + 3 * stride);
            b3.intoArray(o, to + 3 * stride + WIDTH);
        }
    }

    /**
     * Adds the weighted values of eight rows, as {@link #scores8} and {@link #values} do.
     *
     * @param at address of values [KEYS, stride]
     */
    static void values8(
            float[] p, int pAt, int keys, long at, int stride, float[] shrink, int row, float[] o, int oAt) {
        for (int i = 0; i < stride; i += 2 * WIDTH) {
            int to = oAt + i;
            long column = at + 2 * i;
            FloatVector x = FloatVector.broadcast(FLOATS, shrink[row]);
            FloatVector a0 = FloatVector.fromArray(FLOATS, o, to).mul(x);
            FloatVector b0 = FloatVector.fromArray(FLOATS, o, to + WIDTH).mul(x);
            x = FloatVector.broadcast(FLOATS, shrink[row + 1]);
            FloatVector a1 = FloatVector.fromArray(FLOATS, o, to + stride).mul(x);
            FloatVector b1 =
                    FloatVector.fromArray(FLOATS, o, to + stride + WIDTH).mul(x);
            x = FloatVector.broadcast(FLOATS, shrink[row + 2]);
            FloatVector a2 = FloatVector.fromArray(FLOATS, o, to + 2 * stride).mul(x);
            FloatVector b2 =
                    FloatVector.fromArray(FLOATS, o, to + 2 * stride + WIDTH).mul(x);
            x = FloatVector.broadcast(FLOATS, shrink[row + 3]);
            FloatVector a3 = FloatVector.fromArray(FLOATS, o, to + 3 * stride).mul(x);
            FloatVector b3 =
                    FloatVector.fromArray(FLOATS, o, to + 3 * stride + WIDTH).mul(x);
            x = FloatVector.broadcast(FLOATS, shrink[row + 4]);
            FloatVector a4 = FloatVector.fromArray(FLOATS, o, to + 4 * stride).mul(x);
            FloatVector b4 =
                    FloatVector.fromArray(FLOATS, o, to + 4 * stride + WIDTH).mul(x);
            x = FloatVector.broadcast(FLOATS, shrink[row + 5]);
            FloatVector a5 = FloatVector.fromArray(FLOATS, o, to + 5 * stride).mul(x);
            FloatVector b5 =
                    FloatVector.fromArray(FLOATS, o, to + 5 * stride + WIDTH).mul(x);
            x = FloatVector.broadcast(FLOATS, shrink[row + 6]);
            FloatVector a6 = FloatVector.fromArray(FLOATS, o, to + 6 * stride).mul(x);
            FloatVector b6 =
                    FloatVector.fromArray(FLOATS, o, to + 6 * stride + WIDTH).mul(x);
            x = FloatVector.broadcast(FLOATS, shrink[row + 7]);
            FloatVector a7 = FloatVector.fromArray(FLOATS, o, to + 7 * stride).mul(x);
            FloatVector b7 =
                    FloatVector.fromArray(FLOATS, o, to + 7 * stride + WIDTH).mul(x);
            for (int j = 0; j < keys; j++) {
                long from = column + 2L * stride * j;
                FloatVector a = (FloatVector) ShortVector.fromMemorySegment(SHORTS, Lanes.MEMORY, from, ORDER)
                        .convertShape(VectorOperators.S2F, FLOATS, 0);
                FloatVector b =
                        (FloatVector) ShortVector.fromMemorySegment(SHORTS, Lanes.MEMORY, from + 2 * WIDTH, ORDER)
                                .convertShape(VectorOperators.S2F, FLOATS, 0);
                x = FloatVector.broadcast(FLOATS, p[pAt + j]);
                a0 = a.fma(x, a0);
                b0 = b.fma(x, b0);
                x = FloatVector.broadcast(FLOATS, p[pAt + KEYS + j]);
                a1 = a.fma(x, a1);
                b1 = b.fma(x, b1);
                x = FloatVector.broadcast(FLOATS, p[pAt + 2 * KEYS + j]);
                a2 = a.fma(x, a2);
                b2 = b.fma(x, b2);
                x = FloatVector.broadcast(FLOATS, p[pAt + 3 * KEYS + j]);
                a3 = a.fma(x, a3);
                b3 = b.fma(x, b3);
                x = FloatVector.broadcast(FLOATS, p[pAt + 4 * KEYS + j]);
                a4 = a.fma(x, a4);
                b4 = b.fma(x, b4);
                x = FloatVector.broadcast(FLOATS, p[pAt + 5 * KEYS + j]);
                a5 = a.fma(x, a5);
                b5 = b.fma(x, b5);
                x = FloatVector.broadcast(FLOATS, p[pAt + 6 * KEYS + j]);
                a6 = a.fma(x, a6);
                b6 = b.fma(x, b6);
                x = FloatVector.broadcast(FLOATS, p[pAt + 7 * KEYS + j]);
                a7 = a.fma(x, a7);
                b7 = b.fma(x, b7);
            }
            a0.intoArray(o, to);
            b0.intoArray(o, to + WIDTH);
            a1.intoArray(o, to + stride);
            b1.intoArray(o, to + stride + WIDTH);
            a2.intoArray(o, to + 2 * stride);
            b2.intoArray(o, to + 2 * stride + WIDTH);
            a3.intoArray(o, to + 3 * stride);
            b3.intoArray(o, to + 3 * stride + WIDTH);
            a4.intoArray(o, to + 4 * stride);
            b4.intoArray(o, to + 4 * stride + WIDTH);
            a5.intoArray(o, to + 5 * stride);
            b5.intoArray(o, to + 5 * stride + WIDTH);
            a6.intoArray(o, to + 6 * stride);
            b6.intoArray(o, to + 6 * stride + WIDTH);
            a7.intoArray(o, to + 7 * stride);
            b7.intoArray(o, to + 7 * stride + WIDTH);
        }
    }
}
