package dev.ossicle.cpu;

import dev.ossicle.checkpoint.GgufMxFp4Matrix;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.MxFp4Matrix;
import dev.ossicle.checkpoint.Q8_0Matrix;
import dev.ossicle.checkpoint.QuantizedMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * A matrix re-laid for kernels in which each lane is a row: strips of 32 rows, each one block of 32 columns after the other.
 *
 * <p>A block of MXFP4 is 32 scales, then 8 lines of 64 bytes in which row r has bytes 2r and 2r + 1. Line j holds the columns
 * 2j and 2j + 1 in the low four bits of the two bytes, 2j + 16 and 2j + 17 in the high ones. A block of Q8_0 is 32 scales, as
 * floats since they are binary16 in the file and the Vector API has no such numbers, then 32 columns of 32 bytes.
 *
 * @param blocks of 32 columns
 * @param data from {@code offset} on
 */
record Strips(Format format, int rows, int blocks, MemorySegment data, long offset) {
    /** Rows of a strip. */
    static final int ROWS = RowMultiplier.BLOCK;

    /** What the numbers of a matrix are. */
    enum Format {
        MXFP4(ROWS + 512),
        Q8_0(4 * ROWS + 1024);

        /** Of one block of 32 columns and 32 rows. */
        final int blockBytes;

        Format(int blockBytes) {
            this.blockBytes = blockBytes;
        }
    }

    /** The scale of MXFP4 that is none. */
    private static final byte NOT_A_NUMBER = (byte) 255;

    private static final ValueLayout.OfShort LITTLE_SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(Lanes.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat LITTLE_FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(Lanes.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LITTLE_LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(Lanes.LITTLE_ENDIAN);

    /** The format of a matrix that can be re-laid. */
    static Optional<Format> formatOf(Matrix matrix) {
        if (matrix.rows() % ROWS != 0) {
            return Optional.empty();
        }
        return switch (matrix) {
            case MxFp4Matrix m -> Optional.of(Format.MXFP4);
            case GgufMxFp4Matrix m -> Optional.of(Format.MXFP4);
            case Q8_0Matrix m -> Optional.of(Format.Q8_0);
            case QuantizedMatrix m when m.fitsQ8() -> Optional.of(Format.Q8_0);
            default -> Optional.empty();
        };
    }

    /** Bytes that a matrix takes when re-laid. */
    static long bytes(Format format, Matrix matrix) {
        return (long) matrix.rows() / ROWS * (matrix.columns() / 32) * format.blockBytes;
    }

    /** Where the strip that begins at a row is. */
    long strip(int firstRow) {
        return offset + (long) firstRow / ROWS * blocks * format.blockBytes;
    }

    /** Where the strip after that one is; the first one after the last. */
    long stripAfter(int firstRow) {
        return strip((firstRow + ROWS) % rows);
    }

    /**
     * Copies some blocks of a strip. Kernels load from arrays: that takes half the instructions of loads from a segment.
     *
     * @param strip where it is
     */
    void read(long strip, int block, int count, byte[] into) {
        MemorySegment.copy(
                data,
                ValueLayout.JAVA_BYTE,
                strip + (long) block * format.blockBytes,
                into,
                0,
                count * format.blockBytes);
    }

    /**
     * Copies rows of a matrix of this shape and format into the data.
     *
     * @param from a multiple of 32, as is {@code to}
     * @return false if a scale is not a number
     */
    boolean fill(Matrix matrix, int from, int to) {
        byte[] block = new byte[format.blockBytes];
        MemorySegment target = MemorySegment.ofArray(block);
        for (int first = from; first < to; first += ROWS) {
            for (int b = 0; b < blocks; b++) {
                boolean valid = format == Format.Q8_0
                        ? fillQ8(matrix, first, b, block, target)
                        : fillMxFp4(matrix, first, b, block, target);
                if (!valid) {
                    return false;
                }
                MemorySegment.copy(
                        block,
                        0,
                        data,
                        ValueLayout.JAVA_BYTE,
                        strip(first) + (long) b * format.blockBytes,
                        format.blockBytes);
            }
        }
        return true;
    }

    private static boolean fillQ8(Matrix matrix, int first, int block, byte[] into, MemorySegment target) {
        byte[] codes = new byte[32]; // does not escape
        for (int r = 0; r < ROWS; r++) {
            float scale = switch (matrix) {
                case Q8_0Matrix m -> {
                    long at = m.offset() + (first + r) * m.rowStride() + block * 34L;
                    MemorySegment.copy(m.data(), ValueLayout.JAVA_BYTE, at + 2, codes, 0, 32);
                    yield Float.float16ToFloat(m.data().get(LITTLE_SHORT, at));
                }
                case QuantizedMatrix m -> m.q8Block(first + r, block, codes);
                default -> throw new IllegalArgumentException(matrix + " does not fit into Q8_0");
            };
            if (!Float.isFinite(scale)) {
                return false;
            }
            target.set(LITTLE_FLOAT, 4L * r, scale);
            for (int c = 0; c < 32; c++) {
                into[4 * ROWS + c * ROWS + r] = codes[c];
            }
        }
        return true;
    }

    private static boolean fillMxFp4(Matrix matrix, int first, int block, byte[] into, MemorySegment target) {
        long[] row = new long[2];
        for (int r = 0; r < ROWS; r++) {
            byte scale = readMxFp4(matrix, first + r, block, row);
            if (scale == NOT_A_NUMBER) {
                return false;
            }
            into[r] = scale;
            for (int line = 0; line < 4; line++) {
                target.set(LITTLE_SHORT, ROWS + line * 64L + 2 * r, (short) (row[0] >>> 16 * line));
                target.set(LITTLE_SHORT, ROWS + (line + 4) * 64L + 2 * r, (short) (row[1] >>> 16 * line));
            }
        }
        return true;
    }

    /**
     * One block of one row.
     *
     * @param codes set to 16 bytes in GGUF's order: byte j has column j in its low four bits, j + 16 in its high ones
     * @return its scale
     */
    private static byte readMxFp4(Matrix matrix, int row, int block, long[] codes) {
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
            case Q8_0Matrix m -> SystemMemory.release(m.data().asSlice(m.offset(), m.rows() * m.rowStride()));
            case QuantizedMatrix m -> SystemMemory.release(m.data().asSlice(m.offset(), m.rows() * m.rowStride()));
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
}
