package dev.ossicle.cpu;

import static dev.ossicle.cpu.Lanes.BYTES;
import static dev.ossicle.cpu.Lanes.FLOATS;
import static dev.ossicle.cpu.Lanes.LITTLE_ENDIAN;

import dev.ossicle.checkpoint.MxFp4;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Rows of MXFP4 in both storage orders. A code is looked up as a byte of twice its value, which is whole, and multiplied
 * with half the scale: exact, since both are short.
 */
final class MxFp4Kernels {
    private static final VectorSpecies<Short> SHORTS_128 = ShortVector.SPECIES_128;

    /** Twice the value of each code. */
    private static final ByteVector DOUBLED = doubled();

    /** Half of each E8M0 scale. */
    private static final float[] HALF_SCALE = halfScales();

    private static final int GGUF_BLOCK = 17;

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

    private static FloatVector halfScale(MemorySegment scales, long at) {
        return FloatVector.broadcast(FLOATS, HALF_SCALE[scales.get(ValueLayout.JAVA_BYTE, at) & 255]);
    }

    private static ByteVector load(MemorySegment data, long at) {
        return ByteVector.fromMemorySegment(BYTES, data, at, LITTLE_ENDIAN);
    }

    /** Doubled values of the low four bits of each byte. */
    private static ByteVector low(ByteVector codes) {
        return codes.and((byte) 15).selectFrom(DOUBLED);
    }

    /** Doubled values of the high four bits of each byte. */
    private static ByteVector high(ByteVector codes) {
        return codes.reinterpretAsShorts()
                .lanewise(VectorOperators.LSHR, 4)
                .reinterpretAsBytes()
                .and((byte) 15)
                .selectFrom(DOUBLED);
    }

    /** Doubled values of bytes 8*part .. 8*part + 7, low four bits before high ones. */
    private static ByteVector alternating(ByteVector codes, int part) {
        ShortVector pairs = (ShortVector) codes.convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS_128, part);
        return pairs.lanewise(VectorOperators.LSHL, 4)
                .or(pairs)
                .reinterpretAsBytes()
                .and((byte) 15)
                .selectFrom(DOUBLED);
    }

    /** OpenAI's order: codes and scales apart, neighbours share a byte. */
    static void expand(
            MemorySegment blocks, long row, MemorySegment scales, long scaleRow, int columns, float[] into, int at) {
        for (int i = 0; i < columns; i += 32) {
            ByteVector codes = load(blocks, row + (i >> 1));
            FloatVector scale = halfScale(scales, scaleRow + (i >> 5));
            Lanes.expand16(alternating(codes, 0), scale, into, at + i);
            Lanes.expand16(alternating(codes, 1), scale, into, at + i + 16);
        }
    }

    private static FloatVector block(
            MemorySegment blocks, long at, MemorySegment scales, long scaleAt, float[] x, int xAt, FloatVector sum) {
        ByteVector codes = load(blocks, at);
        FloatVector scale = halfScale(scales, scaleAt);
        FloatVector half = Lanes.multiplyAdd16(alternating(codes, 0), scale, x, xAt, sum);
        return Lanes.multiplyAdd16(alternating(codes, 1), scale, x, xAt + 16, half);
    }

    /** As {@link Bf16Kernels#dot4}. */
    static void dot4(
            MemorySegment blocks,
            long row,
            long stride,
            MemorySegment scales,
            long scaleRow,
            long scaleStride,
            int columns,
            float[] x,
            int at,
            float[] out,
            int outAt) {
        FloatVector sum0 = FloatVector.zero(FLOATS);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        for (int i = 0; i < columns; i += 32) {
            long b = row + (i >> 1);
            long s = scaleRow + (i >> 5);
            sum0 = block(blocks, b, scales, s, x, at + i, sum0);
            sum1 = block(blocks, b + stride, scales, s + scaleStride, x, at + i, sum1);
            sum2 = block(blocks, b + 2 * stride, scales, s + 2 * scaleStride, x, at + i, sum2);
            sum3 = block(blocks, b + 3 * stride, scales, s + 3 * scaleStride, x, at + i, sum3);
        }
        out[outAt] = Lanes.sum(sum0);
        out[outAt + 1] = Lanes.sum(sum1);
        out[outAt + 2] = Lanes.sum(sum2);
        out[outAt + 3] = Lanes.sum(sum3);
    }

    /** GGUF's order: the scale before its codes, value j and value j + 16 share a byte. */
    static void expandGguf(MemorySegment data, long row, int columns, float[] into, int at) {
        long block = row;
        for (int i = 0; i < columns; i += 32, block += GGUF_BLOCK) {
            ByteVector codes = load(data, block + 1);
            FloatVector scale = halfScale(data, block);
            Lanes.expand16(low(codes), scale, into, at + i);
            Lanes.expand16(high(codes), scale, into, at + i + 16);
        }
    }

    private static FloatVector blockGguf(MemorySegment data, long block, float[] x, int at, FloatVector sum) {
        ByteVector codes = load(data, block + 1);
        FloatVector scale = halfScale(data, block);
        FloatVector half = Lanes.multiplyAdd16(low(codes), scale, x, at, sum);
        return Lanes.multiplyAdd16(high(codes), scale, x, at + 16, half);
    }

    /** As {@link Bf16Kernels#dot4}. */
    static void dot4Gguf(
            MemorySegment data, long row, long stride, int columns, float[] x, int at, float[] out, int outAt) {
        FloatVector sum0 = FloatVector.zero(FLOATS);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        long offset = row;
        for (int i = 0; i < columns; i += 32, offset += GGUF_BLOCK) {
            sum0 = blockGguf(data, offset, x, at + i, sum0);
            sum1 = blockGguf(data, offset + stride, x, at + i, sum1);
            sum2 = blockGguf(data, offset + 2 * stride, x, at + i, sum2);
            sum3 = blockGguf(data, offset + 3 * stride, x, at + i, sum3);
        }
        out[outAt] = Lanes.sum(sum0);
        out[outAt + 1] = Lanes.sum(sum1);
        out[outAt + 2] = Lanes.sum(sum2);
        out[outAt + 3] = Lanes.sum(sum3);
    }
}
