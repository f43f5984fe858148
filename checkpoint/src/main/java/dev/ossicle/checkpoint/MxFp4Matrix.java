package dev.ossicle.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * MXFP4 as OpenAI publishes it: codes and scales in two tensors. Byte b of a block of 16 holds value 2b in its low four
 * bits and value 2b + 1 in its high ones.
 *
 * @param blocks codes
 * @param blocksOffset bytes from the start of {@code blocks} to the first block of row 0
 * @param blocksRowStride bytes from one row to the next: twice a row where gate and up rows alternate
 * @param scales one E8M0 byte for each block
 * @param scalesOffset the same for the scales
 * @param scalesRowStride the same for the scales
 */
public record MxFp4Matrix(
        int rows,
        int columns,
        MemorySegment blocks,
        long blocksOffset,
        long blocksRowStride,
        MemorySegment scales,
        long scalesOffset,
        long scalesRowStride)
        implements Matrix {

    @Override
    public NumberFormat format() {
        return NumberFormat.MXFP4;
    }

    @Override
    public float get(int row, int column) {
        Objects.checkIndex(row, rows);
        Objects.checkIndex(column, columns);
        int codes = blocks.get(ValueLayout.JAVA_BYTE, blocksOffset + row * blocksRowStride + column / 2);
        int code = column % 2 == 0 ? codes & 15 : codes >> 4 & 15;
        int scale = scales.get(ValueLayout.JAVA_BYTE, scalesOffset + row * scalesRowStride + column / 32) & 255;
        return MxFp4.value(code) * MxFp4.scale(scale);
    }

    @Override
    public void row(int row, float[] into, int at) {
        Objects.checkIndex(row, rows);
        Objects.checkFromIndexSize(at, columns, into.length);
        long block = blocksOffset + row * blocksRowStride;
        long blockScale = scalesOffset + row * scalesRowStride;
        for (int column = 0; column < columns; column += 32, block += 16, blockScale++) {
            float scale = MxFp4.scale(scales.get(ValueLayout.JAVA_BYTE, blockScale) & 255);
            for (int i = 0; i < 16; i++) {
                int codes = blocks.get(ValueLayout.JAVA_BYTE, block + i);
                into[at + column + 2 * i] = MxFp4.value(codes & 15) * scale;
                into[at + column + 2 * i + 1] = MxFp4.value(codes >> 4 & 15) * scale;
            }
        }
    }
}
