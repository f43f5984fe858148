package dev.ossicle.cpu;

import static dev.ossicle.cpu.Elementwise.ROUND;
import static dev.ossicle.cpu.Lanes.FLOATS;
import static dev.ossicle.cpu.Lanes.INTS;
import static dev.ossicle.cpu.Lanes.LITTLE_ENDIAN;
import static dev.ossicle.cpu.Lanes.WIDTH;

import dev.ossicle.checkpoint.MxFp4;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.jspecify.annotations.Nullable;

/**
 * {@link Strips} of MXFP4 times rounded activations, in 16-bit lanes. A code is looked up as twice its value, at most 12. So the
 * products of a run of 16 columns fit if the magnitudes of its activations add up to 2730 at most, and that is what they are scaled to:
 * 8 bits where all are alike, 11 where one stands out. The sums of two runs are added as ints, become floats and are scaled, once
 * for each block of 32 columns.
 *
 * <p>Integer sums have no order, and the scaling is the same in all kernels, so a row's result does not depend on which of
 * them computes it.
 */
final class StripKernels {
    /**
     * Slots that are multiplied together: with two vectors of rows, 16 sums, or 8. C2 moves all loads of a loop to its front, so of
     * 16 registers eight are left for these; one more sum would be spilled, and each round would wait for it.
     */
    static final int GROUP = Lanes.MANY_REGISTERS ? 8 : 4;

    /** Rows of a strip: bytes of a line. */
    private static final int STRIP = 2 * Strips.ROWS;

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

    private static final VectorSpecies<Short> SHORTS = VectorSpecies.of(short.class, FLOATS.vectorShape());
    private static final VectorSpecies<Byte> BYTES = VectorSpecies.of(byte.class, FLOATS.vectorShape());

    /** Rows of a vector of shorts: twice W. */
    private static final int ROWS = SHORTS.length();

    /** Shorts that {@link #dot} keeps for {@link #finish}. */
    static final int SUMS = 4 * ROWS;

    /** What makes every value of {@link #DOUBLED} positive. */
    private static final int OFFSET = 12;

    /** The bits of a float that are its exponent. */
    private static final int EXPONENT = 0x7f80_0000;

    /** Twice the value of each code, again and again, so that only the low four bits of an index matter. */
    private static final byte[] DOUBLED = doubled(0);

    /** The same and 12 more. */
    private static final byte[] POSITIVE = doubled(OFFSET);

    private StripKernels() {}

    private static byte[] doubled(int offset) {
        byte[] table = new byte[BYTES.length()];
        for (int i = 0; i < table.length; i++) {
            table[i] = (byte) (2 * MxFp4.value(i & 15) + offset);
        }
        return table;
    }

