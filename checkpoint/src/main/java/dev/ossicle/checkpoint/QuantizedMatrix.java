package dev.ossicle.checkpoint;

import dev.ossicle.checkpoint.blocks.BlockFormat;
import dev.ossicle.checkpoint.blocks.IQ4_NL;
import dev.ossicle.checkpoint.blocks.IQ4_XS;
import dev.ossicle.checkpoint.blocks.Q2_K;
import dev.ossicle.checkpoint.blocks.Q3_K;
import dev.ossicle.checkpoint.blocks.Q4_0;
import dev.ossicle.checkpoint.blocks.Q4_1;
import dev.ossicle.checkpoint.blocks.Q4_K;
import dev.ossicle.checkpoint.blocks.Q5_0;
import dev.ossicle.checkpoint.blocks.Q5_1;
import dev.ossicle.checkpoint.blocks.Q5_K;
import dev.ossicle.checkpoint.blocks.Q6_K;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * A matrix in one of ggml's quantised formats. Those that Q8_0 holds exactly ({@link #fitsQ8}) can run on its kernels; the others are
 * expanded a row at a time.
 *
 * @param data blocks
 * @param offset bytes from the start of {@code data} to the first block of row 0
 * @param rowStride bytes from one row to the next
 */
public record QuantizedMatrix(
        NumberFormat format, int rows, int columns, MemorySegment data, long offset, long rowStride) implements Matrix {
    private static final BlockFormat Q2_K = new Q2_K();
    private static final BlockFormat Q3_K = new Q3_K();
    private static final BlockFormat Q4_0 = new Q4_0();
    private static final BlockFormat Q4_1 = new Q4_1();
    private static final BlockFormat Q4_K = new Q4_K();
    private static final BlockFormat Q5_0 = new Q5_0();
    private static final BlockFormat Q5_1 = new Q5_1();
    private static final BlockFormat Q5_K = new Q5_K();
    private static final BlockFormat Q6_K = new Q6_K();
    private static final BlockFormat IQ4_NL = new IQ4_NL();
    private static final BlockFormat IQ4_XS = new IQ4_XS();

    private static BlockFormat blocks(NumberFormat format) {
        return switch (format) {
            case Q2_K -> Q2_K;
            case Q3_K -> Q3_K;
            case Q4_0 -> Q4_0;
            case Q4_1 -> Q4_1;
            case Q4_K -> Q4_K;
            case Q5_0 -> Q5_0;
            case Q5_1 -> Q5_1;
            case Q5_K -> Q5_K;
            case Q6_K -> Q6_K;
            case IQ4_NL -> IQ4_NL;
            case IQ4_XS -> IQ4_XS;
            case F32, F16, BF16, Q8_0, MXFP4 -> throw new IllegalArgumentException(format + " has a matrix of its own");
        };
    }

    @Override
    public float get(int row, int column) {
        Objects.checkIndex(row, rows);
        Objects.checkIndex(column, columns);
        byte[] block = new byte[format.blockBytes()];
        read(row, column / format.blockLength(), block);
        return blocks(format).get(block, column % format.blockLength());
    }

    @Override
    public void row(int row, float[] into, int at) {
        Objects.checkIndex(row, rows);
        Objects.checkFromIndexSize(at, columns, into.length);
        BlockFormat blocks = blocks(format);
        byte[] block = new byte[format.blockBytes()];
        byte[] codes = new byte[format.blockLength()];
        for (int i = 0; i < columns / codes.length; i++) {
            read(row, i, block);
            blocks.expand(block, codes, into, at + i * codes.length);
        }
    }

    /** Whether each block is 32 codes of a byte with one scale and no offset, so that Q8_0 holds the same values exactly. */
    public boolean fitsQ8() {
        return blocks(format).fitsQ8();
    }

    /**
     * One block of a matrix that {@link #fitsQ8}.
     *
     * @param codes receives 32
     * @return their scale
     */
    public float q8Block(int row, int index, byte[] codes) {
        byte[] block = new byte[format.blockBytes()]; // does not escape
        read(row, index, block);
        blocks(format).codes(block, codes);
        return blocks(format).scale(block, 0);
    }

    private void read(int row, int index, byte[] block) {
        long at = offset + row * rowStride + (long) index * block.length;
        MemorySegment.copy(data, ValueLayout.JAVA_BYTE, at, block, 0, block.length);
    }
}
