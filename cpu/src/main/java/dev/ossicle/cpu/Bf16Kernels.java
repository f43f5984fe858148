package dev.ossicle.cpu;

import static dev.ossicle.cpu.Lanes.FLOATS;
import static dev.ossicle.cpu.Lanes.INTS;
import static dev.ossicle.cpu.Lanes.LITTLE_ENDIAN;
import static dev.ossicle.cpu.Lanes.SHORTS;
import static dev.ossicle.cpu.Lanes.WIDTH;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/** Rows of bfloat16, value after value: the upper halves of floats. */
final class Bf16Kernels {
    private Bf16Kernels() {}

    /** @param columns a multiple of W */
    static void expand(MemorySegment data, long row, int columns, float[] into, int at) {
        for (int i = 0; i < columns; i += WIDTH) {
            ShortVector upper = ShortVector.fromMemorySegment(SHORTS, data, row + 2L * i, LITTLE_ENDIAN);
            ((IntVector) upper.convertShape(VectorOperators.S2I, INTS, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats()
                    .intoArray(into, at + i);
        }
    }

    /**
     * Four neighbouring rows times one vector of activations, without storing the weights in between.
     *
     * @param row bytes to the first value of the first row
     * @param columns a multiple of W
     * @param x activations, from {@code at} on
     * @param lanes [4, W] sums of the rows, lane by lane
     */
    static void dot4(MemorySegment data, long row, long stride, int columns, float[] x, int at, float[] lanes) {
        long row1 = row + stride;
        long row2 = row1 + stride;
        long row3 = row2 + stride;
        FloatVector sum0 = FloatVector.zero(FLOATS);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        for (int i = 0; i < columns; i += WIDTH) {
            FloatVector v = FloatVector.fromArray(FLOATS, x, at + i);
            ShortVector w0 = ShortVector.fromMemorySegment(SHORTS, data, row + 2L * i, LITTLE_ENDIAN);
            ShortVector w1 = ShortVector.fromMemorySegment(SHORTS, data, row1 + 2L * i, LITTLE_ENDIAN);
            ShortVector w2 = ShortVector.fromMemorySegment(SHORTS, data, row2 + 2L * i, LITTLE_ENDIAN);
            ShortVector w3 = ShortVector.fromMemorySegment(SHORTS, data, row3 + 2L * i, LITTLE_ENDIAN);
            sum0 = ((IntVector) w0.convertShape(VectorOperators.S2I, INTS, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats()
                    .fma(v, sum0);
            sum1 = ((IntVector) w1.convertShape(VectorOperators.S2I, INTS, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats()
                    .fma(v, sum1);
            sum2 = ((IntVector) w2.convertShape(VectorOperators.S2I, INTS, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats()
                    .fma(v, sum2);
            sum3 = ((IntVector) w3.convertShape(VectorOperators.S2I, INTS, 0))
                    .lanewise(VectorOperators.LSHL, 16)
                    .reinterpretAsFloats()
                    .fma(v, sum3);
        }
        sum0.intoArray(lanes, 0);
        sum1.intoArray(lanes, WIDTH);
        sum2.intoArray(lanes, 2 * WIDTH);
        sum3.intoArray(lanes, 3 * WIDTH);
    }
}
