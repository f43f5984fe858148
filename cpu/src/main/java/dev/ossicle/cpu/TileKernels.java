package dev.ossicle.cpu;

import static dev.ossicle.cpu.Lanes.FLOATS;
import static dev.ossicle.cpu.Lanes.WIDTH;

import jdk.incubator.vector.FloatVector;

/**
 * Expanded rows of weights times several vectors of activations, the sums in registers. Each sum has the order that
 * {@link Lanes} describes.
 */
final class TileKernels {
    private TileKernels() {}

    /**
     * Four rows times three vectors: twelve sums.
     *
     * @param w expanded rows [4, stride]
     * @param columns a multiple of W
     * @param x activations; the vectors begin at x0, x1 and x2
     * @param lanes [3, 4, W] sums of the vectors and rows, lane by lane
     */
    static void dot4x3(float[] w, int stride, int columns, float[] x, int x0, int x1, int x2, float[] lanes) {
        FloatVector a0 = FloatVector.zero(FLOATS);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector b2 = a0;
        FloatVector b3 = a0;
        FloatVector c0 = a0;
        FloatVector c1 = a0;
        FloatVector c2 = a0;
        FloatVector c3 = a0;
        for (int i = 0; i < columns; i += WIDTH) {
            FloatVector a = FloatVector.fromArray(FLOATS, x, x0 + i);
            FloatVector b = FloatVector.fromArray(FLOATS, x, x1 + i);
            FloatVector c = FloatVector.fromArray(FLOATS, x, x2 + i);
            FloatVector v = FloatVector.fromArray(FLOATS, w, i);
            a0 = v.fma(a, a0);
            b0 = v.fma(b, b0);
            c0 = v.fma(c, c0);
            v = FloatVector.fromArray(FLOATS, w, i + stride);
            a1 = v.fma(a, a1);
            b1 = v.fma(b, b1);
            c1 = v.fma(c, c1);
            v = FloatVector.fromArray(FLOATS, w, i + 2 * stride);
            a2 = v.fma(a, a2);
            b2 = v.fma(b, b2);
            c2 = v.fma(c, c2);
            v = FloatVector.fromArray(FLOATS, w, i + 3 * stride);
            a3 = v.fma(a, a3);
            b3 = v.fma(b, b3);
            c3 = v.fma(c, c3);
        }
        a0.intoArray(lanes, 0);
        a1.intoArray(lanes, WIDTH);
        a2.intoArray(lanes, 2 * WIDTH);
        a3.intoArray(lanes, 3 * WIDTH);
        b0.intoArray(lanes, 4 * WIDTH);
        b1.intoArray(lanes, 5 * WIDTH);
        b2.intoArray(lanes, 6 * WIDTH);
        b3.intoArray(lanes, 7 * WIDTH);
        c0.intoArray(lanes, 8 * WIDTH);
        c1.intoArray(lanes, 9 * WIDTH);
        c2.intoArray(lanes, 10 * WIDTH);
        c3.intoArray(lanes, 11 * WIDTH);
    }

