package dev.ossicle.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * MXFP4 as GGUF has it: blocks of 17 bytes, the E8M0 scale first. Byte j of the 16 codes holds value j in its low four bits
 * and value j + 16 in its high ones.
 *
 * @param data blocks
 * @param offset bytes from the start of {@code data} to the first block of row 0
 * @param rowStride bytes from one row to the next
 */
public record GgufMxFp4Matrix(int rows, int columns, MemorySegment data, long offset, long rowStride)
        implements Matrix {

    @Override
    public NumberFormat format() {
        return NumberFormat.MXFP4;
    }

    @Override
    public float get(int row, int column) {
        Objects.checkIndex(row, rows);
        Objects.checkIndex(column, columns);
        long block = offset + row * rowStride + (column / 32) * 17L;
        int codes = data.get(ValueLayout.JAVA_BYTE, block + 1 + column % 16);
        int code = column % 32 < 16 ? codes & 15 : codes >> 4 & 15;
        return MxFp4.value(code) * MxFp4.scale(data.get(ValueLayout.JAVA_BYTE, block) & 255);
    }

    @Override
    public void row(int row, float[] into, int at) {
        Objects.checkIndex(row, rows);
        Objects.checkFromIndexSize(at, columns, into.length);
        long block = offset + row * rowStride;
        for (int column = 0; column < columns; column += 32, block += 17) {
            float scale = MxFp4.scale(data.get(ValueLayout.JAVA_BYTE, block) & 255);
            for (int i = 0; i < 16; i++) {
                int codes = data.get(ValueLayout.JAVA_BYTE, block + 1 + i);
                into[at + column + i] = MxFp4.value(codes & 15) * scale;
                into[at + column + i + 16] = MxFp4.value(codes >> 4 & 15) * scale;
            }
        }
    }
}