    /**
     * Rounds one block of 32 activations, as finely as the sums of its two runs allow.
     *
     * @param into where value i goes at {@code intoAt + i * step}: twice in an int, as the kernels broadcast it
     * @param scales where half of the value of 1 goes; not finite if any activation is not
     * @param offsets where twelve times the sum of each run goes; null if nobody asks for it
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
            int @Nullable [] offsets,
            int offsetsAt,
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
        // Side by side they are stored as vectors: 32 stores, of lines that other threads have read, would fill the
        // store queue.
        int[] rounded = step == 1 ? into : buffer;
        int roundedAt = step == 1 ? intoAt : 0;
        for (int i = 0; i < 32; i += WIDTH) {
            IntVector bits = FloatVector.fromArray(FLOATS, x, at + i)
                    .mul(inverse)
                    .add(ROUND)
                    .reinterpretAsInts();
            bits.and(0xffff).or(bits.lanewise(VectorOperators.LSHL, 16)).intoArray(rounded, roundedAt + i);
        }
        for (int i = 0; step != 1 && i < 32; i++) {
            into[intoAt + i * step] = buffer[i];
        }
        for (int run = 0; offsets != null && run < 2; run++) {
            IntVector sum = IntVector.zero(INTS);
            for (int i = run * RUN; i < (run + 1) * RUN; i += WIDTH) {
                sum = sum.add(IntVector.fromArray(INTS, rounded, roundedAt + i).lanewise(VectorOperators.ASHR, 16));
            }
            offsets[offsetsAt + run] = OFFSET * sum.reduceLanes(VectorOperators.ADD);
        }
    }

    /**
     * A strip times one vector of activations, straight from memory.
     *
     * <p>Two looked-up bytes, a and b, are one 16-bit lane, a + 256b, and none of them is taken out: the lane times an activation
     * is added up, and so is the lane shifted right by a byte. Sums of 16 bits drop what overflows, as all arithmetic modulo
     * 2^16 does, and the sums of a and of b, which fit, can be had from the two in the end: {@link #finish}. That works with bytes
     * that are not negative; so every value is 12 too large, and the sums begin at minus 12 times the sum of the activations.
     *
     * <p>Shifts are of ints, since C2 knows those of shorts by a register only; and the tables are loaded here, since C2 would
     * load constants once for each use.
     *
     * @param at address of the strip's blocks
     * @param x rounded activations [blocks, 32]
     * @param offsets [blocks, 2]
     * @param xScales [blocks]
     * @param outA results of the first 32 rows, added to what is there; {@code outB} those of the others
     * @param sums of {@link #SUMS} shorts
     */
    static void dot(
            long at,
            int blocks,
            int[] x,
            int xAt,
            int[] offsets,
            float[] xScales,
            int xScalesAt,
            float[] outA,
            float[] outB,
            int outAt,
            short[] sums) {
        ByteVector table = ByteVector.fromArray(BYTES, POSITIVE, 0);
        for (int b = 0; b < blocks; b++) {
            long block = at + (long) b * BLOCK_BYTES;
            int k = xAt + 32 * b;
            int scale = xScalesAt + b;
            for (int part = 0; part < STRIP; part += BYTES.length()) {
                long line = block + STRIP + part;
                ShortVector low = start(offsets[2 * scale]);
                ShortVector lowShifted = startShifted(offsets[2 * scale]);
                ShortVector high = start(offsets[2 * scale + 1]);
                ShortVector highShifted = startShifted(offsets[2 * scale + 1]);
                for (int j = 0; j < RUN; j++) {
                    ByteVector v = ByteVector.fromMemorySegment(BYTES, Lanes.MEMORY, line + STRIP * j, LITTLE_ENDIAN);
                    ByteVector u = v.selectFrom(table);
                    ShortVector y = IntVector.broadcast(INTS, x[k + j]).reinterpretAsShorts();
                    low = low.add(u.reinterpretAsShorts().mul(y));
                    lowShifted = lowShifted.add(u.reinterpretAsInts()
                            .lanewise(VectorOperators.LSHR, 8)
                            .reinterpretAsShorts()
                            .mul(y));
                    u = v.reinterpretAsInts()
                            .lanewise(VectorOperators.LSHR, 4)
                            .reinterpretAsBytes()
                            .selectFrom(table);
                    y = IntVector.broadcast(INTS, x[k + j + RUN]).reinterpretAsShorts();
                    high = high.add(u.reinterpretAsShorts().mul(y));
                    highShifted = highShifted.add(u.reinterpretAsInts()
                            .lanewise(VectorOperators.LSHR, 8)
                            .reinterpretAsShorts()
                            .mul(y));
                }
                low.intoArray(sums, 0);
                lowShifted.intoArray(sums, ROWS);
                high.intoArray(sums, 2 * ROWS);
                highShifted.intoArray(sums, 3 * ROWS);
                finish(sums, xScales[scale], block + part, outA, outB, outAt + part / 4);
            }
        }
    }

