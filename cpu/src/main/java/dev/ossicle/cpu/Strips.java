package dev.ossicle.cpu;

import dev.ossicle.checkpoint.GgufMxFp4Matrix;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.MxFp4Matrix;
import dev.ossicle.checkpoint.Q8_0Matrix;
import dev.ossicle.checkpoint.QuantizedMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Matrices re-laid for kernels in which each lane is a row: strips of 32 or 64 rows, each one block of 32 columns after the
 * other.
 *
 * <p>A strip of MXFP4 has 64 rows: two halves of 32. A block of it is a line of 64 scales, then 16 lines of 64 codes each; line j
 * holds the columns j in the low four bits, j + 16 in the high ones. Byte 4m + g of a line is of row 16g + m: so the four rows of
 * an int are apart by what shifts alone can do, and rows of four vectors come out in order.
 *
 * <p>A strip of Q8_0 has 32 rows. A block of it is 32 scales, as floats since they are binary16 in the file and the Vector API has
 * no such numbers, then 32 columns of 32 bytes.
 *
 * @param count of strips
 * @param blocks of 32 columns
 * @param data from {@code offset} on
 */
record Strips(Format format, int count, int blocks, MemorySegment data, long offset) {
    /** Rows of a strip of Q8_0, and of half a strip of MXFP4. */
    static final int ROWS = RowMultiplier.BLOCK;

    /** What the numbers of a matrix are. */
    enum Format {
        MXFP4(2 * ROWS, 64 + 1024),
        Q8_0(ROWS, 4 * ROWS + 1024);

        /** Of a strip. */
        final int rows;

        /** Of one block of 32 columns of a strip. */
        final int blockBytes;

        Format(int rows, int blockBytes) {
            this.rows = rows;
            this.blockBytes = blockBytes;
        }
    }

    /**
     * What becomes strips: one matrix, or two of the same shape, of which each strip of MXFP4 has a half.
     *
     * @param format null for what stays where it is
     */
    record Source(@Nullable Format format, Matrix first, Matrix second) {
        /** Weights that are multiplied with float32 activations. */
        static Source dense(Matrix matrix) {
            boolean fits = matrix.rows() % ROWS == 0
                    && (matrix instanceof Q8_0Matrix || matrix instanceof QuantizedMatrix m && m.fitsQ8());
            return new Source(fits ? Format.Q8_0 : null, matrix, matrix);
        }

        /** The gate and the up projection of an expert. */
        static Source pair(Matrix gate, Matrix up) {
            return new Source(Format.MXFP4, gate, up);
        }

        /** The down projection of an expert. */
        static Source single(Matrix down) {
            return new Source(Format.MXFP4, down, down);
        }

        /** Strips: the last one may be half empty. */
        int count() {
            int halves = first.rows() / ROWS;
            return format == Format.MXFP4 && first == second ? (halves + 1) / 2 : halves;
        }

        /** What the strips take. */
        long bytes() {
            Strips strips = at(MemorySegment.NULL, 0);
            return strips == null ? 0 : strips.bytes();
        }

        /** The strips, to be filled. */
        @Nullable
        Strips at(MemorySegment data, long offset) {
            return format == null ? null : new Strips(format, count(), first.columns() / 32, data, offset);
        }

        /** Lets go of the pages of the file that hold it. */
        void release() {
            Strips.release(first);
            if (second != first) {
                Strips.release(second);
            }
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

    /** Whether a matrix may be half of strips for experts. */
    static boolean isMxFp4(Matrix matrix) {
        return matrix.rows() % ROWS == 0 && (matrix instanceof MxFp4Matrix || matrix instanceof GgufMxFp4Matrix);
    }

    long bytes() {
        return (long) count * blocks * format.blockBytes;
    }

    /** Where a strip is. */
    long strip(int index) {
        return offset + (long) index * blocks * format.blockBytes;
    }

    /** Where the strip after that one is; the first one after the last. */
    long stripAfter(int index) {
        return strip((index + 1) % count);
    }

    /**
     * Copies some blocks of a strip. Kernels load from arrays: that takes half the instructions of loads from a segment.
     *
     * @param strip where it is
     */
    void read(long strip, int block, int blockCount, byte[] into) {
        MemorySegment.copy(
                data,
                ValueLayout.JAVA_BYTE,
                strip + (long) block * format.blockBytes,
                into,
                0,
                blockCount * format.blockBytes);
    }

    /**
     * Copies what belongs to some of the strips.
     *
     * @param source of this format and shape
     * @return false if a scale is not a number
     */
    boolean fill(Source source, int from, int to) {
        byte[] block = new byte[format.blockBytes];
        MemorySegment target = MemorySegment.ofArray(block);
        for (int strip = from; strip < to; strip++) {
            for (int b = 0; b < blocks; b++) {
                boolean valid = format == Format.Q8_0
                        ? fillQ8(source.first, strip * ROWS, b, block, target)
                        : fillMxFp4(source, strip, b, block);
                if (!valid) {
                    return false;
                }
                MemorySegment.copy(
                        block,
                        0,
                        data,
                        ValueLayout.JAVA_BYTE,
                        strip(strip) + (long) b * format.blockBytes,
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

    private static boolean fillMxFp4(Source source, int strip, int block, byte[] into) {
        boolean pair = source.first != source.second;
        int firstRow = pair ? strip * ROWS : 2 * strip * ROWS;
        int secondRow = pair ? firstRow : firstRow + ROWS;
        Arrays.fill(into, (byte) 0);
        return fillHalf(source.first, firstRow, block, into, 0)
                && (secondRow >= source.second.rows() || fillHalf(source.second, secondRow, block, into, ROWS));
    }

    /** Fills the places of 32 rows of a block, from row {@code half} of the strip on. */
    private static boolean fillHalf(Matrix matrix, int first, int block, byte[] into, int half) {
        long[] codes = new long[2]; // does not escape
        for (int r = 0; r < ROWS; r++) {
            byte scale = readMxFp4(matrix, first + r, block, codes);
            if (scale == NOT_A_NUMBER) {
                return false;
            }
            int at = 4 * (r % 16) + (half + r) / 16;
            into[at] = scale;
            for (int line = 0; line < 8; line++) {
                into[64 + 64 * line + at] = (byte) (codes[0] >>> 8 * line);
                into[64 + 64 * (line + 8) + at] = (byte) (codes[1] >>> 8 * line);
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

    private static void release(Matrix matrix) {
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
