package dev.ossicle.checkpoint.write;

import dev.ossicle.checkpoint.NumberFormat;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Collects the keys and values of a GGUF file, and writes them and the tensors' descriptions as its header. */
final class GgufHeader {
    static final int ALIGNMENT = 32;

    private static final int TYPE_UINT32 = 4;
    private static final int TYPE_INT32 = 5;
    private static final int TYPE_FLOAT32 = 6;
    private static final int TYPE_STRING = 8;
    private static final int TYPE_ARRAY = 9;

    private final ByteArrayOutputStream keys = new ByteArrayOutputStream();
    private long keyCount;

    void put(String key, int value) {
        begin(key, TYPE_UINT32);
        writeInt(keys, value);
    }

    void put(String key, float value) {
        begin(key, TYPE_FLOAT32);
        writeInt(keys, Float.floatToRawIntBits(value));
    }

    void put(String key, String value) {
        begin(key, TYPE_STRING);
        writeString(keys, value);
    }

    void putStrings(String key, List<String> values) {
        beginArray(key, TYPE_STRING, values.size());
        values.forEach(value -> writeString(keys, value));
    }

    void putIntegers(String key, int[] values) {
        beginArray(key, TYPE_INT32, values.length);
        for (int value : values) {
            writeInt(keys, value);
        }
    }

    byte[] bytes(List<OutputTensor> tensors) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        writeInt(out, 3);
        writeLong(out, tensors.size());
        writeLong(out, keyCount);
        out.writeBytes(keys.toByteArray());
        long offset = 0;
        for (OutputTensor tensor : tensors) {
            writeString(out, tensor.name());
            writeInt(out, tensor.shape().size());
            tensor.shape().reversed().forEach(dimension -> writeLong(out, dimension));
            writeInt(out, NumberFormat.valueOf(tensor.type()).ggufType());
            writeLong(out, offset);
            offset += TensorFile.aligned(tensor.bytes(), ALIGNMENT);
        }
        out.writeBytes(new byte[(int) (TensorFile.aligned(out.size(), ALIGNMENT) - out.size())]);
        return out.toByteArray();
    }

    private void begin(String key, int type) {
        writeString(keys, key);
        writeInt(keys, type);
        keyCount++;
    }

    private void beginArray(String key, int elementType, int length) {
        begin(key, TYPE_ARRAY);
        writeInt(keys, elementType);
        writeLong(keys, length);
    }

    private static void writeString(ByteArrayOutputStream out, String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        writeLong(out, bytes.length);
        out.writeBytes(bytes);
    }

    private static void writeInt(ByteArrayOutputStream out, int value) {
        out.writeBytes(ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array());
    }

    private static void writeLong(ByteArrayOutputStream out, long value) {
        out.writeBytes(ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array());
    }
}
