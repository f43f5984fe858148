package dev.ossicle.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * IEEE 754 binary16.
 *
 * @param data little-endian
 * @param offset bytes from the start of {@code data} to element [0, 0]
 * @param rowStride bytes from one row to the next: twice a row where gate and up rows alternate
 * @param columnStride bytes from one value to the next: 2 except in a transposed matrix
 */
public record F16Matrix(int rows, int columns, MemorySegment data, long offset, long rowStride, long columnStride)
        implements Matrix {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    @Override
    public NumberFormat format() {
        return NumberFormat.F16;
    }

    @Override
    public float get(int row, int column) {
        Objects.checkIndex(row, rows);
        Objects.checkIndex(column, columns);
        return at(offset + row * rowStride + column * columnStride);
    }

    @Override
    public void row(int row, float[] into, int at) {
        Objects.checkIndex(row, rows);
        Objects.checkFromIndexSize(at, columns, into.length);
        long start = offset + row * rowStride;
        if (columnStride == Short.BYTES) {
            // The same as below, in the form that the compiler turns into vectors.
            MemorySegment values = data.asSlice(start, (long) columns * Short.BYTES);
            for (int column = 0; column < columns; column++) {
                into[at + column] = Float.float16ToFloat(values.get(SHORT, 2L * column));
            }
            return;
        }
        for (int column = 0; column < columns; column++) {
            into[at + column] = at(start + column * columnStride);
        }
    }

    private float at(long position) {
        return Float.float16ToFloat(data.get(SHORT, position));
    }
}