    /**
     * Eight rows times three vectors: for vectors that come with 32 registers.
     *
     * @param w expanded rows [8, stride]
     * @param lanes [3, 8, W]; otherwise as {@link #dot4x3}
     */
    static void dot8x3(float[] w, int stride, int columns, float[] x, int x0, int x1, int x2, float[] lanes) {
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
        FloatVector c0 = a0;
        FloatVector c1 = a0;
        FloatVector c2 = a0;
        FloatVector c3 = a0;
        FloatVector c4 = a0;
        FloatVector c5 = a0;
        FloatVector c6 = a0;
        FloatVector c7 = a0;
        for (int i = 0; i < columns; i += WIDTH) {
            FloatVector a = FloatVector.fromArray(FLOATS, x, x0 + i);
            FloatVector b = FloatVector.fromArray(FLOATS, x, x1 + i);
            FloatVector c = FloatVector.fromArray(FLOATS, x, x2 + i);
            FloatVector v = FloatVector.fromArray(FLOATS, w, i);
            a0 = v.fma(a, a0);
            b0 = v.fma(b, b0);
            c0 = v.fma(c, c0);
            v = FloatVector.fromArray(FLOATS, w, i + stride);
            a1 = v.fma(a, a1);
            b1 = v.fma(b, b1);
            c1 = v.fma(c, c1);
            v = FloatVector.fromArray(FLOATS, w, i + 2 * stride);
            a2 = v.fma(a, a2);
            b2 = v.fma(b, b2);
            c2 = v.fma(c, c2);
            v = FloatVector.fromArray(FLOATS, w, i + 3 * stride);
            a3 = v.fma(a, a3);
            b3 = v.fma(b, b3);
            c3 = v.fma(c, c3);
            v = FloatVector.fromArray(FLOATS, w, i + 4 * stride);
            a4 = v.fma(a, a4);
            b4 = v.fma(b, b4);
            c4 = v.fma(c, c4);
            v = FloatVector.fromArray(FLOATS, w, i + 5 * stride);
            a5 = v.fma(a, a5);
            b5 = v.fma(b, b5);
            c5 = v.fma(c, c5);
            v = FloatVector.fromArray(FLOATS, w, i + 6 * stride);
            a6 = v.fma(a, a6);
            b6 = v.fma(b, b6);
            c6 = v.fma(c, c6);
            v = FloatVector.fromArray(FLOATS, w, i + 7 * stride);
            a7 = v.fma(a, a7);
            b7 = v.fma(b, b7);
            c7 = v.fma(c, c7);
        }
        a0.intoArray(lanes, 0);
        a1.intoArray(lanes, WIDTH);
        a2.intoArray(lanes, 2 * WIDTH);
        a3.intoArray(lanes, 3 * WIDTH);
        a4.intoArray(lanes, 4 * WIDTH);
        a5.intoArray(lanes, 5 * WIDTH);
        a6.intoArray(lanes, 6 * WIDTH);
        a7.intoArray(lanes, 7 * WIDTH);
        b0.intoArray(lanes, 8 * WIDTH);
        b1.intoArray(lanes, 9 * WIDTH);
        b2.intoArray(lanes, 10 * WIDTH);
        b3.intoArray(lanes, 11 * WIDTH);
        b4.intoArray(lanes, 12 * WIDTH);
        b5.intoArray(lanes, 13 * WIDTH);
        b6.intoArray(lanes, 14 * WIDTH);
        b7.intoArray(lanes, 15 * WIDTH);
        c0.intoArray(lanes, 16 * WIDTH);
        c1.intoArray(lanes, 17 * WIDTH);
        c2.intoArray(lanes, 18 * WIDTH);
        c3.intoArray(lanes, 19 * WIDTH);
        c4.intoArray(lanes, 20 * WIDTH);
        c5.intoArray(lanes, 21 * WIDTH);
        c6.intoArray(lanes, 22 * WIDTH);
        c7.intoArray(lanes, 23 * WIDTH);
    }

    /** Four rows times one vector. */
    static void dot4(float[] w, int wAt, int stride, int columns, float[] x, int x0, float[] lanes) {
        FloatVector a0 = FloatVector.zero(FLOATS);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        for (int i = 0; i < columns; i += WIDTH) {
            FloatVector a = FloatVector.fromArray(FLOATS, x, x0 + i);
            a0 = FloatVector.fromArray(FLOATS, w, wAt + i).fma(a, a0);
            a1 = FloatVector.fromArray(FLOATS, w, wAt + i + stride).fma(a, a1);
            a2 = FloatVector.fromArray(FLOATS, w, wAt + i + 2 * stride).fma(a, a2);
            a3 = FloatVector.fromArray(FLOATS, w, wAt + i + 3 * stride).fma(a, a3);
        }
        a0.intoArray(lanes, 0);
        a1.intoArray(lanes, WIDTH);
        a2.intoArray(lanes, 2 * WIDTH);
        a3.intoArray(lanes, 3 * WIDTH);
    }

    /** One row times one vector. */
    static void dot(float[] w, int columns, float[] x, int x0, float[] lanes) {
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int i = 0; i < columns; i += WIDTH) {
            sum = FloatVector.fromArray(FLOATS, w, i).fma(FloatVector.fromArray(FLOATS, x, x0 + i), sum);
        }
        sum.intoArray(lanes, 0);
    }
}
