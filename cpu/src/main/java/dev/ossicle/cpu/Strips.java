package dev.ossicle.cpu;

import dev.ossicle.checkpoint.GgufMxFp4Matrix;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.MxFp4Matrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * An MXFP4 matrix re-laid for kernels in which each lane is a row: strips of 32 rows. A strip is its scales, 32 for each
 * block of 32 columns, then its codes: for each block 8 lines of 64 bytes, in which row r has bytes 2r and 2r + 1. Line j
 * holds the columns 2j and 2j + 1 in the low four bits of the two bytes, 2j + 16 and 2j + 17 in the high ones.
 *
 * @param blocks of 32 columns
 * @param data from {@code offset} on, aligned to 64 bytes
 */
record Strips(int rows, int blocks, MemorySegment data, long offset) {
    /** Rows of a strip. */
    static final int ROWS = RowMultiplier.BLOCK;

    /** Bytes of the codes of one block of a strip. */
    static final int BLOCK_BYTES = 512;

    /** The scale that is none. */
    private static final byte NOT_A_NUMBER = (byte) 255;

    private static final ValueLayout.OfShort LITTLE_SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(Lanes.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LITTLE_LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(Lanes.LITTLE_ENDIAN);

    /** Whether a matrix can be re-laid. */
    static boolean fit(Matrix matrix) {
        return (matrix instanceof MxFp4Matrix || matrix instanceof GgufMxFp4Matrix) && matrix.rows() % ROWS == 0;
    }

    /** Bytes that a matrix takes when re-laid. */
    static long bytes(Matrix matrix) {
        return matrix.rows() / ROWS * bytes(matrix.columns() / 32);
    }

    private static long bytes(int blocks) {
        return scaleBytes(blocks) + (long) blocks * BLOCK_BYTES;
    }

    private static long scaleBytes(int blocks) {
        return (blocks * 32L + 63) & -64;
    }

    /** Copies a matrix that {@link #fit fits} into data; null if a scale of it is not a number. */
    static @Nullable Strips of(Matrix matrix, MemorySegment data, long offset) {
        Strips strips = new Strips(matrix.rows(), matrix.columns() / 32, data, offset);
        short[] codes = new short[BLOCK_BYTES / 2];
        byte[] scales = new byte[ROWS];
        long[] row = new long[2];
        for (int first = 0; first < matrix.rows(); first += ROWS) {
            for (int block = 0; block < strips.blocks; block++) {
                for (int r = 0; r < ROWS; r++) {
                    scales[r] = read(matrix, first + r, block, row);
                    if (scales[r] == NOT_A_NUMBER) {
                        return null;
                    }
                    for (int line = 0; line < 4; line++) {
                        codes[line * ROWS + r] = (short) (row[0] >>> 16 * line);
                        codes[(line + 4) * ROWS + r] = (short) (row[1] >>> 16 * line);
                    }
                }
                MemorySegment.copy(
                        scales, 0, data, ValueLayout.JAVA_BYTE, strips.scales(first) + (long) block * ROWS, ROWS);
                MemorySegment.copy(
                        codes, 0, data, LITTLE_SHORT, strips.codes(first) + (long) block * BLOCK_BYTES, codes.length);
            }
        }
        return strips;
    }

    /**
     * One block of one row.
     *
     * @param codes set to 16 bytes in GGUF's order: byte j has column j in its low four bits, j + 16 in its high ones
     * @return its scale
     */
    private static byte read(Matrix matrix, int row, int block, long[] codes) {
        return switch (matrix) {
            case GgufMxFp4Matrix m -> {
                long at = m.offset() + row * m.rowStride() + block * 17L;
                codes[0] = m.data().get(LITTLE_LONG, at + 1);
                codes[1] = m.data().get(LITTLE_LONG, at + 9);
                yield m.data().get(ValueLayout.JAVA_BYTE, at);
            }
            case MxFp4Matrix m -> {
                long at = m.blocksOffset() + row * m.blocksRowStride() + block * 16L;
                long first = m.blocks().get(LITTLE_LONG, at); // columns 0 to 15, two in a byte
                long second = m.blocks().get(LITTLE_LONG, at + 8);
                codes[0] = pair((int) first, (int) second);
                codes[1] = pair((int) (first >>> 32), (int) (second >>> 32));
                yield m.scales().get(ValueLayout.JAVA_BYTE, m.scalesOffset() + row * m.scalesRowStride() + block);
            }
            default -> throw new IllegalArgumentException(matrix + " is not MXFP4");
        };
    }

    /** Eight codes and eight codes, four bits each, as eight bytes: the first in the low bits. */
    private static long pair(int low, int high) {
        return Long.expand(low & 0xffff_ffffL, 0x0f0f_0f0f_0f0f_0f0fL)
                | Long.expand(high & 0xffff_ffffL, 0xf0f0_f0f0_f0f0_f0f0L);
    }

    /** Lets go of the pages of the file that hold a matrix. */
    static void release(Matrix matrix) {
        switch (matrix) {
            case GgufMxFp4Matrix m -> SystemMemory.release(m.data().asSlice(m.offset(), m.rows() * m.rowStride()));
            case MxFp4Matrix m -> {
                long last = m.rows() - 1L;
                SystemMemory.release(
                        m.blocks().asSlice(m.blocksOffset(), last * m.blocksRowStride() + m.columns() / 2));
                SystemMemory.release(
                        m.scales().asSlice(m.scalesOffset(), last * m.scalesRowStride() + m.columns() / 32));
            }
            default -> {}
        }
    }

    /** Where the scales of the strip that begins at a row are: [blocks, 32]. */
    long scales(int firstRow) {
        return offset + firstRow / ROWS * bytes(blocks);
    }

    /** Where the codes are: [blocks, 8 lines, 64 bytes]. */
    long codes(int firstRow) {
        return scales(firstRow) + scaleBytes(blocks);
    }
}
