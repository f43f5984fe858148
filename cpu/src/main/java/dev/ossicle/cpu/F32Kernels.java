package dev.ossicle.cpu;

import static dev.ossicle.cpu.Lanes.FLOATS;
import static dev.ossicle.cpu.Lanes.LITTLE_ENDIAN;
import static dev.ossicle.cpu.Lanes.WIDTH;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/** Rows of 32-bit floats, value after value. */
final class F32Kernels {
    private F32Kernels() {}

    /** @param columns a multiple of W */
    static void expand(MemorySegment data, long row, int columns, float[] into, int at) {
        for (int i = 0; i < columns; i += WIDTH) {
            FloatVector.fromMemorySegment(FLOATS, data, row + 4L * i, LITTLE_ENDIAN)
                    .intoArray(into, at + i);
        }
    }

    /** As {@link Bf16Kernels#dot4}. */
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
            sum0 = FloatVector.fromMemorySegment(FLOATS, data, row + 4L * i, LITTLE_ENDIAN)
                    .fma(v, sum0);
            sum1 = FloatVector.fromMemorySegment(FLOATS, data, row1 + 4L * i, LITTLE_ENDIAN)
                    .fma(v, sum1);
            sum2 = FloatVector.fromMemorySegment(FLOATS, data, row2 + 4L * i, LITTLE_ENDIAN)
                    .fma(v, sum2);
            sum3 = FloatVector.fromMemorySegment(FLOATS, data, row3 + 4L * i, LITTLE_ENDIAN)
                    .fma(v, sum3);
        }
        sum0.intoArray(lanes, 0);
        sum1.intoArray(lanes, WIDTH);
        sum2.intoArray(lanes, 2 * WIDTH);
        sum3.intoArray(lanes, 3 * WIDTH);
    }
}
