package dev.ossicle.cpu;

import static dev.ossicle.cpu.Lanes.BYTES;
import static dev.ossicle.cpu.Lanes.FLOATS;
import static dev.ossicle.cpu.Lanes.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;

/** Rows of Q8_0: blocks of a binary16 scale and 32 signed bytes. */
final class Q8Kernels {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);
    private static final int BLOCK = 34;

    private Q8Kernels() {}

    private static FloatVector scale(MemorySegment data, long block) {
        return FloatVector.broadcast(FLOATS, Float.float16ToFloat(data.get(SHORT, block)));
    }

    private static ByteVector load(MemorySegment data, long at) {
        return ByteVector.fromMemorySegment(BYTES, data, at, LITTLE_ENDIAN);
    }

    static void expand(MemorySegment data, long row, int columns, float[] into, int at) {
        long block = row;
        for (int i = 0; i < columns; i += 32, block += BLOCK) {
            FloatVector scale = scale(data, block);
            Lanes.expand16(load(data, block + 2), scale, into, at + i);
            Lanes.expand16(load(data, block + 18), scale, into, at + i + 16);
        }
    }

    private static FloatVector block(MemorySegment data, long block, float[] x, int at, FloatVector sum) {
        FloatVector scale = scale(data, block);
        FloatVector half = Lanes.multiplyAdd16(load(data, block + 2), scale, x, at, sum);
        return Lanes.multiplyAdd16(load(data, block + 18), scale, x, at + 16, half);
    }

    /** As {@link Bf16Kernels#dot4}. */
    static void dot4(
            MemorySegment data, long row, long stride, int columns, float[] x, int at, float[] out, int outAt) {
        FloatVector sum0 = FloatVector.zero(FLOATS);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        long offset = row;
        for (int i = 0; i < columns; i += 32, offset += BLOCK) {
            sum0 = block(data, offset, x, at + i, sum0);
            sum1 = block(data, offset + stride, x, at + i, sum1);
            sum2 = block(data, offset + 2 * stride, x, at + i, sum2);
            sum3 = block(data, offset + 3 * stride, x, at + i, sum3);
        }
        out[outAt] = Lanes.sum(sum0);
        out[outAt + 1] = Lanes.sum(sum1);
        out[outAt + 2] = Lanes.sum(sum2);
        out[outAt + 3] = Lanes.sum(sum3);
    }
}
