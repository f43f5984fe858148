package dev.ossicle.cpu;

import static dev.ossicle.cpu.Lanes.BYTES;
import static dev.ossicle.cpu.Lanes.FLOATS;
import static dev.ossicle.cpu.Lanes.LITTLE_ENDIAN;
import static dev.ossicle.cpu.Lanes.WIDTH;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Strips} of Q8_0 times float32 activations. Each lane is a row. A row's result has one order in all kernels of a width: with
 * 512 bits, in each block of 32 columns the even ones and the odd ones are summed by fused multiply-add, unscaled, from the
 * left, and the two sums are added; with less, where more vectors make a strip and keep the multipliers busy, all
 * columns make one sum. The blocks are summed, scaled, by fused multiply-add from the left.
 *
 * <p>Narrow vectors come with 16 registers, and C2 moves all loads of a loop to its front: what is loaded and what is summed
 * must fit together, or a sum is spilled and each round waits for it (45 -> 15 GMAC/s).
 */
final class Q8StripKernels {
    /** Vectors of activations that {@link #tile} multiplies together: with two of rows, eight sums, or sixteen. */
    static final int TILE = 4;

    /** Whether the even columns of a block make a sum of their own. */
    private static final boolean TWO_SUMS = Lanes.MANY_REGISTERS;

    private static final int BLOCK_BYTES = Strips.Format.Q8_0.blockBytes;
    private static final int ROWS = Strips.ROWS;
    /** Bytes of the scales of a block. */
    private static final int SCALES = 4 * ROWS;

    /** As many bytes as W floats have. */
    private static final VectorSpecies<Byte> VECTOR = VectorSpecies.of(byte.class, FLOATS.vectorShape());

    /** Codes of a vector of 8 rows; for one of 4, there are none so few, so twice as many are loaded. */
    private static final VectorSpecies<Byte> EIGHT = ByteVector.SPECIES_64;

    private Q8StripKernels() {}

