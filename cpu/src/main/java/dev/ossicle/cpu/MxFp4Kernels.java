package dev.ossicle.cpu;

import static dev.ossicle.cpu.Lanes.BYTES;
import static dev.ossicle.cpu.Lanes.FLOATS;
import static dev.ossicle.cpu.Lanes.LITTLE_ENDIAN;
import static dev.ossicle.cpu.Lanes.WIDTH;

import dev.ossicle.checkpoint.MxFp4;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Rows of MXFP4 in both storage orders, sixteen columns at a time. A code is looked up as a byte of twice its value, which is
 * whole, and multiplied with half the scale: exact, since both are short.
 *
 * <p>In OpenAI's order neighbours share a byte, the first in the low four bits, and scales lie apart. In GGUF's, a block is its
 * scale and 16 bytes, and columns j and j + 16 share a byte.
 */
final class MxFp4Kernels {
    private static final VectorSpecies<Byte> BYTES_8 = ByteVector.SPECIES_64;
    private static final VectorSpecies<Short> SHORTS_8 = ShortVector.SPECIES_128;

    /** Twice the value of each code. */
    private static final ByteVector DOUBLED = doubled();

    /** Half of each E8M0 scale. */
    private static final float[] HALF_SCALE = halfScales();

    /** Bytes of 32 columns in GGUF. */
    private static final long BLOCK = 17;

    private MxFp4Kernels() {}

    private static ByteVector doubled() {
        byte[] table = new byte[16];
        for (int code = 0; code < 16; code++) {
            table[code] = (byte) (2 * MxFp4.value(code));
        }
        return ByteVector.fromArray(BYTES, table, 0);
    }

    private static float[] halfScales() {
        float[] table = new float[256];
        for (int scale = 0; scale < 256; scale++) {
            table[scale] = MxFp4.scale(scale) / 2;
        }
        return table;
    }

    private static float halfScale(MemorySegment scales, long at) {
        return HALF_SCALE[scales.get(ValueLayout.JAVA_BYTE, at) & 255];
    }

    static void expand(
            MemorySegment blocks, long row, MemorySegment scales, long scaleRow, int columns, float[] into, int at) {
        for (int i = 0; i < columns; i += 16) {
            ShortVector pairs =
                    (ShortVector) ByteVector.fromMemorySegment(BYTES_8, blocks, row + (i >> 1), LITTLE_ENDIAN)
                            .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS_8, 0);
            ByteVector bytes = pairs.lanewise(VectorOperators.LSHL, 4)
                    .or(pairs)
                    .reinterpretAsBytes()
                    .and((byte) 15)
                    .selectFrom(DOUBLED);
            FloatVector scale = FloatVector.broadcast(FLOATS, halfScale(scales, scaleRow + (i >> 5)));
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

    /** As {@link Q8Kernels#dot2}. */
    static void dot2(
            MemorySegment blocks,
            long row,
            long stride,
            MemorySegment scales,
            long scaleRow,
            long scaleStride,
            int columns,
            float[] x,
            int at,
            float[] lanes,
            int lanesAt) {
        FloatVector sum0 = FloatVector.zero(FLOATS);
        FloatVector sum1 = sum0;
        for (int i = 0; i < columns; i += 16) {
            ShortVector pairs0 =
                    (ShortVector) ByteVector.fromMemorySegment(BYTES_8, blocks, row + (i >> 1), LITTLE_ENDIAN)
                            .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS_8, 0);
            ByteVector bytes0 = pairs0.lanewise(VectorOperators.LSHL, 4)
                    .or(pairs0)
                    .reinterpretAsBytes()
                    .and((byte) 15)
                    .selectFrom(DOUBLED);
            ShortVector pairs1 =
                    (ShortVector) ByteVector.fromMemorySegment(BYTES_8, blocks, row + stride + (i >> 1), LITTLE_ENDIAN)
                            .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS_8, 0);
            ByteVector bytes1 = pairs1.lanewise(VectorOperators.LSHL, 4)
                    .or(pairs1)
                    .reinterpretAsBytes()
                    .and((byte) 15)
                    .selectFrom(DOUBLED);
            long scaleAt = scaleRow + (i >> 5);
            FloatVector scale0 = FloatVector.broadcast(FLOATS, halfScale(scales, scaleAt));
            FloatVector scale1 = FloatVector.broadcast(FLOATS, halfScale(scales, scaleAt + scaleStride));
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

    static void expandGguf(MemorySegment data, long row, int columns, float[] into, int at) {
        for (int i = 0; i < columns; i += 16) {
            long block = row + (i >> 5) * BLOCK;
            int shift = (i & 16) >> 2; // low or high four bits
            ByteVector bytes = ByteVector.fromMemorySegment(BYTES, data, block + 1, LITTLE_ENDIAN)
                    .reinterpretAsShorts()
                    .lanewise(VectorOperators.LSHR, shift)
                    .reinterpretAsBytes()
                    .and((byte) 15)
                    .selectFrom(DOUBLED);
            FloatVector scale = FloatVector.broadcast(FLOATS, halfScale(data, block));
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

    /** As {@link Q8Kernels#dot2}. */
    static void dot2Gguf(
            MemorySegment data, long row, long stride, int columns, float[] x, int at, float[] lanes, int lanesAt) {
        FloatVector sum0 = FloatVector.zero(FLOATS);
        FloatVector sum1 = sum0;
        for (int i = 0; i < columns; i += 16) {
            long block0 = row + (i >> 5) * BLOCK;
            long block1 = block0 + stride;
            int shift = (i & 16) >> 2; // low or high four bits
            ByteVector bytes0 = ByteVector.fromMemorySegment(BYTES, data, block0 + 1, LITTLE_ENDIAN)
                    .reinterpretAsShorts()
                    .lanewise(VectorOperators.LSHR, shift)
                    .reinterpretAsBytes()
                    .and((byte) 15)
                    .selectFrom(DOUBLED);
            ByteVector bytes1 = ByteVector.fromMemorySegment(BYTES, data, block1 + 1, LITTLE_ENDIAN)
                    .reinterpretAsShorts()
                    .lanewise(VectorOperators.LSHR, shift)
                    .reinterpretAsBytes()
                    .and((byte) 15)
                    .selectFrom(DOUBLED);
            FloatVector scale0 = FloatVector.broadcast(FLOATS, halfScale(data, block0));
            FloatVector scale1 = FloatVector.broadcast(FLOATS, halfScale(data, block1));
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
