package dev.ossicle.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * Blocks of 32 values in 34 bytes: a binary16 scale, then 32 signed bytes; a value is their product.
 *
 * @param data little-endian
 * @param offset bytes from the start of {@code data} to the first block of row 0
 * @param rowStride bytes from one row to the next
 */
public record Q8_0Matrix(int rows, int columns, MemorySegment data, long offset, long rowStride) implements Matrix {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    @Override
    public NumberFormat format() {
        return NumberFormat.Q8_0;
    }

    @Override
    public float get(int row, int column) {
        Objects.checkIndex(row, rows);
        Objects.checkIndex(column, columns);
        long block = offset + row * rowStride + (column / 32) * 34L;
        return Float.float16ToFloat(data.get(SHORT, block)) * data.get(ValueLayout.JAVA_BYTE, block + 2 + column % 32);
    }

    @Override
    public void row(int row, float[] into, int at) {
        Objects.checkIndex(row, rows);
        Objects.checkFromIndexSize(at, columns, into.length);
        long block = offset + row * rowStride;
        for (int column = 0; column < columns; column += 32, block += 34) {
            float scale = Float.float16ToFloat(data.get(SHORT, block));
            for (int i = 0; i < 32; i++) {
                into[at + column + i] = scale * data.get(ValueLayout.JAVA_BYTE, block + 2 + i);
            }
        }
    }
}
