package dev.ossicle.checkpoint.write;

import dev.ossicle.checkpoint.MxFp4;
import dev.ossicle.checkpoint.NumberFormat;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** From floats to the bytes of each number format. Values that a format cannot hold are refused, not bent. */
final class Encoding {
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle FLOAT = MethodHandles.byteArrayViewVarHandle(float[].class, ByteOrder.LITTLE_ENDIAN);

    private Encoding() {}

    /**
     * Encodes a row, a multiple of the format's block length, as GGUF has it.
     *
     * @throws IllegalArgumentException if a value is not finite or too large, with its column
     */
    static byte[] encode(NumberFormat format, float[] row) {
        byte[] bytes = new byte[Math.toIntExact(format.bytes(row.length))];
        switch (format) {
            case F32 -> {
                for (int i = 0; i < row.length; i++) {
                    check(row[i], row, i);
                    FLOAT.set(bytes, 4 * i, row[i]);
                }
            }
            case F16 -> {
                for (int i = 0; i < row.length; i++) {
                    short half = Float.floatToFloat16(row[i]);
                    check(Float.float16ToFloat(half), row, i);
                    SHORT.set(bytes, 2 * i, half);
                }
            }
            case BF16 -> {
                for (int i = 0; i < row.length; i++) {
                    float rounded = roundToBF16(row[i]);
                    check(rounded, row, i);
                    SHORT.set(bytes, 2 * i, (short) (Float.floatToRawIntBits(rounded) >>> 16));
                }
            }
            case Q8_0 -> {
                for (int i = 0; i < row.length; i += 32) {
                    encodeQ8(row, i, bytes, i / 32 * 34);
                }
            }
            case MXFP4 -> {
                byte[] codes = new byte[MxFp4.BLOCK];
                for (int i = 0; i < row.length; i += 32) {
                    int at = i / 32 * 17;
                    bytes[at] = (byte) MxFp4.quantize(row, i, codes);
                    for (int j = 0; j < 16; j++) {
                        bytes[at + 1 + j] = (byte) (codes[j] | codes[j + 16] << 4);
                    }
                }
            }
            case Q2_K, Q3_K, Q4_0, Q4_1, Q4_K, Q5_0, Q5_1, Q5_K, Q6_K, IQ4_NL, IQ4_XS ->
                throw new IllegalArgumentException(format + " is read, not written");
        }
        return bytes;
    }

    /** The codes of a row in OpenAI's order: neighbours share a byte. */
    static byte[] mxfp4Blocks(float[] row) {
        byte[] bytes = new byte[row.length / 2];
        byte[] codes = new byte[MxFp4.BLOCK];
        for (int i = 0; i < row.length; i += 32) {
            MxFp4.quantize(row, i, codes);
            for (int j = 0; j < 16; j++) {
                bytes[i / 2 + j] = (byte) (codes[2 * j] | codes[2 * j + 1] << 4);
            }
        }
        return bytes;
    }

    /** The scales that belong to {@link #mxfp4Blocks}. */
    static byte[] mxfp4Scales(float[] row) {
        byte[] scales = new byte[row.length / 32];
        byte[] codes = new byte[MxFp4.BLOCK];
        for (int i = 0; i < scales.length; i++) {
            scales[i] = (byte) MxFp4.quantize(row, 32 * i, codes);
        }
        return scales;
    }

    /** The nearest value with a bfloat16's eight bits of precision, ties to the even one. NaN stays NaN. */
    static float roundToBF16(float value) {
        if (Float.isNaN(value)) {
            return value;
        }
        int bits = Float.floatToRawIntBits(value);
        return Float.intBitsToFloat(bits + 0x7FFF + (bits >>> 16 & 1) & 0xFFFF_0000);
    }

    /** As ggml does it: the largest magnitude becomes 127, the others are rounded with ties away from zero. */
    private static void encodeQ8(float[] row, int from, byte[] bytes, int at) {
        float largest = 0;
        for (int i = from; i < from + 32; i++) {
            check(row[i], row, i);
            largest = Math.max(largest, Math.abs(row[i]));
        }
        float scale = largest / 127;
        short half = Float.floatToFloat16(scale);
        check(Float.float16ToFloat(half), row, from);
        SHORT.set(bytes, at, half);
        float inverse = scale == 0 ? 0 : 1 / scale;
        for (int i = 0; i < 32; i++) {
            float quotient = row[from + i] * inverse;
            bytes[at + 2 + i] = (byte) (quotient < 0 ? Math.ceil(quotient - 0.5) : Math.floor(quotient + 0.5));
        }
    }

    private static void check(float encoded, float[] row, int column) {
        if (!Float.isFinite(encoded)) {
            throw new IllegalArgumentException(
                    "column " + column + ": " + row[column] + " is not finite in this format");
        }
    }
}