    /**
     * Two strips times one vector of activations, as {@link #dot} does it, where there are registers for all sums and results. Each strip
     * is a stream of its own, so twice as much is fetched ahead, and they share what is loaded of the activations: 43 -> 58 GB/s
     * (bench/LOG.md, entry 32). Written out: C2 inlines no method of ours in one as large as this, and would box the vectors.
     *
     * @param at address of the first strip's blocks; {@code otherAt} of the second's
     * @param outAt where the results of the first strip go, in either array; {@code otherOutAt} those of the second
     */
    static void dotPair(
            long at,
            long otherAt,
            int blocks,
            int[] x,
            int xAt,
            int[] offsets,
            float[] xScales,
            int xScalesAt,
            float[] outA,
            float[] outB,
            int outAt,
            int otherOutAt) {
        ByteVector table = ByteVector.fromArray(BYTES, POSITIVE, 0);
        FloatVector outP0 = FloatVector.fromArray(FLOATS, outA, outAt);
        FloatVector outP1 = FloatVector.fromArray(FLOATS, outA, outAt + 16);
        FloatVector outP2 = FloatVector.fromArray(FLOATS, outB, outAt);
        FloatVector outP3 = FloatVector.fromArray(FLOATS, outB, outAt + 16);
        FloatVector outQ0 = FloatVector.fromArray(FLOATS, outA, otherOutAt);
        FloatVector outQ1 = FloatVector.fromArray(FLOATS, outA, otherOutAt + 16);
        FloatVector outQ2 = FloatVector.fromArray(FLOATS, outB, otherOutAt);
        FloatVector outQ3 = FloatVector.fromArray(FLOATS, outB, otherOutAt + 16);
        for (int b = 0; b < blocks; b++) {
            long p = at + (long) b * BLOCK_BYTES;
            long q = otherAt + (long) b * BLOCK_BYTES;
            int k = xAt + 32 * b;
            int scale = xScalesAt + b;
            ShortVector lowP = start(offsets[2 * scale]);
            ShortVector lowShiftedP = startShifted(offsets[2 * scale]);
            ShortVector highP = start(offsets[2 * scale + 1]);
            ShortVector highShiftedP = startShifted(offsets[2 * scale + 1]);
            ShortVector lowQ = lowP;
            ShortVector lowShiftedQ = lowShiftedP;
            ShortVector highQ = highP;
            ShortVector highShiftedQ = highShiftedP;
            for (int j = 0; j < RUN; j++) {
                int line = STRIP + STRIP * j;
                ShortVector y = IntVector.broadcast(INTS, x[k + j]).reinterpretAsShorts();
                ShortVector z = IntVector.broadcast(INTS, x[k + j + RUN]).reinterpretAsShorts();
                ByteVector v = ByteVector.fromMemorySegment(BYTES, Lanes.MEMORY, p + line, LITTLE_ENDIAN);
                ByteVector u = v.selectFrom(table);
                lowP = lowP.add(u.reinterpretAsShorts().mul(y));
                lowShiftedP = lowShiftedP.add(u.reinterpretAsInts()
                        .lanewise(VectorOperators.LSHR, 8)
                        .reinterpretAsShorts()
                        .mul(y));
                u = v.reinterpretAsInts()
                        .lanewise(VectorOperators.LSHR, 4)
                        .reinterpretAsBytes()
                        .selectFrom(table);
                highP = highP.add(u.reinterpretAsShorts().mul(z));
                highShiftedP = highShiftedP.add(u.reinterpretAsInts()
                        .lanewise(VectorOperators.LSHR, 8)
                        .reinterpretAsShorts()
                        .mul(z));
                v = ByteVector.fromMemorySegment(BYTES, Lanes.MEMORY, q + line, LITTLE_ENDIAN);
                u = v.selectFrom(table);
                lowQ = lowQ.add(u.reinterpretAsShorts().mul(y));
                lowShiftedQ = lowShiftedQ.add(u.reinterpretAsInts()
                        .lanewise(VectorOperators.LSHR, 8)
                        .reinterpretAsShorts()
                        .mul(y));
                u = v.reinterpretAsInts()
                        .lanewise(VectorOperators.LSHR, 4)
                        .reinterpretAsBytes()
                        .selectFrom(table);
                highQ = highQ.add(u.reinterpretAsShorts().mul(z));
                highShiftedQ = highShiftedQ.add(u.reinterpretAsInts()
                        .lanewise(VectorOperators.LSHR, 8)
                        .reinterpretAsShorts()
                        .mul(z));
            }
            FloatVector ofX = FloatVector.broadcast(FLOATS, xScales[scale]);
            IntVector s = lowP.reinterpretAsInts();
            IntVector d = lowShiftedP.reinterpretAsInts();
            IntVector c = s.sub(d.lanewise(VectorOperators.LSHL, 8).and(0xff00_0000)); // as finish has it
            IntVector b0 = d.sub(c.lanewise(VectorOperators.LSHR, 16).lanewise(VectorOperators.LSHL, 8));
            IntVector a = s.sub(b0.lanewise(VectorOperators.LSHL, 8));
            s = highP.reinterpretAsInts();
            IntVector h = highShiftedP.reinterpretAsInts();
            IntVector g = s.sub(h.lanewise(VectorOperators.LSHL, 8).and(0xff00_0000));
            IntVector f = h.sub(g.lanewise(VectorOperators.LSHR, 16).lanewise(VectorOperators.LSHL, 8));
            IntVector e = s.sub(f.lanewise(VectorOperators.LSHL, 8));
            a = a.lanewise(VectorOperators.LSHL, 16)
                    .lanewise(VectorOperators.ASHR, 16)
                    .add(e.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16));
            b0 = b0.lanewise(VectorOperators.LSHL, 16)
                    .lanewise(VectorOperators.ASHR, 16)
                    .add(f.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16));
            c = c.lanewise(VectorOperators.ASHR, 16).add(g.lanewise(VectorOperators.ASHR, 16));
            d = d.lanewise(VectorOperators.ASHR, 16).add(h.lanewise(VectorOperators.ASHR, 16));
            IntVector exponents = IntVector.fromMemorySegment(INTS, Lanes.MEMORY, p, LITTLE_ENDIAN);
            outP0 = ((FloatVector) a.convertShape(VectorOperators.I2F, FLOATS, 0))
                    .fma(
                            exponents
                                    .lanewise(VectorOperators.LSHL, 23)
                                    .and(EXPONENT)
                                    .reinterpretAsFloats()
                                    .mul(ofX),
                            outP0);
            outP1 = ((FloatVector) b0.convertShape(VectorOperators.I2F, FLOATS, 0))
                    .fma(
                            exponents
                                    .lanewise(VectorOperators.LSHL, 15)
                                    .and(EXPONENT)
                                    .reinterpretAsFloats()
                                    .mul(ofX),
                            outP1);
            outP2 = ((FloatVector) c.convertShape(VectorOperators.I2F, FLOATS, 0))
                    .fma(
                            exponents
                                    .lanewise(VectorOperators.LSHL, 7)
                                    .and(EXPONENT)
                                    .reinterpretAsFloats()
                                    .mul(ofX),
                            outP2);
            outP3 = ((FloatVector) d.convertShape(VectorOperators.I2F, FLOATS, 0))
                    .fma(
                            exponents
                                    .lanewise(VectorOperators.LSHR, 1)
                                    .and(EXPONENT)
                                    .reinterpretAsFloats()
                                    .mul(ofX),
                            outP3);
            s = lowQ.reinterpretAsInts();
            d = lowShiftedQ.reinterpretAsInts();
            c = s.sub(d.lanewise(VectorOperators.LSHL, 8).and(0xff00_0000)); // as finish has it
            b0 = d.sub(c.lanewise(VectorOperators.LSHR, 16).lanewise(VectorOperators.LSHL, 8));
            a = s.sub(b0.lanewise(VectorOperators.LSHL, 8));
            s = highQ.reinterpretAsInts();
            h = highShiftedQ.reinterpretAsInts();
            g = s.sub(h.lanewise(VectorOperators.LSHL, 8).and(0xff00_0000));
            f = h.sub(g.lanewise(VectorOperators.LSHR, 16).lanewise(VectorOperators.LSHL, 8));
            e = s.sub(f.lanewise(VectorOperators.LSHL, 8));
            a = a.lanewise(VectorOperators.LSHL, 16)
                    .lanewise(VectorOperators.ASHR, 16)
                    .add(e.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16));
            b0 = b0.lanewise(VectorOperators.LSHL, 16)
                    .lanewise(VectorOperators.ASHR, 16)
                    .add(f.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16));
            c = c.lanewise(VectorOperators.ASHR, 16).add(g.lanewise(VectorOperators.ASHR, 16));
            d = d.lanewise(VectorOperators.ASHR, 16).add(h.lanewise(VectorOperators.ASHR, 16));
            exponents = IntVector.fromMemorySegment(INTS, Lanes.MEMORY, q, LITTLE_ENDIAN);
            outQ0 = ((FloatVector) a.convertShape(VectorOperators.I2F, FLOATS, 0))
                    .fma(
                            exponents
                                    .lanewise(VectorOperators.LSHL, 23)
                                    .and(EXPONENT)
                                    .reinterpretAsFloats()
                                    .mul(ofX),
                            outQ0);
            outQ1 = ((FloatVector) b0.convertShape(VectorOperators.I2F, FLOATS, 0))
                    .fma(
                            exponents
                                    .lanewise(VectorOperators.LSHL, 15)
                                    .and(EXPONENT)
                                    .reinterpretAsFloats()
                                    .mul(ofX),
                            outQ1);
            outQ2 = ((FloatVector) c.convertShape(VectorOperators.I2F, FLOATS, 0))
                    .fma(
                            exponents
                                    .lanewise(VectorOperators.LSHL, 7)
                                    .and(EXPONENT)
                                    .reinterpretAsFloats()
                                    .mul(ofX),
                            outQ2);
            outQ3 = ((FloatVector) d.convertShape(VectorOperators.I2F, FLOATS, 0))
                    .fma(
                            exponents
                                    .lanewise(VectorOperators.LSHR, 1)
                                    .and(EXPONENT)
                                    .reinterpretAsFloats()
                                    .mul(ofX),
                            outQ3);
        }
        outP0.intoArray(outA, outAt);
        outP1.intoArray(outA, outAt + 16);
        outP2.intoArray(outB, outAt);
        outP3.intoArray(outB, outAt + 16);
        outQ0.intoArray(outA, otherOutAt);
        outQ1.intoArray(outA, otherOutAt + 16);
        outQ2.intoArray(outB, otherOutAt);
        outQ3.intoArray(outB, otherOutAt + 16);
    }

    /** Where sums of a + 256b begin, such that those of a and of b come out right: at -(12 + 12 x 256) times the activations' sum. */
    private static ShortVector start(int offset) {
        int each = -257 * offset & 0xffff;
        return IntVector.broadcast(INTS, each << 16 | each).reinterpretAsShorts();
    }

    /** The same of what was shifted: b + 256c, and d by itself. */
    private static ShortVector startShifted(int offset) {
        return IntVector.broadcast(INTS, -offset << 16 | -257 * offset & 0xffff).reinterpretAsShorts();
    }

    /**
     * Takes the sums of {@link #dot} apart, scales them and adds them to the results. The bytes of an int are a, b, c and d, of
     * the rows m, 16 + m, 32 + m and 48 + m. Its sums are, each modulo 2^16 and with capitals for sums over the columns: A + 256B and
     * C + 256D; and of what was shifted, B + 256C and D. So D is known, with it C, with it B, with it A.
     *
     * @param sums of the first run of columns: unshifted, shifted; then those of the second
     * @param scalesAt address of the scales of the block's rows
     */
    private static void finish(short[] sums, float xScale, long scalesAt, float[] outA, float[] outB, int outAt) {
        IntVector s = ShortVector.fromArray(SHORTS, sums, 0).reinterpretAsInts();
        IntVector d = ShortVector.fromArray(SHORTS, sums, ROWS).reinterpretAsInts();
        IntVector c = s.sub(d.lanewise(VectorOperators.LSHL, 8).and(0xff00_0000)); // C in the upper half
        IntVector b = d.sub(c.lanewise(VectorOperators.LSHR, 16).lanewise(VectorOperators.LSHL, 8)); // in the lower
        IntVector a = s.sub(b.lanewise(VectorOperators.LSHL, 8)); // in the lower
        IntVector sumA = a.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16);
        IntVector sumB = b.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16);
        IntVector sumC = c.lanewise(VectorOperators.ASHR, 16);
        IntVector sumD = d.lanewise(VectorOperators.ASHR, 16);
        s = ShortVector.fromArray(SHORTS, sums, 2 * ROWS).reinterpretAsInts();
        d = ShortVector.fromArray(SHORTS, sums, 3 * ROWS).reinterpretAsInts();
        c = s.sub(d.lanewise(VectorOperators.LSHL, 8).and(0xff00_0000));
        b = d.sub(c.lanewise(VectorOperators.LSHR, 16).lanewise(VectorOperators.LSHL, 8));
        a = s.sub(b.lanewise(VectorOperators.LSHL, 8));
        sumA = a.lanewise(VectorOperators.LSHL, 16)
                .lanewise(VectorOperators.ASHR, 16)
                .add(sumA);
        sumB = b.lanewise(VectorOperators.LSHL, 16)
                .lanewise(VectorOperators.ASHR, 16)
                .add(sumB);
        sumC = c.lanewise(VectorOperators.ASHR, 16).add(sumC);
        sumD = d.lanewise(VectorOperators.ASHR, 16).add(sumD);
        IntVector exponents = IntVector.fromMemorySegment(INTS, Lanes.MEMORY, scalesAt, LITTLE_ENDIAN);
        FloatVector ofX = FloatVector.broadcast(FLOATS, xScale);
        ((FloatVector) sumA.convertShape(VectorOperators.I2F, FLOATS, 0))
                .fma(
                        exponents
                                .lanewise(VectorOperators.LSHL, 23)
                                .and(EXPONENT)
                                .reinterpretAsFloats()
                                .mul(ofX),
                        FloatVector.fromArray(FLOATS, outA, outAt))
                .intoArray(outA, outAt);
        ((FloatVector) sumB.convertShape(VectorOperators.I2F, FLOATS, 0))
                .fma(
                        exponents
                                .lanewise(VectorOperators.LSHL, 15)
                                .and(EXPONENT)
                                .reinterpretAsFloats()
                                .mul(ofX),
                        FloatVector.fromArray(FLOATS, outA, outAt + 16))
                .intoArray(outA, outAt + 16);
        ((FloatVector) sumC.convertShape(VectorOperators.I2F, FLOATS, 0))
                .fma(
                        exponents
                                .lanewise(VectorOperators.LSHL, 7)
                                .and(EXPONENT)
                                .reinterpretAsFloats()
                                .mul(ofX),
                        FloatVector.fromArray(FLOATS, outB, outAt))
                .intoArray(outB, outAt);
        ((FloatVector) sumD.convertShape(VectorOperators.I2F, FLOATS, 0))
                .fma(
                        exponents
                                .lanewise(VectorOperators.LSHR, 1)
                                .and(EXPONENT)
                                .reinterpretAsFloats()
                                .mul(ofX),
                        FloatVector.fromArray(FLOATS, outB, outAt + 16))
                .intoArray(outB, outAt + 16);
    }

    /**
     * Expands some blocks of a strip for many vectors of activations.
     *
     * @param w blocks as {@link Strips} has them, from the first on
     * @param values twice the weights, unscaled [blocks, 32 columns, 2, 32]: first the rows m and 32 + m in turns,
     *     for m below 16, then 16 + m and 48 + m
     * @param scales [blocks, 64 rows]
     */
    static void expand(byte[] w, int blocks, short[] values, float[] scales) {
        ByteVector table = ByteVector.fromArray(BYTES, DOUBLED, 0);
        for (int line = 0; line < RUN * blocks; line++) {
            int from = line / RUN * BLOCK_BYTES + STRIP + line % RUN * STRIP;
            int at = (line / RUN * 32 + line % RUN) * STRIP;
            for (int part = 0; part < STRIP; part += BYTES.length()) {
                ByteVector v = ByteVector.fromArray(BYTES, w, from + part);
                ShortVector pair = v.selectFrom(table).reinterpretAsShorts();
                int row = at + part / 2;
                pair.lanewise(VectorOperators.LSHL, 8)
                        .lanewise(VectorOperators.ASHR, 8)
                        .intoArray(values, row);
                pair.lanewise(VectorOperators.ASHR, 8).intoArray(values, row + Strips.ROWS);
                pair = v.reinterpretAsInts()
                        .lanewise(VectorOperators.LSHR, 4)
                        .reinterpretAsBytes()
                        .selectFrom(table)
                        .reinterpretAsShorts();
                pair.lanewise(VectorOperators.LSHL, 8)
                        .lanewise(VectorOperators.ASHR, 8)
                        .intoArray(values, row + RUN * STRIP);
                pair.lanewise(VectorOperators.ASHR, 8).intoArray(values, row + RUN * STRIP + Strips.ROWS);
            }
        }
        for (int b = 0; b < blocks; b++) {
            for (int part = 0; part < STRIP; part += BYTES.length()) {
                IntVector exponents =
                        ByteVector.fromArray(BYTES, w, b * BLOCK_BYTES + part).reinterpretAsInts();
                int at = b * STRIP + part / 4;
                exponents
                        .lanewise(VectorOperators.LSHL, 23)
                        .and(EXPONENT)
                        .reinterpretAsFloats()
                        .intoArray(scales, at);
                exponents
                        .lanewise(VectorOperators.LSHL, 15)
                        .and(EXPONENT)
                        .reinterpretAsFloats()
                        .intoArray(scales, at + 16);
                exponents
                        .lanewise(VectorOperators.LSHL, 7)
                        .and(EXPONENT)
                        .reinterpretAsFloats()
                        .intoArray(scales, at + 32);
                exponents
                        .lanewise(VectorOperators.LSHR, 1)
                        .and(EXPONENT)
                        .reinterpretAsFloats()
                        .intoArray(scales, at + 48);
            }
        }
    }

    /**
     * Sixteen columns of a strip times a group of vectors, where there are registers enough for eight and both halves.
     *
     * @param w expanded, from the first of the columns on
     * @param x rounded activations [columns, GROUP], from the first of the columns on
     * @param sums [GROUP, 2, 32]
     */
    static void run8(short[] w, int wAt, int[] x, int xAt, short[] sums, int sumsAt) {
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
                int wRow = wAt + i * STRIP + row;
                ShortVector v = ShortVector.fromArray(SHORTS, w, wRow);
                ShortVector u = ShortVector.fromArray(SHORTS, w, wRow + Strips.ROWS);
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
            int toB = toA + Strips.ROWS;
            a0.intoArray(sums, toA);
            a1.intoArray(sums, toA + STRIP);
            a2.intoArray(sums, toA + 2 * STRIP);
            a3.intoArray(sums, toA + 3 * STRIP);
            a4.intoArray(sums, toA + 4 * STRIP);
            a5.intoArray(sums, toA + 5 * STRIP);
            a6.intoArray(sums, toA + 6 * STRIP);
            a7.intoArray(sums, toA + 7 * STRIP);
            b0.intoArray(sums, toB);
            b1.intoArray(sums, toB + STRIP);
            b2.intoArray(sums, toB + 2 * STRIP);
            b3.intoArray(sums, toB + 3 * STRIP);
            b4.intoArray(sums, toB + 4 * STRIP);
            b5.intoArray(sums, toB + 5 * STRIP);
            b6.intoArray(sums, toB + 6 * STRIP);
            b7.intoArray(sums, toB + 7 * STRIP);
        }
    }

    /**
     * The same for four vectors.
     *
     * @param sums [GROUP, 2, 32]
     */
    static void run4(short[] w, int wAt, int[] x, int xAt, short[] sums, int sumsAt) {
        for (int row = 0; row < STRIP; row += 2 * ROWS) {
            ShortVector a0 = ShortVector.zero(SHORTS);
            ShortVector a1 = a0;
            ShortVector a2 = a0;
            ShortVector a3 = a0;
            ShortVector b0 = a0;
            ShortVector b1 = a0;
            ShortVector b2 = a0;
            ShortVector b3 = a0;
            for (int i = 0; i < RUN; i++) {
                int wRow = wAt + i * STRIP + row;
                ShortVector v = ShortVector.fromArray(SHORTS, w, wRow);
                ShortVector u = ShortVector.fromArray(SHORTS, w, wRow + ROWS);
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
            }
            int to = sumsAt + row;
            a0.intoArray(sums, to);
            b0.intoArray(sums, to + ROWS);
            a1.intoArray(sums, to + STRIP);
            b1.intoArray(sums, to + STRIP + ROWS);
            a2.intoArray(sums, to + 2 * STRIP);
            b2.intoArray(sums, to + 2 * STRIP + ROWS);
            a3.intoArray(sums, to + 3 * STRIP);
            b3.intoArray(sums, to + 3 * STRIP + ROWS);
        }
    }

    /**
     * Scales the sums of one block of columns and adds them to the results.
     *
     * @param sums of the two runs [2, GROUP, 2, 32]
     * @param wScales of the block [64 rows]
     * @param xScales of the block [GROUP]
     * @param outA [GROUP, 32], the first 32 rows; {@code outB} the others
     */
    static void scale(
            short[] sums,
            float[] wScales,
            int wScalesAt,
            float[] xScales,
            int xScalesAt,
            float[] outA,
            float[] outB,
            int outAt) {
        for (int m = 0; m < 32; m += WIDTH) { // rows of A from m on, of B from 32 + m on: 2m shorts from the first on
            FloatVector scaleA = FloatVector.fromArray(FLOATS, wScales, wScalesAt + m);
            FloatVector scaleB = FloatVector.fromArray(FLOATS, wScales, wScalesAt + Strips.ROWS + m);
            for (int i = 0; i < GROUP; i++) {
                int at = i * STRIP + 2 * m;
                IntVector first = ShortVector.fromArray(SHORTS, sums, at).reinterpretAsInts();
                IntVector second =
                        ShortVector.fromArray(SHORTS, sums, at + GROUP * STRIP).reinterpretAsInts();
                IntVector sum = first.lanewise(VectorOperators.LSHL, 16)
                        .lanewise(VectorOperators.ASHR, 16)
                        .add(second.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16));
                int to = outAt + i * Strips.ROWS + m;
                float xScale = xScales[xScalesAt + i];
                ((FloatVector) sum.convertShape(VectorOperators.I2F, FLOATS, 0))
                        .fma(scaleA.mul(xScale), FloatVector.fromArray(FLOATS, outA, to))
                        .intoArray(outA, to);
                sum = first.lanewise(VectorOperators.ASHR, 16).add(second.lanewise(VectorOperators.ASHR, 16));
                ((FloatVector) sum.convertShape(VectorOperators.I2F, FLOATS, 0))
                        .fma(scaleB.mul(xScale), FloatVector.fromArray(FLOATS, outB, to))
                        .intoArray(outB, to);
            }
        }
    }
}
