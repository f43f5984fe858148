package dev.ossicle.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

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

    @Override
    public NumberFormat format() {
        return NumberFormat.F32;
    }

    @Override
    public float get(int row, int column) {
        return data.get(FLOAT, offset + row * rowStride + column * columnStride);
    }

    @Override
    public void row(int row, float[] into, int at) {
        for (int column = 0; column < columns; column++) {
            into[at + column] = get(row, column);
        }
    }
}
