package dev.ossicle.cpu;

import static dev.ossicle.cpu.Lanes.FLOATS;
import static dev.ossicle.cpu.Lanes.LITTLE_ENDIAN;
import static dev.ossicle.cpu.Lanes.WIDTH;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/** Rows of 32-bit floats, value after value. */
final class F32Kernels {
    private F32Kernels() {}

    private static FloatVector load(MemorySegment data, long at) {
        return FloatVector.fromMemorySegment(FLOATS, data, at, LITTLE_ENDIAN);
    }

    /** @param columns a multiple of W */
    static void expand(MemorySegment data, long row, int columns, float[] into, int at) {
        for (int i = 0; i < columns; i += WIDTH) {
            load(data, row + 4L * i).intoArray(into, at + i);
        }
    }

    /**
     * Four neighbouring rows times one vector of activations, without storing them in between.
     *
     * @param row bytes to the first value of the first row
     * @param columns a multiple of W
     * @param x activations, from {@code at} on
     * @param out [4] from {@code outAt} on
     */
    static void dot4(
            MemorySegment data, long row, long stride, int columns, float[] x, int at, float[] out, int outAt) {
        FloatVector sum0 = FloatVector.zero(FLOATS);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        for (int i = 0; i < columns; i += WIDTH) {
            FloatVector v = FloatVector.fromArray(FLOATS, x, at + i);
            long offset = row + 4L * i;
            sum0 = load(data, offset).fma(v, sum0);
            sum1 = load(data, offset + stride).fma(v, sum1);
            sum2 = load(data, offset + 2 * stride).fma(v, sum2);
            sum3 = load(data, offset + 3 * stride).fma(v, sum3);
        }
        out[outAt] = Lanes.sum(sum0);
        out[outAt + 1] = Lanes.sum(sum1);
        out[outAt + 2] = Lanes.sum(sum2);
        out[outAt + 3] = Lanes.sum(sum3);
    }
}
