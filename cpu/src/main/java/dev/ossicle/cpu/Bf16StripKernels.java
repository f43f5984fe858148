package dev.ossicle.cpu;

import static dev.ossicle.cpu.Lanes.FLOATS;
import static dev.ossicle.cpu.Lanes.INTS;
import static dev.ossicle.cpu.Lanes.LITTLE_ENDIAN;
import static dev.ossicle.cpu.Lanes.SHORTS;
import static dev.ossicle.cpu.Lanes.WIDTH;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Strips} of bfloat16 times float32 activations: what {@link Q8StripKernels} does, in the same order, with weights that have
 * no scales. The upper half of a float becomes one by a shift.
 */
final class Bf16StripKernels {
    private static final int BLOCK_BYTES = Strips.Format.BF16.blockBytes;
    private static final int ROWS = Strips.ROWS;

    /** Bytes of W weights. */
    private static final int BYTES = 2 * WIDTH;

    private static final VectorSpecies<Byte> HALVES = VectorSpecies.of(byte.class, SHORTS.vectorShape());

    private Bf16StripKernels() {}

    /** As {@link Q8StripKernels#dotPair}. */
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
                int line = j * 2 * ROWS;
                FloatVector v = FloatVector.broadcast(FLOATS, x[k + j]);
                evenP0 = ((IntVector) ShortVector.fromMemorySegment(SHORTS, Lanes.MEMORY, p + line, LITTLE_ENDIAN)
                                .convertShape(VectorOperators.S2I, INTS, 0))
                        .lanewise(VectorOperators.LSHL, 16)
                        .reinterpretAsFloats()
                        .fma(v, evenP0);
                evenP1 = ((IntVector) ShortVector.fromMemorySegment(SHORTS, Lanes.MEMORY, p + line + 32, LITTLE_ENDIAN)
                                .convertShape(VectorOperators.S2I, INTS, 0))
                        .lanewise(VectorOperators.LSHL, 16)
                        .reinterpretAsFloats()
                        .fma(v, evenP1);
                evenQ0 = ((IntVector) ShortVector.fromMemorySegment(SHORTS, Lanes.MEMORY, q + line, LITTLE_ENDIAN)
                                .convertShape(VectorOperators.S2I, INTS, 0))
                        .lanewise(VectorOperators.LSHL, 16)
                        .reinterpretAsFloats()
                        .fma(v, evenQ0);
                evenQ1 = ((IntVector) ShortVector.fromMemorySegment(SHORTS, Lanes.MEMORY, q + line + 32, LITTLE_ENDIAN)
                                .convertShape(VectorOperators.S2I, INTS, 0))
                        .lanewise(VectorOperators.LSHL, 16)
                        .reinterpretAsFloats()
                        .fma(v, evenQ1);
                v = FloatVector.broadcast(FLOATS, x[k + j + 1]);
                oddP0 = ((IntVector) ShortVector.fromMemorySegment(SHORTS, Lanes.MEMORY, p + line + 64, LITTLE_ENDIAN)
                                .convertShape(VectorOperators.S2I, INTS, 0))
                        .lanewise(VectorOperators.LSHL, 16)
                        .reinterpretAsFloats()
                        .fma(v, oddP0);
                oddP1 = ((IntVector) ShortVector.fromMemorySegment(SHORTS, Lanes.MEMORY, p + line + 96, LITTLE_ENDIAN)
                                .convertShape(VectorOperators.S2I, INTS, 0))
                        .lanewise(VectorOperators.LSHL, 16)
                        .reinterpretAsFloats()
                        .fma(v, oddP1);
                oddQ0 = ((IntVector) ShortVector.fromMemorySegment(SHORTS, Lanes.MEMORY, q + line + 64, LITTLE_ENDIAN)
                                .convertShape(VectorOperators.S2I, INTS, 0))
                        .lanewise(VectorOperators.LSHL, 16)
                        .reinterpretAsFloats()
                        .fma(v, oddQ0);
                oddQ1 = ((IntVector) ShortVector.fromMemorySegment(SHORTS, Lanes.MEMORY, q + line + 96, LITTLE_ENDIAN)
                                .convertShape(VectorOperators.S2I, INTS, 0))
                        .lanewise(VectorOperators.LSHL, 16)
                        .reinterpretAsFloats()
                        .fma(v, oddQ1);
            }
            outP0 = evenP0.add(oddP0).add(outP0);
            outP1 = evenP1.add(oddP1).add(outP1);
            outQ0 = evenQ0.add(oddQ0).add(outQ0);
            outQ1 = evenQ1.add(oddQ1).add(outQ1);
        }
        outP0.intoArray(out, outAt);
        outP1.intoArray(out, outAt + 16);
        outQ0.intoArray(out, otherOutAt);
        outQ1.intoArray(out, otherOutAt + 16);
    }

    /**
     * A strip times one vector of activations, four vectors of rows at a time, straight from memory.
     *
     * @param at address of the strip's blocks
     * @param out 32 results, added to what is there
     */
    static void dot(long at, int blocks, float[] x, int xAt, float[] out, int outAt) {
        for (int b = 0; b < blocks; b++) {
            for (int row = 0; row < ROWS; row += 4 * WIDTH) {
                long from = at + (long) b * BLOCK_BYTES + 2L * row;
                FloatVector a0 = FloatVector.zero(FLOATS);
                FloatVector a1 = a0;
                FloatVector a2 = a0;
                FloatVector a3 = a0;
                for (int j = 0; j < 32; j++) {
                    int line = j * 2 * ROWS;
                    FloatVector v = FloatVector.broadcast(FLOATS, x[xAt + 32 * b + j]);
                    a0 = ((IntVector) ShortVector.fromMemorySegment(SHORTS, Lanes.MEMORY, from + line, LITTLE_ENDIAN)
                                    .convertShape(VectorOperators.S2I, INTS, 0))
                            .lanewise(VectorOperators.LSHL, 16)
                            .reinterpretAsFloats()
                            .fma(v, a0);
                    a1 = ((IntVector) ShortVector.fromMemorySegment(
                                            SHORTS, Lanes.MEMORY, from + line + BYTES, LITTLE_ENDIAN)
                                    .convertShape(VectorOperators.S2I, INTS, 0))
                            .lanewise(VectorOperators.LSHL, 16)
                            .reinterpretAsFloats()
                            .fma(v, a1);
                    a2 = ((IntVector) ShortVector.fromMemorySegment(
                                            SHORTS, Lanes.MEMORY, from + line + 2 * BYTES, LITTLE_ENDIAN)
                                    .convertShape(VectorOperators.S2I, INTS, 0))
                            .lanewise(VectorOperators.LSHL, 16)
                            .reinterpretAsFloats()
                            .fma(v, a2);
                    a3 = ((IntVector) ShortVector.fromMemorySegment(
                                            SHORTS, Lanes.MEMORY, from + line + 3 * BYTES, LITTLE_ENDIAN)
                                    .convertShape(VectorOperators.S2I, INTS, 0))
                            .lanewise(VectorOperators.LSHL, 16)
                            .reinterpretAsFloats()
                            .fma(v, a3);
                }
                int to = outAt + row;
                a0.add(FloatVector.fromArray(FLOATS, out, to)).intoArray(out, to);
                a1.add(FloatVector.fromArray(FLOATS, out, to + WIDTH)).intoArray(out, to + WIDTH);
                a2.add(FloatVector.fromArray(FLOATS, out, to + 2 * WIDTH)).intoArray(out, to + 2 * WIDTH);
                a3.add(FloatVector.fromArray(FLOATS, out, to + 3 * WIDTH)).intoArray(out, to + 3 * WIDTH);
            }
        }
    }

    /**
     * The weights of one block as floats, for many vectors of activations.
     *
     * @param values [32 columns, ROWS]
     */
    static void expand(byte[] w, int wAt, float[] values, int to) {
        for (int i = 0; i < 32 * ROWS; i += WIDTH) {
            ShortVector upper = ByteVector.fromArray(HALVES, w, wAt + 2 * i).reinterpretAsShorts();
            ((IntVector) upper.convertShape(VectorOperators.S2I, INTS, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats()
                    .intoArray(values, to + i);
        }
    }
}
