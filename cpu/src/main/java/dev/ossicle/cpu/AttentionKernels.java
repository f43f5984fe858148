package dev.ossicle.cpu;

import static dev.ossicle.cpu.Lanes.FLOATS;
import static dev.ossicle.cpu.Lanes.WIDTH;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * One block of keys and values against some query rows. Each lane is a query row, so that no lane ever needs another: a row
 * comes out the same whatever rows stand beside it. R is the number of rows, a multiple of W.
 */
final class AttentionKernels {
    private AttentionKernels() {}

    /**
     * Scores of four keys for two vectors of rows.
     *
     * @param q queries, scaled [D, R], from the first of the rows on
     * @param k keys [., keyStride], from the first of the four on
     * @param s scores [key, R], from the first key and row on
     */
    static void scores2(
            float[] q, int qAt, int rows, float[] k, int kAt, int keyStride, int headDim, float[] s, int sAt) {
        FloatVector a0 = FloatVector.zero(FLOATS);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector b2 = a0;
        FloatVector b3 = a0;
        for (int i = 0; i < headDim; i++) {
            FloatVector a = FloatVector.fromArray(FLOATS, q, qAt + i * rows);
            FloatVector b = FloatVector.fromArray(FLOATS, q, qAt + i * rows + WIDTH);
            FloatVector v = FloatVector.broadcast(FLOATS, k[kAt + i]);
            a0 = v.fma(a, a0);
            b0 = v.fma(b, b0);
            v = FloatVector.broadcast(FLOATS, k[kAt + keyStride + i]);
            a1 = v.fma(a, a1);
            b1 = v.fma(b, b1);
            v = FloatVector.broadcast(FLOATS, k[kAt + 2 * keyStride + i]);
            a2 = v.fma(a, a2);
            b2 = v.fma(b, b2);
            v = FloatVector.broadcast(FLOATS, k[kAt + 3 * keyStride + i]);
            a3 = v.fma(a, a3);
            b3 = v.fma(b, b3);
        }
        a0.intoArray(s, sAt);
        b0.intoArray(s, sAt + WIDTH);
        a1.intoArray(s, sAt + rows);
        b1.intoArray(s, sAt + rows + WIDTH);
        a2.intoArray(s, sAt + 2 * rows);
        b2.intoArray(s, sAt + 2 * rows + WIDTH);
        a3.intoArray(s, sAt + 3 * rows);
        b3.intoArray(s, sAt + 3 * rows + WIDTH);
    }

    /** The same for one vector of rows. */
    static void scores1(
            float[] q, int qAt, int rows, float[] k, int kAt, int keyStride, int headDim, float[] s, int sAt) {
        FloatVector a0 = FloatVector.zero(FLOATS);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        for (int i = 0; i < headDim; i++) {
            FloatVector a = FloatVector.fromArray(FLOATS, q, qAt + i * rows);
            a0 = FloatVector.broadcast(FLOATS, k[kAt + i]).fma(a, a0);
            a1 = FloatVector.broadcast(FLOATS, k[kAt + keyStride + i]).fma(a, a1);
            a2 = FloatVector.broadcast(FLOATS, k[kAt + 2 * keyStride + i]).fma(a, a2);
            a3 = FloatVector.broadcast(FLOATS, k[kAt + 3 * keyStride + i]).fma(a, a3);
        }
        a0.intoArray(s, sAt);
        a1.intoArray(s, sAt + rows);
        a2.intoArray(s, sAt + 2 * rows);
        a3.intoArray(s, sAt + 3 * rows);
    }

    /**
     * Sets the scores of keys that a row must not see to minus infinity.
     *
     * @param s scores [key, R] of one vector of rows
     * @param firstKey position of the first of {@code keys} keys
     * @param oldest first position that each row sees [R]
     * @param newest last one [R]; positions are below 2^24, so floats hold them
     */
    static void mask(float[] s, int sAt, int rows, int firstKey, int keys, float[] oldest, float[] newest, int row) {
        FloatVector from = FloatVector.fromArray(FLOATS, oldest, row);
        FloatVector to = FloatVector.fromArray(FLOATS, newest, row);
        for (int j = 0; j < keys; j++) {
            int at = sAt + j * rows;
            float key = firstKey + j;
            VectorMask<Float> unseen = from.compare(VectorOperators.GT, key).or(to.compare(VectorOperators.LT, key));
            FloatVector.fromArray(FLOATS, s, at)
                    .blend(Float.NEGATIVE_INFINITY, unseen)
                    .intoArray(s, at);
        }
    }

    /**
     * One step of the online softmax for one vector of rows: scores become weights relative to the new maximum.
     *
     * @param s scores [key, R], replaced by their weights
     * @param max running maximum [R]
     * @param sum running sum of the weights, relative to the maximum [R]
     * @param shrink factor by which this step's maximum makes earlier weights smaller [R]
     */
    static void softmax(float[] s, int sAt, int rows, int keys, float[] max, float[] sum, float[] shrink, int row) {
        FloatVector before = FloatVector.fromArray(FLOATS, max, row);
        FloatVector top = before;
        for (int j = 0; j < keys; j++) {
            FloatVector score = FloatVector.fromArray(FLOATS, s, sAt + j * rows);
            top = top.blend(score, score.compare(VectorOperators.GT, top));
        }
        before.sub(top).intoArray(shrink, row);
        Elementwise.exp(shrink, row, WIDTH, 1);
        for (int j = 0; j < keys; j++) {
            int at = sAt + j * rows;
            FloatVector.fromArray(FLOATS, s, at).sub(top).intoArray(s, at);
        }
        Elementwise.exp(s, sAt, rows, keys);
        FloatVector total = FloatVector.fromArray(FLOATS, sum, row).mul(FloatVector.fromArray(FLOATS, shrink, row));
        for (int j = 0; j < keys; j++) {
            total = total.add(FloatVector.fromArray(FLOATS, s, sAt + j * rows));
        }
        top.intoArray(max, row);
        total.intoArray(sum, row);
    }

