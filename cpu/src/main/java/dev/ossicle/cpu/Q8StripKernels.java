package dev.ossicle.cpu;

import static dev.ossicle.cpu.Lanes.BYTES;
import static dev.ossicle.cpu.Lanes.FLOATS;
import static dev.ossicle.cpu.Lanes.INTS;
import static dev.ossicle.cpu.Lanes.WIDTH;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Strips} of Q8_0 times float32 activations. Each lane is a row. A row's result has one order in all kernels: in each
 * block of 32 columns the even ones and the odd ones are summed by fused multiply-add, unscaled, from the left; the two
 * sums are added; the blocks are summed, scaled, by fused multiply-add from the left.
 */
final class Q8StripKernels {
    /** Vectors of activations that are multiplied together. */
    static final int GROUP = 6;

    private static final int BLOCK_BYTES = Strips.Format.Q8_0.blockBytes;
    private static final int ROWS = Strips.ROWS;
    /** Bytes of the scales of a block. */
    private static final int SCALES = 2 * ROWS;

    /** W binary16 numbers. */
    private static final VectorSpecies<Byte> SCALE_BYTES =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));

    private Q8StripKernels() {}

    /**
     * Some blocks of a strip times one vector of activations, added to what is there.
     *
     * @param w blocks as {@link Strips} has them, from the first on
     * @param scales of these blocks [blocks, ROWS]
     * @param out 32 results
     */
    static void dot(byte[] w, float[] scales, int blocks, float[] x, int xAt, float[] out, int outAt) {
        if (WIDTH == 16) {
            dot32(w, scales, blocks, x, xAt, out, outAt);
            return;
        }
        dot16(w, scales, blocks, x, xAt, out, outAt, 0);
        dot16(w, scales, blocks, x, xAt, out, outAt, 16);
    }

    private static void dot32(byte[] w, float[] scales, int blocks, float[] x, int xAt, float[] out, int outAt) {
        FloatVector f0 = FloatVector.fromArray(FLOATS, out, outAt);
        FloatVector f1 = FloatVector.fromArray(FLOATS, out, outAt + 16);
        for (int b = 0; b < blocks; b++) {
            int line = b * BLOCK_BYTES + SCALES;
            int k = xAt + 32 * b;
            FloatVector even0 = FloatVector.zero(FLOATS);
            FloatVector even1 = even0;
            FloatVector odd0 = even0;
            FloatVector odd1 = even0;
            for (int j = 0; j < 32; j += 4) {
                int at = line + j * ROWS;
                FloatVector v = FloatVector.broadcast(FLOATS, x[k + j]);
                even0 = ((FloatVector) ByteVector.fromArray(BYTES, w, at).convertShape(VectorOperators.B2F, FLOATS, 0))
                        .fma(v, even0);
                even1 = ((FloatVector)
                                ByteVector.fromArray(BYTES, w, at + 16).convertShape(VectorOperators.B2F, FLOATS, 0))
                        .fma(v, even1);
                v = FloatVector.broadcast(FLOATS, x[k + j + 1]);
                odd0 = ((FloatVector)
                                ByteVector.fromArray(BYTES, w, at + 32).convertShape(VectorOperators.B2F, FLOATS, 0))
                        .fma(v, odd0);
                odd1 = ((FloatVector)
                                ByteVector.fromArray(BYTES, w, at + 48).convertShape(VectorOperators.B2F, FLOATS, 0))
                        .fma(v, odd1);
                v = FloatVector.broadcast(FLOATS, x[k + j + 2]);
                even0 = ((FloatVector)
                                ByteVector.fromArray(BYTES, w, at + 64).convertShape(VectorOperators.B2F, FLOATS, 0))
                        .fma(v, even0);
                even1 = ((FloatVector)
                                ByteVector.fromArray(BYTES, w, at + 80).convertShape(VectorOperators.B2F, FLOATS, 0))
                        .fma(v, even1);
                v = FloatVector.broadcast(FLOATS, x[k + j + 3]);
                odd0 = ((FloatVector)
                                ByteVector.fromArray(BYTES, w, at + 96).convertShape(VectorOperators.B2F, FLOATS, 0))
                        .fma(v, odd0);
                odd1 = ((FloatVector)
                                ByteVector.fromArray(BYTES, w, at + 112).convertShape(VectorOperators.B2F, FLOATS, 0))
                        .fma(v, odd1);
            }
            f0 = even0.add(odd0).fma(FloatVector.fromArray(FLOATS, scales, b * ROWS), f0);
            f1 = even1.add(odd1).fma(FloatVector.fromArray(FLOATS, scales, b * ROWS + 16), f1);
        }
        f0.intoArray(out, outAt);
        f1.intoArray(out, outAt + 16);
    }

    /** Sixteen rows, for vectors of 8 or 4 floats. */
    private static void dot16(
            byte[] w, float[] scales, int blocks, float[] x, int xAt, float[] out, int outAt, int row) {
        for (int b = 0; b < blocks; b++) {
            int line = b * BLOCK_BYTES + SCALES + row;
            int k = xAt + 32 * b;
            FloatVector even0 = FloatVector.zero(FLOATS);
            FloatVector even1 = even0;
            FloatVector even2 = even0;
            FloatVector even3 = even0;
            FloatVector odd0 = even0;
            FloatVector odd1 = even0;
            FloatVector odd2 = even0;
            FloatVector odd3 = even0;
            for (int j = 0; j < 32; j += 2) {
                ByteVector bytes = ByteVector.fromArray(BYTES, w, line + j * ROWS);
                FloatVector v = FloatVector.broadcast(FLOATS, x[k + j]);
                even0 = ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 0)).fma(v, even0);
                even1 = ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 1)).fma(v, even1);
                if (WIDTH == 4) {
                    even2 = ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 2)).fma(v, even2);
                    even3 = ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 3)).fma(v, even3);
                }
                bytes = ByteVector.fromArray(BYTES, w, line + j * ROWS + ROWS);
                v = FloatVector.broadcast(FLOATS, x[k + j + 1]);
                odd0 = ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 0)).fma(v, odd0);
                odd1 = ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 1)).fma(v, odd1);
                if (WIDTH == 4) {
                    odd2 = ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 2)).fma(v, odd2);
                    odd3 = ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 3)).fma(v, odd3);
                }
            }
            int scale = b * ROWS + row;
            int to = outAt + row;
            even0.add(odd0)
                    .fma(FloatVector.fromArray(FLOATS, scales, scale), FloatVector.fromArray(FLOATS, out, to))
                    .intoArray(out, to);
            even1.add(odd1)
                    .fma(
                            FloatVector.fromArray(FLOATS, scales, scale + WIDTH),
                            FloatVector.fromArray(FLOATS, out, to + WIDTH))
                    .intoArray(out, to + WIDTH);
            if (WIDTH == 4) {
                even2.add(odd2)
                        .fma(
                                FloatVector.fromArray(FLOATS, scales, scale + 8),
                                FloatVector.fromArray(FLOATS, out, to + 8))
                        .intoArray(out, to + 8);
                even3.add(odd3)
                        .fma(
                                FloatVector.fromArray(FLOATS, scales, scale + 12),
                                FloatVector.fromArray(FLOATS, out, to + 12))
                        .intoArray(out, to + 12);
            }
        }
    }

    /**
     * The scales of some blocks as floats: a binary16 number is moved to the bits of a float, which is too small by 2^112 then,
     * subnormal ones included.
     *
     * @param into [blocks, ROWS]
     */
    static void scales(byte[] w, int blocks, float[] into) {
        for (int b = 0; b < blocks; b++) {
            for (int row = 0; row < ROWS; row += WIDTH) {
                ShortVector halves = ByteVector.fromArray(SCALE_BYTES, w, b * BLOCK_BYTES + 2 * row)
                        .reinterpretAsShorts();
                IntVector bits = (IntVector) halves.convertShape(VectorOperators.S2I, INTS, 0);
                bits.and(0x7fff)
                        .lanewise(VectorOperators.LSHL, 13)
                        .or(bits.and(0x8000_0000))
                        .reinterpretAsFloats()
                        .mul(0x1p112f)
                        .intoArray(into, b * ROWS + row);
            }
        }
    }

    /**
     * The codes of one block as floats, for many vectors of activations.
     *
     * @param values unscaled [32 columns, ROWS]
     */
    static void expand(byte[] w, int block, float[] values) {
        int line = block * BLOCK_BYTES + SCALES;
        for (int i = 0; i < 32 * ROWS; i += 16) {
            ByteVector bytes = ByteVector.fromArray(BYTES, w, line + i);
            ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 0)).intoArray(values, i);
            if (WIDTH <= 8) {
                ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 1)).intoArray(values, i + WIDTH);
            }
            if (WIDTH <= 4) {
                ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 2)).intoArray(values, i + 8);
                ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 3)).intoArray(values, i + 12);
            }
        }
    }

    /** One expanded block times one vector. */
    static void one(float[] values, float[] scales, int scalesAt, float[] x, int xAt, float[] out, int outAt) {
        for (int row = 0; row < ROWS; row += WIDTH) {
            FloatVector even = FloatVector.zero(FLOATS);
            FloatVector odd = even;
            for (int j = 0; j < 32; j += 2) {
                even = FloatVector.fromArray(FLOATS, values, j * ROWS + row).fma(FloatVector.broadcast(FLOATS, x[xAt + j]), even);
                odd = FloatVector.fromArray(FLOATS, values, j * ROWS + ROWS + row)
                        .fma(FloatVector.broadcast(FLOATS, x[xAt + j + 1]), odd);
            }
            even.add(odd)
                    .fma(
                            FloatVector.fromArray(FLOATS, scales, scalesAt + row),
                            FloatVector.fromArray(FLOATS, out, outAt + row))
                    .intoArray(out, outAt + row);
        }
    }

    /**
     * One expanded block times {@link #GROUP} vectors: two vectors of rows at a time where there are 32 registers.
     *
     * @param x the vectors begin at x0 .. x5
     * @param out [GROUP, ROWS]
     */
    static void group(
            float[] values,
            float[] scales,
            int scalesAt,
            float[] x,
            int x0,
            int x1,
            int x2,
            int x3,
            int x4,
            int x5,
            float[] out,
            int outAt) {
        for (int row = 0; row < ROWS; row += WIDTH) {
            FloatVector even0 = FloatVector.zero(FLOATS);
            FloatVector even1 = even0;
            FloatVector even2 = even0;
            FloatVector even3 = even0;
            FloatVector even4 = even0;
            FloatVector even5 = even0;
            FloatVector odd0 = even0;
            FloatVector odd1 = even0;
            FloatVector odd2 = even0;
            FloatVector odd3 = even0;
            FloatVector odd4 = even0;
            FloatVector odd5 = even0;
            for (int j = 0; j < 32; j += 2) {
                FloatVector v = FloatVector.fromArray(FLOATS, values, j * ROWS + row);
                even0 = v.fma(FloatVector.broadcast(FLOATS, x[x0 + j]), even0);
                even1 = v.fma(FloatVector.broadcast(FLOATS, x[x1 + j]), even1);
                even2 = v.fma(FloatVector.broadcast(FLOATS, x[x2 + j]), even2);
                even3 = v.fma(FloatVector.broadcast(FLOATS, x[x3 + j]), even3);
                even4 = v.fma(FloatVector.broadcast(FLOATS, x[x4 + j]), even4);
                even5 = v.fma(FloatVector.broadcast(FLOATS, x[x5 + j]), even5);
                v = FloatVector.fromArray(FLOATS, values, j * ROWS + ROWS + row);
                odd0 = v.fma(FloatVector.broadcast(FLOATS, x[x0 + j + 1]), odd0);
                odd1 = v.fma(FloatVector.broadcast(FLOATS, x[x1 + j + 1]), odd1);
                odd2 = v.fma(FloatVector.broadcast(FLOATS, x[x2 + j + 1]), odd2);
                odd3 = v.fma(FloatVector.broadcast(FLOATS, x[x3 + j + 1]), odd3);
                odd4 = v.fma(FloatVector.broadcast(FLOATS, x[x4 + j + 1]), odd4);
                odd5 = v.fma(FloatVector.broadcast(FLOATS, x[x5 + j + 1]), odd5);
            }
            FloatVector scale = FloatVector.fromArray(FLOATS, scales, scalesAt + row);
            int to = outAt + row;
            even0.add(odd0).fma(scale, FloatVector.fromArray(FLOATS, out, to)).intoArray(out, to);
            to += ROWS;
            even1.add(odd1).fma(scale, FloatVector.fromArray(FLOATS, out, to)).intoArray(out, to);
            to += ROWS;
            even2.add(odd2).fma(scale, FloatVector.fromArray(FLOATS, out, to)).intoArray(out, to);
            to += ROWS;
            even3.add(odd3).fma(scale, FloatVector.fromArray(FLOATS, out, to)).intoArray(out, to);
            to += ROWS;
            even4.add(odd4).fma(scale, FloatVector.fromArray(FLOATS, out, to)).intoArray(out, to);
            to += ROWS;
            even5.add(odd5).fma(scale, FloatVector.fromArray(FLOATS, out, to)).intoArray(out, to);
        }
    }
}
