package dev.ossicle.cpu;

import static dev.ossicle.cpu.Lanes.FLOATS;
import static dev.ossicle.cpu.Lanes.INTS;
import static dev.ossicle.cpu.Lanes.LITTLE_ENDIAN;
import static dev.ossicle.cpu.Lanes.WIDTH;

import dev.ossicle.checkpoint.MxFp4;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Strips} times rounded activations, in 16-bit lanes. A code is looked up as twice its value, at most 12. So the products
 * of a run of 16 columns fit if the magnitudes of its activations add up to 2730 at most, and that is what they are scaled to:
 * 8 bits where all are alike, 11 where one stands out. The sums of two runs are added as ints, become floats and are scaled, once
 * for each block of 32 columns.
 *
 * <p>Integer sums have no order, and the scaling is the same in all kernels, so a row's result does not depend on which of
 * them computes it.
 */
final class StripKernels {
    /** Slots that are multiplied together. */
    static final int GROUP = 8;

    private static final int BLOCK_BYTES = Strips.Format.MXFP4.blockBytes;

    /** Columns whose products are added in 16 bits. */
    private static final int RUN = 16;

    /**
     * The most that the magnitudes of a run of activations may add up to: 12 times that, and times the half by which each may be
     * rounded up, stays below 2^15.
     */
    private static final float MAX_RUN = 2720;

    /** Below this, activations count as zero: their scale could not be inverted. */
    private static final float MIN_RUN = 1e-30f;

    /** Adding 1.5 x 2^23 rounds to a whole number, which then stands in the low bits. */
    private static final float ROUND = 12_582_912f;

