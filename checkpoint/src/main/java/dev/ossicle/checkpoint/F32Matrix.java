package dev.ossicle.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * 32-bit floats.
 *
 * @param data little-endian
 * @param offset bytes from the start of {@code data} to element [0, 0]
 * @param rowStride bytes from one row to the next: twice a row where gate and up rows alternate
 * @param columnStride bytes from one value to the next: 4 except in a transposed matrix
 */
public record F32Matrix(int rows, int columns, MemorySegment data, long offset, long rowStride, long columnStride)
        implements Matrix {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Values that are on the heap already, row after row. Not copied. */
    public static F32Matrix of(int rows, int columns, float[] values) {
        if (values.length != (long) rows * columns) {
            throw new IllegalArgumentException(
                    "values are " + values.length + ", must be " + rows + " rows of " + columns);
        }
        return new F32Matrix(rows, columns, MemorySegment.ofArray(values), 0, 4L * columns, 4);
    }

    @Override
    public NumberFormat format() {
        return NumberFormat.F32;
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
        if (columnStride == Float.BYTES) {
            MemorySegment.copy(data, FLOAT, start, into, at, columns);
            return;
        }
        for (int column = 0; column < columns; column++) {
            into[at + column] = at(start + column * columnStride);
        }
    }

    private float at(long position) {
        return data.get(FLOAT, position);
    }
}
