package dev.ossicle.cpu;

import static dev.ossicle.cpu.Lanes.FLOATS;
import static dev.ossicle.cpu.Lanes.WIDTH;
import static dev.ossicle.cpu.RowMultiplier.BLOCK;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** What the forward pass does to each value, and to each row, of its activations. */
final class Elementwise {
    private static final float LOG2_E = 1.442695f;
    /** ln 2 in two parts; the first has so few bits that its products with small whole numbers are exact. */
    private static final float LN2_HIGH = 0x1.63p-1f;

    private static final float LN2_LOW = -2.1219444e-4f;
    /** Adding 1.5 x 2^23 rounds to a whole number, which then stands in the low bits. */
    static final float ROUND = 12_582_912f;

    /** Below this the result would be subnormal; it is 0 then. */
    private static final float EXP_MIN = -87;

    private static final float EXP_MAX = 88;

    private static final float SWIGLU_ALPHA = 1.702f;

    private Elementwise() {}

    /**
     * e^x in place, to float rounding: x = n ln 2 + r, a polynomial in r, and n added to the exponent. 0 gives 1 exactly, what
     * is below -87 gives 0, what is above 88 gives e^88, NaN gives NaN.
     *
     * @param stride from one vector to the next
     * @param vectors how many
     */
    static void exp(float[] values, int at, int stride, int vectors) {
        for (int i = 0; i < vectors; i++) {
            FloatVector x = FloatVector.fromArray(FLOATS, values, at + i * stride);
            FloatVector bounded = x.blend(EXP_MAX, x.compare(VectorOperators.GT, EXP_MAX));
            FloatVector rounded =
                    bounded.fma(FloatVector.broadcast(FLOATS, LOG2_E), FloatVector.broadcast(FLOATS, ROUND));
            FloatVector n = rounded.sub(ROUND);
            FloatVector r = n.fma(FloatVector.broadcast(FLOATS, -LN2_HIGH), bounded);
            r = n.fma(FloatVector.broadcast(FLOATS, -LN2_LOW), r);

            FloatVector p = FloatVector.broadcast(FLOATS, 1 / 5040f);
            p = p.fma(r, FloatVector.broadcast(FLOATS, 1 / 720f));
            p = p.fma(r, FloatVector.broadcast(FLOATS, 1 / 120f));
            p = p.fma(r, FloatVector.broadcast(FLOATS, 1 / 24f));
            p = p.fma(r, FloatVector.broadcast(FLOATS, 1 / 6f));
            p = p.fma(r, FloatVector.broadcast(FLOATS, 0.5f));
            p = p.fma(r, FloatVector.broadcast(FLOATS, 1));
            p = p.fma(r, FloatVector.broadcast(FLOATS, 1));

            IntVector exponent = rounded.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
            p.reinterpretAsInts()
                    .add(exponent)
                    .reinterpretAsFloats()
                    .blend(0, x.compare(VectorOperators.LT, EXP_MIN))
                    .intoArray(values, at + i * stride);
        }
    }

    /**
     * Adds the biases of some blocks of rows.
     *
     * @param a products [blocks, vectors, BLOCK]
     * @param bias [blocks, BLOCK]
     */
    static void addBiases(float[] a, int blocks, int vectors, float[] bias) {
        for (int block = 0; block < blocks; block++) {
            for (int i = 0; i < BLOCK; i += WIDTH) {
                FloatVector some = FloatVector.fromArray(FLOATS, bias, block * BLOCK + i);
                for (int vector = 0; vector < vectors; vector++) {
                    int at = (block * vectors + vector) * BLOCK + i;
                    FloatVector.fromArray(FLOATS, a, at).add(some).intoArray(a, at);
                }
            }
        }
    }

    /**
     * The experts' activation: {@code g sigmoid(1.702 g) (u + 1)} with g clamped from above and u from both sides.
     *
     * @param count a multiple of W
     */
    static void swiglu(float[] gate, float[] up, int count, float limit, float[] out) {
        for (int i = 0; i < count; i += WIDTH) {
            FloatVector g = FloatVector.fromArray(FLOATS, gate, i);
            g.blend(limit, g.compare(VectorOperators.GT, limit))
                    .mul(-SWIGLU_ALPHA)
                    .intoArray(out, i);
        }
        exp(out, 0, WIDTH, count / WIDTH);
        for (int i = 0; i < count; i += WIDTH) {
            FloatVector g = FloatVector.fromArray(FLOATS, gate, i);
            FloatVector u = FloatVector.fromArray(FLOATS, up, i);
            g = g.blend(limit, g.compare(VectorOperators.GT, limit));
            u = u.blend(limit, u.compare(VectorOperators.GT, limit));
            u = u.blend(-limit, u.compare(VectorOperators.LT, -limit));
            FloatVector divisor = FloatVector.fromArray(FLOATS, out, i).add(1);
            g.div(divisor).mul(u.add(1)).intoArray(out, i);
        }
    }

    /**
     * Root mean square norm of one row.
     *
     * @return the sum of the squares: not finite if any value is not
     */
    static double rmsNorm(float[] x, int at, float[] gain, double epsilon, float[] out, int outAt) {
        int width = gain.length;
        double sum0 = 0;
        double sum1 = 0;
        double sum2 = 0;
        double sum3 = 0;
        for (int i = 0; i < width; i += 4) { // hidden sizes are multiples of 32
            double x0 = x[at + i];
            double x1 = x[at + i + 1];
            double x2 = x[at + i + 2];
            double x3 = x[at + i + 3];
            sum0 += x0 * x0;
            sum1 += x1 * x1;
            sum2 += x2 * x2;
            sum3 += x3 * x3;
        }
        double squares = (sum0 + sum1) + (sum2 + sum3);
        float scale = (float) (1 / Math.sqrt(squares / width + epsilon));
        for (int i = 0; i < width; i++) {
            out[outAt + i] = x[at + i] * scale * gain[i];
        }
        return squares;
    }

    /** Rotates component j of each head with component j + D/2. */
    static void rotate(float[] heads, int at, int width, int headDim, float[] cos, float[] sin, int angleAt) {
        int half = headDim / 2;
        for (int head = at; head < at + width; head += headDim) {
            int j = 0;
            for (; j + WIDTH <= half; j += WIDTH) { // C2 does not know that halves do not overlap
                FloatVector a = FloatVector.fromArray(FLOATS, heads, head + j);
                FloatVector b = FloatVector.fromArray(FLOATS, heads, head + half + j);
                FloatVector c = FloatVector.fromArray(FLOATS, cos, angleAt + j);
                FloatVector s = FloatVector.fromArray(FLOATS, sin, angleAt + j);
                a.mul(c).sub(b.mul(s)).intoArray(heads, head + j);
                b.mul(c).add(a.mul(s)).intoArray(heads, head + half + j);
            }
            for (; j < half; j++) {
                float a = heads[head + j];
                float b = heads[head + half + j];
                heads[head + j] = a * cos[angleAt + j] - b * sin[angleAt + j];
                heads[head + half + j] = b * cos[angleAt + j] + a * sin[angleAt + j];
            }
        }
    }

    static boolean isFinite(float[] values) {
        int largest = 0; // exponents of infinities and NaN have all bits set
        for (float value : values) {
            largest = Math.max(largest, Float.floatToRawIntBits(value) & 0x7FFF_FFFF);
        }
        return largest < 0x7F80_0000;
    }
}