    private static final VectorSpecies<Short> SHORTS = VectorSpecies.of(short.class, FLOATS.vectorShape());
    private static final VectorSpecies<Byte> BYTES = VectorSpecies.of(byte.class, FLOATS.vectorShape());
    private static final VectorSpecies<Short> HALF_SHORTS = Lanes.SHORTS;
    private static final VectorSpecies<Byte> HALF_BYTES =
            VectorSpecies.of(byte.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));

    /** Rows of a vector: twice W. */
    private static final int ROWS = SHORTS.length();

    /** Twice the value of each code, again and again, so that only the low four bits of an index matter. */
    private static final ByteVector DOUBLED = doubled();

    private StripKernels() {}

    private static ByteVector doubled() {
        byte[] table = new byte[BYTES.length()];
        for (int i = 0; i < table.length; i++) {
            table[i] = (byte) (2 * MxFp4.value(i & 15));
        }
        return ByteVector.fromArray(BYTES, table, 0);
    }

    /**
     * Rounds one block of 32 activations, as finely as the sums of its two runs allow.
     *
     * @param into where value i goes at {@code intoAt + i * step}: twice in an int, as the kernels broadcast it
     * @param scales where half of the value of 1 goes; not finite if any activation is not
     * @param buffer of 32 ints
     * @param lanes of W floats
     */
    static void round(
            float[] x,
            int at,
            int[] into,
            int intoAt,
            int step,
            float[] scales,
            int scaleAt,
            int[] buffer,
            float[] lanes) {
        float largest = 0;
        for (int run = 0; run < 32; run += RUN) {
            FloatVector sum = FloatVector.fromArray(FLOATS, x, at + run).abs();
            for (int i = WIDTH; i < RUN; i += WIDTH) {
                sum = sum.add(FloatVector.fromArray(FLOATS, x, at + run + i).abs());
            }
            sum.intoArray(lanes, 0);
            largest = Math.max(largest, Lanes.sum(lanes, 0)); // NaN if either is
        }
        boolean zero = largest < MIN_RUN;
        float inverse = zero ? 0 : MAX_RUN / largest;
        scales[scaleAt] = zero ? 0 : largest / (2 * MAX_RUN);
        for (int i = 0; i < 32; i += WIDTH) {
            IntVector bits = FloatVector.fromArray(FLOATS, x, at + i)
                    .mul(inverse)
                    .add(ROUND)
                    .reinterpretAsInts();
            bits.and(0xffff).or(bits.lanewise(VectorOperators.LSHL, 16)).intoArray(buffer, i);
        }
        for (int i = 0; i < 32; i++) {
            into[intoAt + i * step] = buffer[i];
        }
    }

    /**
     * A strip times one vector of activations. Each block is copied while the one before is multiplied: so the loads that wait
     * for memory stand beside products that wait for nothing.
     *
     * @param data the strip's blocks begin at {@code at}
     * @param x rounded activations [blocks, 32]
     * @param xScales [blocks]
     * @param out 32 results, added to what is there
     * @param w two blocks: the first one of the strip is there, in the half that {@code half} says
     * @param after what is copied while the last block is multiplied: the first block of another strip
     * @return the half where that is
     */
    static int dot(
            MemorySegment data,
            long at,
            int blocks,
            int[] x,
            int xAt,
            float[] xScales,
            int xScalesAt,
            float[] out,
            int outAt,
            byte[] w,
            int half,
            long after) {
        for (int b = 0; b < blocks; b++) {
            int from = (half + b & 1) * BLOCK_BYTES;
            int to = BLOCK_BYTES - from;
            long next = b + 1 < blocks ? at + (b + 1L) * BLOCK_BYTES : after;
            int k = xAt + 32 * b;
            for (int row = 0; row < Strips.ROWS; row += ROWS) {
                int line = from + Strips.ROWS + 2 * row;
                int nextLine = Strips.ROWS + 2 * row;
                // Two sums for each run of 16 columns: one would wait for itself.
                ShortVector low0 = ShortVector.zero(SHORTS);
                ShortVector low1 = low0;
                ShortVector high0 = low0;
                ShortVector high1 = low0;
                for (int j = 0; j < 16; j += 2) {
                    ByteVector.fromMemorySegment(BYTES, data, next + nextLine + 32 * j, LITTLE_ENDIAN)
                            .intoArray(w, to + nextLine + 32 * j);
                    ByteVector v = ByteVector.fromArray(BYTES, w, line + 32 * j);
                    ShortVector u = v.selectFrom(DOUBLED).reinterpretAsShorts();
                    low0 = low0.add(u.lanewise(VectorOperators.LSHL, 8)
                            .lanewise(VectorOperators.ASHR, 8)
                            .mul(IntVector.broadcast(INTS, x[k + j]).reinterpretAsShorts()));
                    low1 = low1.add(u.lanewise(VectorOperators.ASHR, 8)
                            .mul(IntVector.broadcast(INTS, x[k + j + 1]).reinterpretAsShorts()));
                    u = v.reinterpretAsShorts()
                            .lanewise(VectorOperators.LSHR, 4)
                            .reinterpretAsBytes()
                            .selectFrom(DOUBLED)
                            .reinterpretAsShorts();
                    high0 = high0.add(u.lanewise(VectorOperators.LSHL, 8)
                            .lanewise(VectorOperators.ASHR, 8)
                            .mul(IntVector.broadcast(INTS, x[k + j + 16]).reinterpretAsShorts()));
                    high1 = high1.add(u.lanewise(VectorOperators.ASHR, 8)
                            .mul(IntVector.broadcast(INTS, x[k + j + 17]).reinterpretAsShorts()));
                }
                ByteVector.fromMemorySegment(HALF_BYTES, data, next + row, LITTLE_ENDIAN)
                        .intoArray(w, to + row);
                ShortVector low = low0.add(low1);
                ShortVector high = high0.add(high1);
                ByteVector exponents = ByteVector.fromArray(HALF_BYTES, w, from + row);
                FloatVector xScale = FloatVector.broadcast(FLOATS, xScales[xScalesAt + b]);
                int result = outAt + row;
                IntVector sum = ((IntVector) low.convertShape(VectorOperators.S2I, INTS, 0))
                        .add((IntVector) high.convertShape(VectorOperators.S2I, INTS, 0));
                FloatVector scale = ((IntVector) exponents.convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0))
                        .lanewise(VectorOperators.LSHL, 23)
                        .reinterpretAsFloats()
                        .mul(xScale);
                ((FloatVector) sum.convert(VectorOperators.I2F, 0))
                        .fma(scale, FloatVector.fromArray(FLOATS, out, result))
                        .intoArray(out, result);
                result += WIDTH;
                sum = ((IntVector) low.convertShape(VectorOperators.S2I, INTS, 1))
                        .add((IntVector) high.convertShape(VectorOperators.S2I, INTS, 1));
                scale = ((IntVector) exponents.convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 1))
                        .lanewise(VectorOperators.LSHL, 23)
                        .reinterpretAsFloats()
                        .mul(xScale);
                ((FloatVector) sum.convert(VectorOperators.I2F, 0))
                        .fma(scale, FloatVector.fromArray(FLOATS, out, result))
                        .intoArray(out, result);
            }
        }
        return half + blocks & 1;
    }

    /**
     * Expands some blocks of a strip for many vectors of activations.
     *
     * @param w blocks as {@link Strips} has them, from the first on
     * @param values twice the weights, unscaled [blocks, 32 columns, 32 rows], from {@code to} on
     * @param scales [blocks, 32 rows], from {@code scalesTo} on
     */
    static void expand(byte[] w, int blocks, short[] values, int to, float[] scales, int scalesTo) {
        for (int line = 0; line < 8 * blocks; line++) {
            int from = line / 8 * BLOCK_BYTES + Strips.ROWS + line % 8 * 64;
            int at = to + (line / 8 * 32 + line % 8 * 2) * Strips.ROWS;
            for (int row = 0; row < Strips.ROWS; row += ROWS) {
                ByteVector v = ByteVector.fromArray(BYTES, w, from + 2 * row);
                ShortVector pair = v.selectFrom(DOUBLED).reinterpretAsShorts();
                pair.lanewise(VectorOperators.LSHL, 8)
                        .lanewise(VectorOperators.ASHR, 8)
                        .intoArray(values, at + row);
                pair.lanewise(VectorOperators.ASHR, 8).intoArray(values, at + Strips.ROWS + row);
                pair = v.reinterpretAsShorts()
                        .lanewise(VectorOperators.LSHR, 4)
                        .reinterpretAsBytes()
                        .selectFrom(DOUBLED)
                        .reinterpretAsShorts();
                pair.lanewise(VectorOperators.LSHL, 8)
                        .lanewise(VectorOperators.ASHR, 8)
                        .intoArray(values, at + 16 * Strips.ROWS + row);
                pair.lanewise(VectorOperators.ASHR, 8).intoArray(values, at + 17 * Strips.ROWS + row);
            }
        }
        for (int b = 0; b < blocks; b++) {
            for (int row = 0; row < Strips.ROWS; row += ROWS) {
                ByteVector exponents = ByteVector.fromArray(HALF_BYTES, w, b * BLOCK_BYTES + row);
                int at = scalesTo + b * Strips.ROWS + row;
                ((IntVector) exponents.convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 0))
                        .lanewise(VectorOperators.LSHL, 23)
                        .reinterpretAsFloats()
                        .intoArray(scales, at);
                ((IntVector) exponents.convertShape(VectorOperators.ZERO_EXTEND_B2I, INTS, 1))
                        .lanewise(VectorOperators.LSHL, 23)
                        .reinterpretAsFloats()
                        .intoArray(scales, at + WIDTH);
            }
        }
    }

    /**
     * Sixteen columns of a strip times a group of vectors.
     *
     * @param w expanded, from the first of the columns on
     * @param x rounded activations [columns, GROUP], from the first of the columns on
     * @param sums [GROUP, 32 rows]
     */
    static void run(short[] w, int wAt, int[] x, int xAt, short[] sums, int sumsAt) {
        for (int row = 0; row < Strips.ROWS; row += ROWS) {
            ShortVector a0 = ShortVector.zero(SHORTS);
            ShortVector a1 = a0;
            ShortVector a2 = a0;
            ShortVector a3 = a0;
            ShortVector a4 = a0;
            ShortVector a5 = a0;
            ShortVector a6 = a0;
            ShortVector a7 = a0;
            for (int i = 0; i < RUN; i++) {
                ShortVector v = ShortVector.fromArray(SHORTS, w, wAt + i * Strips.ROWS + row);
                int at = xAt + i * GROUP;
                a0 = v.mul(IntVector.broadcast(INTS, x[at]).reinterpretAsShorts())
                        .add(a0);
                a1 = v.mul(IntVector.broadcast(INTS, x[at + 1]).reinterpretAsShorts())
                        .add(a1);
                a2 = v.mul(IntVector.broadcast(INTS, x[at + 2]).reinterpretAsShorts())
                        .add(a2);
                a3 = v.mul(IntVector.broadcast(INTS, x[at + 3]).reinterpretAsShorts())
                        .add(a3);
                a4 = v.mul(IntVector.broadcast(INTS, x[at + 4]).reinterpretAsShorts())
                        .add(a4);
                a5 = v.mul(IntVector.broadcast(INTS, x[at + 5]).reinterpretAsShorts())
                        .add(a5);
                a6 = v.mul(IntVector.broadcast(INTS, x[at + 6]).reinterpretAsShorts())
                        .add(a6);
                a7 = v.mul(IntVector.broadcast(INTS, x[at + 7]).reinterpretAsShorts())
                        .add(a7);
            }
            int to = sumsAt + row;
            a0.intoArray(sums, to);
            a1.intoArray(sums, to + Strips.ROWS);
            a2.intoArray(sums, to + 2 * Strips.ROWS);
            a3.intoArray(sums, to + 3 * Strips.ROWS);
            a4.intoArray(sums, to + 4 * Strips.ROWS);
            a5.intoArray(sums, to + 5 * Strips.ROWS);
            a6.intoArray(sums, to + 6 * Strips.ROWS);
            a7.intoArray(sums, to + 7 * Strips.ROWS);
        }
    }

    /**
     * The same for two strips at once: where there are registers enough, an activation that is broadcast serves both.
     *
     * @param w expanded, from the first of the columns of the first strip on
     * @param apart from a column of the first strip to the same one of the second
     * @param sums [2 strips, 2 runs, GROUP, 32 rows], from the run on
     */
    static void run2(short[] w, int wAt, int apart, int[] x, int xAt, short[] sums, int sumsAt) {
        for (int row = 0; row < Strips.ROWS; row += ROWS) {
            ShortVector a0 = ShortVector.zero(SHORTS);
            ShortVector a1 = a0;
            ShortVector a2 = a0;
            ShortVector a3 = a0;
            ShortVector a4 = a0;
            ShortVector a5 = a0;
            ShortVector a6 = a0;
            ShortVector a7 = a0;
            ShortVector b0 = a0;
            ShortVector b1 = a0;
            ShortVector b2 = a0;
            ShortVector b3 = a0;
            ShortVector b4 = a0;
            ShortVector b5 = a0;
            ShortVector b6 = a0;
            ShortVector b7 = a0;
            for (int i = 0; i < RUN; i++) {
                int wRow = wAt + i * Strips.ROWS + row;
                ShortVector v = ShortVector.fromArray(SHORTS, w, wRow);
                ShortVector u = ShortVector.fromArray(SHORTS, w, wRow + apart);
                int at = xAt + i * GROUP;
                ShortVector y = IntVector.broadcast(INTS, x[at]).reinterpretAsShorts();
                a0 = v.mul(y).add(a0);
                b0 = u.mul(y).add(b0);
                y = IntVector.broadcast(INTS, x[at + 1]).reinterpretAsShorts();
                a1 = v.mul(y).add(a1);
                b1 = u.mul(y).add(b1);
                y = IntVector.broadcast(INTS, x[at + 2]).reinterpretAsShorts();
                a2 = v.mul(y).add(a2);
                b2 = u.mul(y).add(b2);
                y = IntVector.broadcast(INTS, x[at + 3]).reinterpretAsShorts();
                a3 = v.mul(y).add(a3);
                b3 = u.mul(y).add(b3);
                y = IntVector.broadcast(INTS, x[at + 4]).reinterpretAsShorts();
                a4 = v.mul(y).add(a4);
                b4 = u.mul(y).add(b4);
                y = IntVector.broadcast(INTS, x[at + 5]).reinterpretAsShorts();
                a5 = v.mul(y).add(a5);
                b5 = u.mul(y).add(b5);
                y = IntVector.broadcast(INTS, x[at + 6]).reinterpretAsShorts();
                a6 = v.mul(y).add(a6);
                b6 = u.mul(y).add(b6);
                y = IntVector.broadcast(INTS, x[at + 7]).reinterpretAsShorts();
                a7 = v.mul(y).add(a7);
                b7 = u.mul(y).add(b7);
            }
            int toA = sumsAt + row;
            int toB = toA + 2 * GROUP * Strips.ROWS;
            a0.intoArray(sums, toA);
            a1.intoArray(sums, toA + Strips.ROWS);
            a2.intoArray(sums, toA + 2 * Strips.ROWS);
            a3.intoArray(sums, toA + 3 * Strips.ROWS);
            a4.intoArray(sums, toA + 4 * Strips.ROWS);
            a5.intoArray(sums, toA + 5 * Strips.ROWS);
            a6.intoArray(sums, toA + 6 * Strips.ROWS);
            a7.intoArray(sums, toA + 7 * Strips.ROWS);
            b0.intoArray(sums, toB);
            b1.intoArray(sums, toB + Strips.ROWS);
            b2.intoArray(sums, toB + 2 * Strips.ROWS);
            b3.intoArray(sums, toB + 3 * Strips.ROWS);
            b4.intoArray(sums, toB + 4 * Strips.ROWS);
            b5.intoArray(sums, toB + 5 * Strips.ROWS);
            b6.intoArray(sums, toB + 6 * Strips.ROWS);
            b7.intoArray(sums, toB + 7 * Strips.ROWS);
        }
    }

    /**
     * Scales the sums of one block of columns and adds them to the results.
     *
     * @param sums of the two runs [2, GROUP, 32 rows], from {@code sumsAt} on
     * @param wScales of the block [32 rows]
     * @param xScales of the block [GROUP]
     * @param out [GROUP, 32 rows]
     */
    static void scale(
            short[] sums,
            int sumsAt,
            float[] wScales,
            int wScalesAt,
            float[] xScales,
            int xScalesAt,
            float[] out,
            int outAt) {
        for (int row = 0; row < Strips.ROWS; row += WIDTH) {
            FloatVector wScale = FloatVector.fromArray(FLOATS, wScales, wScalesAt + row);
            for (int i = 0; i < GROUP; i++) {
                int at = i * Strips.ROWS + row;
                IntVector sum = ((IntVector) ShortVector.fromArray(HALF_SHORTS, sums, sumsAt + at)
                                .convertShape(VectorOperators.S2I, INTS, 0))
                        .add((IntVector) ShortVector.fromArray(HALF_SHORTS, sums, sumsAt + at + GROUP * Strips.ROWS)
                                .convertShape(VectorOperators.S2I, INTS, 0));
                ((FloatVector) sum.convert(VectorOperators.I2F, 0))
                        .fma(wScale.mul(xScales[xScalesAt + i]), FloatVector.fromArray(FLOATS, out, outAt + at))
                        .intoArray(out, outAt + at);
            }
        }
    }
}
