package dev.ossicle.cpu;

import static dev.ossicle.cpu.Lanes.BYTES;
import static dev.ossicle.cpu.Lanes.FLOATS;
import static dev.ossicle.cpu.Lanes.LITTLE_ENDIAN;
import static dev.ossicle.cpu.Lanes.WIDTH;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Rows of Q8_0: blocks of a binary16 scale and 32 signed bytes. Sixteen columns at a time. */
final class Q8Kernels {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);
    /** Bytes of 32 columns. */
    private static final long BLOCK = 34;

    private Q8Kernels() {}

    static void expand(MemorySegment data, long row, int columns, float[] into, int at) {
        for (int i = 0; i < columns; i += 16) {
            long block = row + (i >> 5) * BLOCK;
            ByteVector bytes = ByteVector.fromMemorySegment(BYTES, data, block + 2 + (i & 16), LITTLE_ENDIAN);
            FloatVector scale = FloatVector.broadcast(FLOATS, Float.float16ToFloat(data.get(SHORT, block)));
            ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 0))
                    .mul(scale)
                    .intoArray(into, at + i);
            if (WIDTH <= 8) {
                ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 1))
                        .mul(scale)
                        .intoArray(into, at + i + WIDTH);
            }
            if (WIDTH <= 4) {
                ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 2))
                        .mul(scale)
                        .intoArray(into, at + i + 2 * WIDTH);
                ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 3))
                        .mul(scale)
                        .intoArray(into, at + i + 3 * WIDTH);
            }
        }
    }

    /**
     * Two neighbouring rows times one vector of activations.
     *
     * @param lanes [2, W] sums of the rows, lane by lane, from {@code lanesAt} on
     */
    static void dot2(
            MemorySegment data, long row, long stride, int columns, float[] x, int at, float[] lanes, int lanesAt) {
        FloatVector sum0 = FloatVector.zero(FLOATS);
        FloatVector sum1 = sum0;
        for (int i = 0; i < columns; i += 16) {
            long block0 = row + (i >> 5) * BLOCK;
            long block1 = block0 + stride;
            int half = 2 + (i & 16);
            ByteVector bytes0 = ByteVector.fromMemorySegment(BYTES, data, block0 + half, LITTLE_ENDIAN);
            ByteVector bytes1 = ByteVector.fromMemorySegment(BYTES, data, block1 + half, LITTLE_ENDIAN);
            FloatVector scale0 = FloatVector.broadcast(FLOATS, Float.float16ToFloat(data.get(SHORT, block0)));
            FloatVector scale1 = FloatVector.broadcast(FLOATS, Float.float16ToFloat(data.get(SHORT, block1)));
            FloatVector v = FloatVector.fromArray(FLOATS, x, at + i);
            sum0 = ((FloatVector) bytes0.convertShape(VectorOperators.B2F, FLOATS, 0))
                    .mul(scale0)
                    .fma(v, sum0);
            sum1 = ((FloatVector) bytes1.convertShape(VectorOperators.B2F, FLOATS, 0))
                    .mul(scale1)
                    .fma(v, sum1);
            if (WIDTH <= 8) {
                v = FloatVector.fromArray(FLOATS, x, at + i + WIDTH);
                sum0 = ((FloatVector) bytes0.convertShape(VectorOperators.B2F, FLOATS, 1))
                        .mul(scale0)
                        .fma(v, sum0);
                sum1 = ((FloatVector) bytes1.convertShape(VectorOperators.B2F, FLOATS, 1))
                        .mul(scale1)
                        .fma(v, sum1);
            }
            if (WIDTH <= 4) {
                v = FloatVector.fromArray(FLOATS, x, at + i + 2 * WIDTH);
                sum0 = ((FloatVector) bytes0.convertShape(VectorOperators.B2F, FLOATS, 2))
                        .mul(scale0)
                        .fma(v, sum0);
                sum1 = ((FloatVector) bytes1.convertShape(VectorOperators.B2F, FLOATS, 2))
                        .mul(scale1)
                        .fma(v, sum1);
                v = FloatVector.fromArray(FLOATS, x, at + i + 3 * WIDTH);
                sum0 = ((FloatVector) bytes0.convertShape(VectorOperators.B2F, FLOATS, 3))
                        .mul(scale0)
                        .fma(v, sum0);
                sum1 = ((FloatVector) bytes1.convertShape(VectorOperators.B2F, FLOATS, 3))
                        .mul(scale1)
                        .fma(v, sum1);
            }
        }
        sum0.intoArray(lanes, lanesAt);
        sum1.intoArray(lanes, lanesAt + WIDTH);
    }
}