    /**
     * Adds weighted values: four components for two vectors of rows.
     *
     * @param p weights [key, R], from the first of the rows on
     * @param v values [key, valueStride], from the first of the four components on
     * @param o output so far [component, R], from the first component and row on
     */
    static void values2(
            float[] p,
            int pAt,
            int rows,
            int keys,
            float[] v,
            int vAt,
            int valueStride,
            float[] shrink,
            int row,
            float[] o,
            int oAt) {
        FloatVector shrinkA = FloatVector.fromArray(FLOATS, shrink, row);
        FloatVector shrinkB = FloatVector.fromArray(FLOATS, shrink, row + WIDTH);
        FloatVector a0 = FloatVector.fromArray(FLOATS, o, oAt).mul(shrinkA);
        FloatVector b0 = FloatVector.fromArray(FLOATS, o, oAt + WIDTH).mul(shrinkB);
        FloatVector a1 = FloatVector.fromArray(FLOATS, o, oAt + rows).mul(shrinkA);
        FloatVector b1 = FloatVector.fromArray(FLOATS, o, oAt + rows + WIDTH).mul(shrinkB);
        FloatVector a2 = FloatVector.fromArray(FLOATS, o, oAt + 2 * rows).mul(shrinkA);
        FloatVector b2 =
                FloatVector.fromArray(FLOATS, o, oAt + 2 * rows + WIDTH).mul(shrinkB);
        FloatVector a3 = FloatVector.fromArray(FLOATS, o, oAt + 3 * rows).mul(shrinkA);
        FloatVector b3 =
                FloatVector.fromArray(FLOATS, o, oAt + 3 * rows + WIDTH).mul(shrinkB);
        for (int j = 0; j < keys; j++) {
            FloatVector a = FloatVector.fromArray(FLOATS, p, pAt + j * rows);
            FloatVector b = FloatVector.fromArray(FLOATS, p, pAt + j * rows + WIDTH);
            int at = vAt + j * valueStride;
            FloatVector c = FloatVector.broadcast(FLOATS, v[at]);
            a0 = c.fma(a, a0);
            b0 = c.fma(b, b0);
            c = FloatVector.broadcast(FLOATS, v[at + 1]);
            a1 = c.fma(a, a1);
            b1 = c.fma(b, b1);
            c = FloatVector.broadcast(FLOATS, v[at + 2]);
            a2 = c.fma(a, a2);
            b2 = c.fma(b, b2);
            c = FloatVector.broadcast(FLOATS, v[at + 3]);
            a3 = c.fma(a, a3);
            b3 = c.fma(b, b3);
        }
        a0.intoArray(o, oAt);
        b0.intoArray(o, oAt + WIDTH);
        a1.intoArray(o, oAt + rows);
        b1.intoArray(o, oAt + rows + WIDTH);
        a2.intoArray(o, oAt + 2 * rows);
        b2.intoArray(o, oAt + 2 * rows + WIDTH);
        a3.intoArray(o, oAt + 3 * rows);
        b3.intoArray(o, oAt + 3 * rows + WIDTH);
    }

    /** The same for one vector of rows. */
    static void values1(
            float[] p,
            int pAt,
            int rows,
            int keys,
            float[] v,
            int vAt,
            int valueStride,
            float[] shrink,
            int row,
            float[] o,
            int oAt) {
        FloatVector factor = FloatVector.fromArray(FLOATS, shrink, row);
        FloatVector a0 = FloatVector.fromArray(FLOATS, o, oAt).mul(factor);
        FloatVector a1 = FloatVector.fromArray(FLOATS, o, oAt + rows).mul(factor);
        FloatVector a2 = FloatVector.fromArray(FLOATS, o, oAt + 2 * rows).mul(factor);
        FloatVector a3 = FloatVector.fromArray(FLOATS, o, oAt + 3 * rows).mul(factor);
        for (int j = 0; j < keys; j++) {
            FloatVector a = FloatVector.fromArray(FLOATS, p, pAt + j * rows);
            int at = vAt + j * valueStride;
            a0 = FloatVector.broadcast(FLOATS, v[at]).fma(a, a0);
            a1 = FloatVector.broadcast(FLOATS, v[at + 1]).fma(a, a1);
            a2 = FloatVector.broadcast(FLOATS, v[at + 2]).fma(a, a2);
            a3 = FloatVector.broadcast(FLOATS, v[at + 3]).fma(a, a3);
        }
        a0.intoArray(o, oAt);
        a1.intoArray(o, oAt + rows);
        a2.intoArray(o, oAt + 2 * rows);
        a3.intoArray(o, oAt + 3 * rows);
    }
}