    /**
     * Two strips times one vector of activations, straight from memory, where there are registers for both: each is a
     * stream of its own, so twice as much is fetched ahead, and they share what is loaded of the activations. 46 -> 58 GB/s over
     * {@link #dot}; one strip alone 54, two columns more in the loop 51 (bench/LOG.md, entry 32).
     *
     * @param at address of the first strip's blocks; {@code otherAt} of the second's
     * @param outAt where the 32 results of the first strip go, added to what is there; {@code otherOutAt} those of the second
     */
    static void dotPair(long at, long otherAt, int blocks, float[] x, int xAt, float[] out, int outAt, int otherOutAt) {
        FloatVector outP0 = FloatVector.fromArray(FLOATS, out, outAt);
        FloatVector outP1 = FloatVector.fromArray(FLOATS, out, outAt + 16);
        FloatVector outQ0 = FloatVector.fromArray(FLOATS, out, otherOutAt);
        FloatVector outQ1 = FloatVector.fromArray(FLOATS, out, otherOutAt + 16);
        for (int b = 0; b < blocks; b++) {
            long p = at + (long) b * BLOCK_BYTES;
            long q = otherAt + (long) b * BLOCK_BYTES;
            int k = xAt + 32 * b;
            FloatVector evenP0 = FloatVector.zero(FLOATS);
            FloatVector evenP1 = evenP0;
            FloatVector oddP0 = evenP0;
            FloatVector oddP1 = evenP0;
            FloatVector evenQ0 = evenP0;
            FloatVector evenQ1 = evenP0;
            FloatVector oddQ0 = evenP0;
            FloatVector oddQ1 = evenP0;
            for (int j = 0; j < 32; j += 2) {
                int line = SCALES + j * ROWS;
                FloatVector v = FloatVector.broadcast(FLOATS, x[k + j]);
                evenP0 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, Lanes.MEMORY, p + line, LITTLE_ENDIAN)
                                .convertShape(VectorOperators.B2F, FLOATS, 0))
                        .fma(v, evenP0);
                evenP1 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, Lanes.MEMORY, p + line + 16, LITTLE_ENDIAN)
                                .convertShape(VectorOperators.B2F, FLOATS, 0))
                        .fma(v, evenP1);
                evenQ0 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, Lanes.MEMORY, q + line, LITTLE_ENDIAN)
                                .convertShape(VectorOperators.B2F, FLOATS, 0))
                        .fma(v, evenQ0);
                evenQ1 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, Lanes.MEMORY, q + line + 16, LITTLE_ENDIAN)
                                .convertShape(VectorOperators.B2F, FLOATS, 0))
                        .fma(v, evenQ1);
                v = FloatVector.broadcast(FLOATS, x[k + j + 1]);
                oddP0 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, Lanes.MEMORY, p + line + 32, LITTLE_ENDIAN)
                                .convertShape(VectorOperators.B2F, FLOATS, 0))
                        .fma(v, oddP0);
                oddP1 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, Lanes.MEMORY, p + line + 48, LITTLE_ENDIAN)
                                .convertShape(VectorOperators.B2F, FLOATS, 0))
                        .fma(v, oddP1);
                oddQ0 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, Lanes.MEMORY, q + line + 32, LITTLE_ENDIAN)
                                .convertShape(VectorOperators.B2F, FLOATS, 0))
                        .fma(v, oddQ0);
                oddQ1 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, Lanes.MEMORY, q + line + 48, LITTLE_ENDIAN)
                                .convertShape(VectorOperators.B2F, FLOATS, 0))
                        .fma(v, oddQ1);
            }
            outP0 = evenP0.add(oddP0)
                    .fma(
                            ByteVector.fromMemorySegment(VECTOR, Lanes.MEMORY, p, LITTLE_ENDIAN)
                                    .reinterpretAsFloats(),
                            outP0);
            outP1 = evenP1.add(oddP1)
                    .fma(
                            ByteVector.fromMemorySegment(VECTOR, Lanes.MEMORY, p + 64, LITTLE_ENDIAN)
                                    .reinterpretAsFloats(),
                            outP1);
            outQ0 = evenQ0.add(oddQ0)
                    .fma(
                            ByteVector.fromMemorySegment(VECTOR, Lanes.MEMORY, q, LITTLE_ENDIAN)
                                    .reinterpretAsFloats(),
                            outQ0);
            outQ1 = evenQ1.add(oddQ1)
                    .fma(
                            ByteVector.fromMemorySegment(VECTOR, Lanes.MEMORY, q + 64, LITTLE_ENDIAN)
                                    .reinterpretAsFloats(),
                            outQ1);
        }
        outP0.intoArray(out, outAt);
        outP1.intoArray(out, outAt + 16);
        outQ0.intoArray(out, otherOutAt);
        outQ1.intoArray(out, otherOutAt + 16);
    }

    /**
     * A strip times one vector of activations, four vectors of rows at a time. Each block is copied while the one before is
     * multiplied: so the loads that wait for memory stand beside products that wait for nothing, and loads from an array take half the
     * instructions of loads from a segment.
     *
     * <p>One method with all its loops: a block in a method of its own ran at half the speed, or not, as C2 would have it.
     *
     * @param first address of the strip's blocks
     * @param out 32 results, added to what is there
     * @param w two blocks: the first one of the strip is there, in the half that {@code half} says
     * @param after address of what is copied while the last block is multiplied: the first block of another strip
     * @return the half where that is
     */
    static int dot(long first, int blocks, float[] x, int xAt, float[] out, int outAt, byte[] w, int half, long after) {
        for (int b = 0; b < blocks; b++) {
            int from = (half + b & 1) * BLOCK_BYTES;
            int to = BLOCK_BYTES - from;
            long next = b + 1 < blocks ? first + (b + 1L) * BLOCK_BYTES : after;
            for (int row = 0; row < ROWS; row += 4 * WIDTH) {
                FloatVector a0 = FloatVector.zero(FLOATS);
                FloatVector a1 = a0;
                FloatVector a2 = a0;
                FloatVector a3 = a0;
                for (int i = 4 * row; i < 4 * (row + 4 * WIDTH); i += 4 * WIDTH) {
                    ByteVector.fromMemorySegment(VECTOR, Lanes.MEMORY, next + i, LITTLE_ENDIAN)
                            .intoArray(w, to + i);
                }
                for (int j = 0; j < 32; j++) {
                    int line = SCALES + j * ROWS + row;
                    ByteVector.fromMemorySegment(VECTOR, Lanes.MEMORY, next + line, LITTLE_ENDIAN)
                            .intoArray(w, to + line);
                    int at = from + line;
                    FloatVector v = FloatVector.broadcast(FLOATS, x[xAt + 32 * b + j]);
                    a0 = ((FloatVector) ByteVector.fromArray(EIGHT, w, at).convertShape(VectorOperators.B2F, FLOATS, 0))
                            .fma(v, a0);
                    a1 = ((FloatVector) ByteVector.fromArray(EIGHT, w, at + WIDTH)
                                    .convertShape(VectorOperators.B2F, FLOATS, 0))
                            .fma(v, a1);
                    a2 = ((FloatVector) ByteVector.fromArray(EIGHT, w, at + 2 * WIDTH)
                                    .convertShape(VectorOperators.B2F, FLOATS, 0))
                            .fma(v, a2);
                    a3 = ((FloatVector)
                                    (WIDTH == 8
                                            ? ByteVector.fromArray(EIGHT, w, at + 24)
                                                    .convertShape(VectorOperators.B2F, FLOATS, 0)
                                            : ByteVector.fromArray(BYTES, w, at)
                                                    .convertShape(VectorOperators.B2F, FLOATS, 3)))
                            .fma(v, a3);
                }
                int to0 = outAt + row;
                int scales = from + 4 * row;
                a0.fma(
                                ByteVector.fromArray(VECTOR, w, scales).reinterpretAsFloats(),
                                FloatVector.fromArray(FLOATS, out, to0))
                        .intoArray(out, to0);
                a1.fma(
                                ByteVector.fromArray(VECTOR, w, scales + 4 * WIDTH)
                                        .reinterpretAsFloats(),
                                FloatVector.fromArray(FLOATS, out, to0 + WIDTH))
                        .intoArray(out, to0 + WIDTH);
                a2.fma(
                                ByteVector.fromArray(VECTOR, w, scales + 8 * WIDTH)
                                        .reinterpretAsFloats(),
                                FloatVector.fromArray(FLOATS, out, to0 + 2 * WIDTH))
                        .intoArray(out, to0 + 2 * WIDTH);
                a3.fma(
                                ByteVector.fromArray(VECTOR, w, scales + 12 * WIDTH)
                                        .reinterpretAsFloats(),
                                FloatVector.fromArray(FLOATS, out, to0 + 3 * WIDTH))
                        .intoArray(out, to0 + 3 * WIDTH);
            }
        }
        return half + blocks & 1;
    }

    /**
     * The codes of one block as floats, for many vectors of activations.
     *
     * @param values unscaled [32 columns, ROWS]
     */
    static void expand(byte[] w, int wAt, float[] values, int to) {
        int line = wAt + SCALES;
        for (int i = 0; i < 32 * ROWS; i += 16) {
            ByteVector bytes = ByteVector.fromArray(BYTES, w, line + i);
            ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 0)).intoArray(values, to + i);
            if (WIDTH <= 8) {
                ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 1)).intoArray(values, to + i + WIDTH);
            }
            if (WIDTH <= 4) {
                ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 2)).intoArray(values, to + i + 8);
                ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 3)).intoArray(values, to + i + 12);
            }
        }
    }

    /**
     * One expanded block times one vector.
     *
     * @param w the scales of its rows, from byte {@code wAt} on
     */
    static void one(float[] values, int valuesAt, byte[] w, int wAt, float[] x, int xAt, float[] out, int outAt) {
        for (int row = 0; row < ROWS; row += WIDTH) {
            FloatVector even = FloatVector.zero(FLOATS);
            FloatVector odd = even;
            for (int j = 0; j < 32; j += 2) {
                int at = valuesAt + j * ROWS + row;
                even = FloatVector.fromArray(FLOATS, values, at).fma(FloatVector.broadcast(FLOATS, x[xAt + j]), even);
                FloatVector v = FloatVector.fromArray(FLOATS, values, at + ROWS);
                FloatVector y = FloatVector.broadcast(FLOATS, x[xAt + j + 1]);
                if (TWO_SUMS) {
                    odd = v.fma(y, odd);
                } else {
                    even = v.fma(y, even);
                }
            }
            (TWO_SUMS ? even.add(odd) : even)
                    .fma(
                            ByteVector.fromArray(VECTOR, w, wAt + 4 * row).reinterpretAsFloats(),
                            FloatVector.fromArray(FLOATS, out, outAt + row))
                    .intoArray(out, outAt + row);
        }
    }

    /**
     * One expanded block times {@link #TILE} vectors, two vectors of rows at a time.
     *
     * @param w the scales of its rows, from byte {@code wAt} on
     * @param x [columns, TILE], as {@link PackedRows} has them, from the first column of the block on
     * @param out [TILE, ROWS]
     */
    static void tile(float[] values, int valuesAt, byte[] w, int wAt, float[] x, int xAt, float[] out, int outAt) {
        if (TWO_SUMS) {
            tile32(values, valuesAt, w, wAt, x, xAt, out, outAt);
        } else {
            tileNarrow(values, valuesAt, w, wAt, x, xAt, out, outAt);
        }
    }

    /** All rows at once: with sixteen sums and twelve loads, 28 of 32 registers. */
    private static void tile32(
            float[] values, int valuesAt, byte[] w, int wAt, float[] x, int xAt, float[] out, int outAt) {
        FloatVector even0 = FloatVector.zero(FLOATS);
        FloatVector even1 = even0;
        FloatVector even2 = even0;
        FloatVector even3 = even0;
        FloatVector odd0 = even0;
        FloatVector odd1 = even0;
        FloatVector odd2 = even0;
        FloatVector odd3 = even0;
        FloatVector lowerEven0 = even0;
        FloatVector lowerEven1 = even0;
        FloatVector lowerEven2 = even0;
        FloatVector lowerEven3 = even0;
        FloatVector lowerOdd0 = even0;
        FloatVector lowerOdd1 = even0;
        FloatVector lowerOdd2 = even0;
        FloatVector lowerOdd3 = even0;
        for (int j = 0; j < 32; j += 2) {
            int at = valuesAt + j * ROWS;
            int y = xAt + j * TILE;
            FloatVector v = FloatVector.fromArray(FLOATS, values, at);
            FloatVector u = FloatVector.fromArray(FLOATS, values, at + WIDTH);
            FloatVector z = FloatVector.broadcast(FLOATS, x[y]);
            even0 = v.fma(z, even0);
            lowerEven0 = u.fma(z, lowerEven0);
            z = FloatVector.broadcast(FLOATS, x[y + 1]);
            even1 = v.fma(z, even1);
            lowerEven1 = u.fma(z, lowerEven1);
            z = FloatVector.broadcast(FLOATS, x[y + 2]);
            even2 = v.fma(z, even2);
            lowerEven2 = u.fma(z, lowerEven2);
            z = FloatVector.broadcast(FLOATS, x[y + 3]);
            even3 = v.fma(z, even3);
            lowerEven3 = u.fma(z, lowerEven3);
            v = FloatVector.fromArray(FLOATS, values, at + ROWS);
            u = FloatVector.fromArray(FLOATS, values, at + ROWS + WIDTH);
            z = FloatVector.broadcast(FLOATS, x[y + 4]);
            odd0 = v.fma(z, odd0);
            lowerOdd0 = u.fma(z, lowerOdd0);
            z = FloatVector.broadcast(FLOATS, x[y + 5]);
            odd1 = v.fma(z, odd1);
            lowerOdd1 = u.fma(z, lowerOdd1);
            z = FloatVector.broadcast(FLOATS, x[y + 6]);
            odd2 = v.fma(z, odd2);
            lowerOdd2 = u.fma(z, lowerOdd2);
            z = FloatVector.broadcast(FLOATS, x[y + 7]);
            odd3 = v.fma(z, odd3);
            lowerOdd3 = u.fma(z, lowerOdd3);
        }
        FloatVector v = ByteVector.fromArray(VECTOR, w, wAt).reinterpretAsFloats();
        FloatVector u = ByteVector.fromArray(VECTOR, w, wAt + 4 * WIDTH).reinterpretAsFloats();
        int to = outAt;
        even0.add(odd0).fma(v, FloatVector.fromArray(FLOATS, out, to)).intoArray(out, to);
        lowerEven0
                .add(lowerOdd0)
                .fma(u, FloatVector.fromArray(FLOATS, out, to + WIDTH))
                .intoArray(out, to + WIDTH);
        to += ROWS;
        even1.add(odd1).fma(v, FloatVector.fromArray(FLOATS, out, to)).intoArray(out, to);
        lowerEven1
                .add(lowerOdd1)
                .fma(u, FloatVector.fromArray(FLOATS, out, to + WIDTH))
                .intoArray(out, to + WIDTH);
        to += ROWS;
        even2.add(odd2).fma(v, FloatVector.fromArray(FLOATS, out, to)).intoArray(out, to);
        lowerEven2
                .add(lowerOdd2)
                .fma(u, FloatVector.fromArray(FLOATS, out, to + WIDTH))
                .intoArray(out, to + WIDTH);
        to += ROWS;
        even3.add(odd3).fma(v, FloatVector.fromArray(FLOATS, out, to)).intoArray(out, to);
        lowerEven3
                .add(lowerOdd3)
                .fma(u, FloatVector.fromArray(FLOATS, out, to + WIDTH))
                .intoArray(out, to + WIDTH);
    }

    private static void tileNarrow(
            float[] values, int valuesAt, byte[] w, int wAt, float[] x, int xAt, float[] out, int outAt) {
        for (int row = 0; row < ROWS; row += 2 * WIDTH) {
            FloatVector a0 = FloatVector.zero(FLOATS);
            FloatVector a1 = a0;
            FloatVector a2 = a0;
            FloatVector a3 = a0;
            FloatVector b0 = a0;
            FloatVector b1 = a0;
            FloatVector b2 = a0;
            FloatVector b3 = a0;
            for (int j = 0; j < 32; j++) {
                int at = valuesAt + j * ROWS + row;
                FloatVector v = FloatVector.fromArray(FLOATS, values, at);
                FloatVector u = FloatVector.fromArray(FLOATS, values, at + WIDTH);
                int y = xAt + j * TILE;
                FloatVector z = FloatVector.broadcast(FLOATS, x[y]);
                a0 = v.fma(z, a0);
                b0 = u.fma(z, b0);
                z = FloatVector.broadcast(FLOATS, x[y + 1]);
                a1 = v.fma(z, a1);
                b1 = u.fma(z, b1);
                z = FloatVector.broadcast(FLOATS, x[y + 2]);
                a2 = v.fma(z, a2);
                b2 = u.fma(z, b2);
                z = FloatVector.broadcast(FLOATS, x[y + 3]);
                a3 = v.fma(z, a3);
                b3 = u.fma(z, b3);
            }
            FloatVector v = ByteVector.fromArray(VECTOR, w, wAt + 4 * row).reinterpretAsFloats();
            FloatVector u =
                    ByteVector.fromArray(VECTOR, w, wAt + 4 * (row + WIDTH)).reinterpretAsFloats();
            int to = outAt + row;
            a0.fma(v, FloatVector.fromArray(FLOATS, out, to)).intoArray(out, to);
            b0.fma(u, FloatVector.fromArray(FLOATS, out, to + WIDTH)).intoArray(out, to + WIDTH);
            to += ROWS;
            a1.fma(v, FloatVector.fromArray(FLOATS, out, to)).intoArray(out, to);
            b1.fma(u, FloatVector.fromArray(FLOATS, out, to + WIDTH)).intoArray(out, to + WIDTH);
            to += ROWS;
            a2.fma(v, FloatVector.fromArray(FLOATS, out, to)).intoArray(out, to);
            b2.fma(u, FloatVector.fromArray(FLOATS, out, to + WIDTH)).intoArray(out, to + WIDTH);
            to += ROWS;
            a3.fma(v, FloatVector.fromArray(FLOATS, out, to)).intoArray(out, to);
            b3.fma(u, FloatVector.fromArray(FLOATS, out, to + WIDTH)).intoArray(out, to + WIDTH);
        }
    }
}
