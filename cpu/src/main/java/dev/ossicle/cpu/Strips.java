package dev.ossicle.cpu;

import dev.ossicle.checkpoint.BF16Matrix;
import dev.ossicle.checkpoint.GgufMxFp4Matrix;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.MxFp4Matrix;
import dev.ossicle.checkpoint.Q8_0Matrix;
import dev.ossicle.checkpoint.QuantizedMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Matrices re-laid for kernels in which each lane is a row: strips of 32 or 64 rows, each one block of 32 columns after the
 * other.
 *
 * <p>A strip of MXFP4 has 64 rows: two halves of 32. A block of it is a line of 64 scales, then 16 lines of 64 codes each; line j
 * holds the columns j in the low four bits, j + 16 in the high ones. Byte 4m + g of a line is of row 16g + m: so the four rows of
 * an int are apart by what shifts alone can do, and rows of four vectors come out in order.
 *
 * <p>A strip of BF16 has 32 rows: 32 columns of 32 numbers make a block. A strip of Q8_0 has 32 rows too. A block of it is 32 scales, as floats since they are binary16 in the file and the Vector API has
 * no such numbers, then 32 columns of 32 bytes.
 *
 * @param count of strips
 * @param blocks of 32 columns
 * @param data from {@code offset} on
 */
record Strips(Format format, int count, int blocks, MemorySegment data, long offset) {
    /** Rows of a strip of Q8_0 or BF16, and of half a strip of MXFP4. */
    static final int ROWS = RowMultiplier.BLOCK;

    /** What the numbers of a matrix are. */
    enum Format {
        MXFP4(2 * ROWS, 64 + 1024),
        Q8_0(ROWS, 4 * ROWS + 1024),
        BF16(ROWS, 2048);

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
            boolean q8 = matrix instanceof Q8_0Matrix || matrix instanceof QuantizedMatrix m && m.fitsQ8();
            boolean bf16 = matrix instanceof BF16Matrix m && m.columnStride() == 2 && m.columns() % 32 == 0;
            boolean whole = matrix.rows() % ROWS == 0;
            return new Source(whole && q8 ? Format.Q8_0 : whole && bf16 ? Format.BF16 : null, matrix, matrix);
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
            return format == null ? 0 : (long) count() * (first.columns() / 32) * format.blockBytes;
        }

        /** The strips, to be filled. */
        @Nullable
        Strips at(MemorySegment data, long offset) {
            return format == null ? null : new Strips(format, count(), first.columns() / 32, data, offset);
        }

        /** Lets go of the pages of the file that hold it, now that it is in this memory. */
        void release(StripMemory memory) {
            Strips.release(first, memory);
            if (second != first) {
                Strips.release(second, memory);
            }
        }
    }

    /** Longs of the codes of a block of four or eight bits. */
    private static final int CODES = 128;

    /** Longs of a row of a block of BF16. */
    private static final int ROW = 8;

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

    Strips {
        Objects.checkFromIndexSize(offset, (long) count * blocks * format.blockBytes, data.byteSize());
    }

    long bytes() {
        return (long) count * blocks * format.blockBytes;
    }

    /** Where a strip is. */
    long strip(int index) {
        return offset + (long) index * blocks * format.blockBytes;
    }

    /** Where a strip is in {@link Lanes#MEMORY}; the kernels check no more. */
    long address(int index) {
        return data.address() + strip(Objects.checkIndex(index, count));
    }

    /** Where the strip after that one is; the first one after the last. */
    long addressAfter(int index) {
        return address((index + 1) % count);
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
        long[] codes = new long[CODES];
        for (int strip = from; strip < to; strip++) {
            for (int b = 0; b < blocks; b++) {
                long at = strip(strip) + (long) b * format.blockBytes;
                boolean valid = switch (format) {
                    case Q8_0 -> fillQ8(source.first, strip * ROWS, b, codes, at);
                    case MXFP4 -> fillMxFp4(source, strip, b, codes, at);
                    case BF16 -> fillBf16((BF16Matrix) source.first, strip * ROWS, b, at);
                };
                if (!valid) {
                    return false;
                }
            }
        }
        return true;
    }

    private boolean fillQ8(Matrix matrix, int first, int block, long[] codes, long to) {
        byte[] bytes = new byte[32]; // does not escape
        for (int r = 0; r < ROWS; r++) {
            MemorySegment row = MemorySegment.ofArray(bytes);
            long at = 0;
            float scale = switch (matrix) {
                case Q8_0Matrix m -> {
                    row = m.data();
                    at = m.offset() + (first + r) * m.rowStride() + block * 34L + 2;
                    yield Float.float16ToFloat(row.get(LITTLE_SHORT, at - 2));
                }
                case QuantizedMatrix m -> m.q8Block(first + r, block, bytes);
                default -> throw new IllegalArgumentException(matrix + " does not fit into Q8_0");
            };
            if (!Float.isFinite(scale)) {
                return false;
            }
            data.set(LITTLE_FLOAT, to + 4L * r, scale);
            for (int i = 0; i < 4; i++) {
                codes[4 * r + i] = row.get(LITTLE_LONG, at + 8L * i);
            }
        }
        transpose(codes, to + 4L * ROWS);
        return true;
    }

    /** Four rows by four numbers at a time, in registers; bits that are no number stay so. */
    private boolean fillBf16(BF16Matrix matrix, int first, int block, long to) {
        long stride = matrix.rowStride();
        for (int r = 0; r < ROWS; r += 4) {
            long row = matrix.offset() + (first + r) * stride + 64L * block;
            for (int i = 0; i < ROW; i++) {
                long a0 = matrix.data().get(LITTLE_LONG, row + 8L * i);
                long a1 = matrix.data().get(LITTLE_LONG, row + 8L * i + stride);
                long a2 = matrix.data().get(LITTLE_LONG, row + 8L * i + 2 * stride);
                long a3 = matrix.data().get(LITTLE_LONG, row + 8L * i + 3 * stride);
                long t = (a0 >>> 32 ^ a2) & 0xffff_ffffL; // pairs of rows that are two apart change places
                a0 ^= t << 32;
                a2 ^= t;
                t = (a1 >>> 32 ^ a3) & 0xffff_ffffL;
                a1 ^= t << 32;
                a3 ^= t;
                t = (a0 >>> 16 ^ a1) & 0xffff_0000_ffffL; // neighbours
                a0 ^= t << 16;
                a1 ^= t;
                t = (a2 >>> 16 ^ a3) & 0xffff_0000_ffffL;
                a2 ^= t << 16;
                a3 ^= t;
                long column = to + 2L * (4 * i * ROWS + r);
                data.set(LITTLE_LONG, column, a0);
                data.set(LITTLE_LONG, column + 2L * ROWS, a1);
                data.set(LITTLE_LONG, column + 4L * ROWS, a2);
                data.set(LITTLE_LONG, column + 6L * ROWS, a3);
            }
        }
        return true;
    }

    private boolean fillMxFp4(Source source, int strip, int block, long[] codes, long to) {
        boolean pair = source.first != source.second;
        int firstRow = pair ? strip * ROWS : 2 * strip * ROWS;
        int secondRow = pair ? firstRow : firstRow + ROWS;
        boolean half = secondRow >= source.second.rows();
        if (half) {
            Arrays.fill(codes, 0);
            data.asSlice(to, 2L * ROWS).fill((byte) 0);
        }
        if (block == 0) {
            codes[0] = fetch(source.first, firstRow) + (half ? 0 : fetch(source.second, secondRow));
            if (codes[0] == Long.MIN_VALUE) { // never: what is read must seem of use to C2
                return false;
            }
        }
        boolean valid = readHalf(source.first, firstRow, block, codes, 0, to)
                && (half || readHalf(source.second, secondRow, block, codes, ROWS, to));
        transpose(codes, to + 2L * ROWS);
        return valid;
    }

    /**
     * Reads 32 rows from one end to the other and does nothing else: so they come from memory in one go, where {@link #readHalf} takes a
     * few bytes of each in turns (1.5 -> 1.8 to 2.1 GB/s).
     */
    private static long fetch(Matrix matrix, int first) {
        long all = 0;
        if (matrix instanceof GgufMxFp4Matrix m) {
            long from = m.offset() + first * m.rowStride();
            for (long at = from; at < from + ROWS * m.rowStride(); at += 64) { // cache lines
                all += m.data().get(ValueLayout.JAVA_BYTE, at);
            }
        }
        return all;
    }

    /**
     * Reads 32 rows of a block, which are row {@code half} of the strip and those after it; stores their scales.
     *
     * @param codes of each row 16 bytes in GGUF's order: byte j has column j in its low four bits, j + 16 in its high ones
     */
    private boolean readHalf(Matrix matrix, int first, int block, long[] codes, int half, long to) {
        boolean valid = true;
        switch (matrix) { // around the loop: within, it takes longer than the reading
            case GgufMxFp4Matrix m -> {
                MemorySegment rows = m.data();
                for (int r = 0; r < ROWS; r++) {
                    int place = 4 * (r % 16) + (half + r) / 16;
                    long at = m.offset() + (first + r) * m.rowStride() + block * 17L;
                    byte scale = rows.get(ValueLayout.JAVA_BYTE, at);
                    valid &= scale != NOT_A_NUMBER;
                    data.set(ValueLayout.JAVA_BYTE, to + place, scale);
                    codes[2 * place] = rows.get(LITTLE_LONG, at + 1);
                    codes[2 * place + 1] = rows.get(LITTLE_LONG, at + 9);
                }
            }
            case MxFp4Matrix m -> {
                for (int r = 0; r < ROWS; r++) {
                    int place = 4 * (r % 16) + (half + r) / 16;
                    byte scale = m.scales()
                            .get(ValueLayout.JAVA_BYTE, m.scalesOffset() + (first + r) * m.scalesRowStride() + block);
                    valid &= scale != NOT_A_NUMBER;
                    data.set(ValueLayout.JAVA_BYTE, to + place, scale);
                    long at = m.blocksOffset() + (first + r) * m.blocksRowStride() + block * 16L;
                    long low = m.blocks().get(LITTLE_LONG, at); // columns 0 to 15, two in a byte
                    long high = m.blocks().get(LITTLE_LONG, at + 8);
                    codes[2 * place] = pair((int) low, (int) high);
                    codes[2 * place + 1] = pair((int) (low >>> 32), (int) (high >>> 32));
                }
            }
            default -> throw new IllegalArgumentException(matrix + " is not MXFP4");
        }
        return valid;
    }

    /**
     * Stores the rows of a block as columns: eight rows by eight bytes at a time, in registers.
     *
     * @param codes [rows, bytes of a row / 8]
     * @param to where [bytes of a row, rows] goes
     */
    private void transpose(long[] codes, long to) {
        int width = CODES / format.rows;
        for (int row = 0; row < format.rows; row += 8) {
            for (int i = 0; i < width; i++) {
                int at = row * width + i;
                long a0 = codes[at];
                long a1 = codes[at + width];
                long a2 = codes[at + 2 * width];
                long a3 = codes[at + 3 * width];
                long a4 = codes[at + 4 * width];
                long a5 = codes[at + 5 * width];
                long a6 = codes[at + 6 * width];
                long a7 = codes[at + 7 * width];
                long t = (a0 >>> 32 ^ a4) & 0xffff_ffffL; // halves of rows that are four apart change places
                a0 ^= t << 32;
                a4 ^= t;
                t = (a1 >>> 32 ^ a5) & 0xffff_ffffL;
                a1 ^= t << 32;
                a5 ^= t;
                t = (a2 >>> 32 ^ a6) & 0xffff_ffffL;
                a2 ^= t << 32;
                a6 ^= t;
                t = (a3 >>> 32 ^ a7) & 0xffff_ffffL;
                a3 ^= t << 32;
                a7 ^= t;
                t = (a0 >>> 16 ^ a2) & 0xffff_0000_ffffL; // pairs of bytes, two apart
                a0 ^= t << 16;
                a2 ^= t;
                t = (a1 >>> 16 ^ a3) & 0xffff_0000_ffffL;
                a1 ^= t << 16;
                a3 ^= t;
                t = (a4 >>> 16 ^ a6) & 0xffff_0000_ffffL;
                a4 ^= t << 16;
                a6 ^= t;
                t = (a5 >>> 16 ^ a7) & 0xffff_0000_ffffL;
                a5 ^= t << 16;
                a7 ^= t;
                t = (a0 >>> 8 ^ a1) & 0xff_00ff_00ff_00ffL; // bytes of neighbours
                a0 ^= t << 8;
                a1 ^= t;
                t = (a2 >>> 8 ^ a3) & 0xff_00ff_00ff_00ffL;
                a2 ^= t << 8;
                a3 ^= t;
                t = (a4 >>> 8 ^ a5) & 0xff_00ff_00ff_00ffL;
                a4 ^= t << 8;
                a5 ^= t;
                t = (a6 >>> 8 ^ a7) & 0xff_00ff_00ff_00ffL;
                a6 ^= t << 8;
                a7 ^= t;
                long line = to + 8L * i * format.rows + row;
                data.set(LITTLE_LONG, line, a0);
                data.set(LITTLE_LONG, line + format.rows, a1);
                data.set(LITTLE_LONG, line + 2L * format.rows, a2);
                data.set(LITTLE_LONG, line + 3L * format.rows, a3);
                data.set(LITTLE_LONG, line + 4L * format.rows, a4);
                data.set(LITTLE_LONG, line + 5L * format.rows, a5);
                data.set(LITTLE_LONG, line + 6L * format.rows, a6);
                data.set(LITTLE_LONG, line + 7L * format.rows, a7);
            }
        }
    }

    /** Eight codes and eight codes, four bits each, as eight bytes: the first in the low bits. */
    private static long pair(int low, int high) {
        return Long.expand(low & 0xffff_ffffL, 0x0f0f_0f0f_0f0f_0f0fL)
                | Long.expand(high & 0xffff_ffffL, 0xf0f0_f0f0_f0f0_f0f0L);
    }

    private static void release(Matrix matrix, StripMemory memory) {
        switch (matrix) {
            case GgufMxFp4Matrix m -> memory.release(m.data().asSlice(m.offset(), m.rows() * m.rowStride()));
            case BF16Matrix m ->
                memory.release(m.data().asSlice(m.offset(), (m.rows() - 1) * m.rowStride() + 2L * m.columns()));
            case Q8_0Matrix m -> memory.release(m.data().asSlice(m.offset(), m.rows() * m.rowStride()));
            case QuantizedMatrix m -> memory.release(m.data().asSlice(m.offset(), m.rows() * m.rowStride()));
            case MxFp4Matrix m -> {
                long last = m.rows() - 1L;
                memory.release(m.blocks().asSlice(m.blocksOffset(), last * m.blocksRowStride() + m.columns() / 2));
                memory.release(m.scales().asSlice(m.scalesOffset(), last * m.scalesRowStride() + m.columns() / 32));
            }
            default -> {}
        }
    }
}
