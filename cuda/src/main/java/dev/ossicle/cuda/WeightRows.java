package dev.ossicle.cuda;

import dev.ossicle.checkpoint.BF16Matrix;
import dev.ossicle.checkpoint.GgufMxFp4Matrix;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.MxFp4Matrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Rows of a matrix in the form that the kernels read.
 *
 * @param rows how many
 * @param rowBytes of each
 */
record WeightRows(int rows, int rowBytes, Writer writer) {
    static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long LOW_HALVES = 0x0f0f0f0f0f0f0f0fL;

    /** Writes some rows one after another. */
    @FunctionalInterface
    interface Writer {
        void write(int first, int count, MemorySegment into);
    }

    /**
     * Writes rows one after another.
     *
     * @throws IllegalArgumentException if there is something in them that is no number, saying where
     */
    void write(int first, int count, MemorySegment into) {
        writer.write(first, count, into);
    }

    /** As fp16, rounded to the nearest: bf16 loses something only below 8e-6, and there at most 3e-8. */
    static WeightRows fp16(Matrix matrix) {
        int rowBytes = 2 * matrix.columns();
        return new WeightRows(matrix.rows(), rowBytes, (first, count, into) -> {
            float[] row = new float[matrix.columns()];
            short[] bits = new short[row.length];
            for (int i = 0; i < count; i++) {
                matrix.row(first + i, row, 0);
                for (int c = 0; c < row.length; c++) {
                    bits[c] = Float.floatToFloat16(row[c]);
                }
                for (int c = 0; c < row.length; c++) {
                    if ((bits[c] & 0x7fff) == 0x7c00 && Float.isFinite(row[c])) {
                        throw new IllegalArgumentException("row " + (first + i) + ", column " + c + " is " + row[c]
                                + "; on a GPU it can be 65504 at most");
                    }
                }
                MemorySegment.copy(bits, 0, into, SHORT, (long) i * rowBytes, bits.length);
            }
        });
    }

    /** As bf16, rounded to the nearest where the file has more. */
    static WeightRows bf16(Matrix matrix) {
        int rowBytes = 2 * matrix.columns();
        if (matrix instanceof BF16Matrix same && same.columnStride() == 2) {
            return new WeightRows(matrix.rows(), rowBytes, (first, count, into) -> {
                for (int i = 0; i < count; i++) {
                    long from = same.offset() + (first + i) * same.rowStride();
                    MemorySegment.copy(same.data(), from, into, (long) i * rowBytes, rowBytes);
                }
            });
        }
        return new WeightRows(matrix.rows(), rowBytes, (first, count, into) -> {
            float[] row = new float[matrix.columns()];
            for (int i = 0; i < count; i++) {
                matrix.row(first + i, row, 0);
                long to = (long) i * rowBytes;
                for (int c = 0; c < row.length; c++) {
                    into.set(SHORT, to + 2L * c, rounded(row[c]));
                }
            }
        });
    }

    /** To the nearest bf16, of two the even one; NaN stays NaN. */
    static short rounded(float value) {
        int bits = Float.floatToRawIntBits(value);
        return Float.isNaN(value) ? 0x7fff : (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }

    /** As floats. */
    static WeightRows floats(Matrix matrix) {
        int rowBytes = 4 * matrix.columns();
        return new WeightRows(matrix.rows(), rowBytes, (first, count, into) -> {
            float[] row = new float[matrix.columns()];
            for (int i = 0; i < count; i++) {
                matrix.row(first + i, row, 0);
                MemorySegment.copy(row, 0, into, FLOAT, (long) i * rowBytes, row.length);
            }
        });
    }

    /** Rows of floats, each with the values of two matrices in turn. */
    static WeightRows alternatingFloats(Matrix even, Matrix odd) {
        int rowBytes = 8 * even.columns();
        return new WeightRows(even.rows(), rowBytes, (first, count, into) -> {
            float[] a = new float[even.columns()];
            float[] b = new float[odd.columns()];
            for (int i = 0; i < count; i++) {
                even.row(first + i, a, 0);
                odd.row(first + i, b, 0);
                long to = (long) i * rowBytes;
                for (int c = 0; c < a.length; c++) {
                    into.set(FLOAT, to + 8L * c, a[c]);
                    into.set(FLOAT, to + 8L * c + 4, b[c]);
                }
            }
        });
    }

    /** The four-bit codes of an MXFP4 matrix, that of column 2j in the low half of byte j. */
    static WeightRows codes(Matrix matrix) {
        int rowBytes = matrix.columns() / 2;
        return new WeightRows(matrix.rows(), rowBytes, (first, count, into) -> {
            for (int i = 0; i < count; i++) {
                long to = (long) i * rowBytes;
                switch (matrix) {
                    case MxFp4Matrix same -> {
                        long from = same.blocksOffset() + (first + i) * same.blocksRowStride();
                        MemorySegment.copy(same.blocks(), from, into, to, rowBytes);
                    }
                    case GgufMxFp4Matrix gguf -> relay(gguf, first + i, into, to);
                    default -> throw notMxFp4(matrix);
                }
            }
        });
    }

    /** A block has the codes 0 to 15 in the low halves of its bytes and 16 to 31 in the high ones. */
    private static void relay(GgufMxFp4Matrix from, int row, MemorySegment into, long to) {
        long block = from.offset() + row * from.rowStride();
        for (int column = 0; column < from.columns(); column += 32, block += 17, to += 16) {
            long a = from.data().get(LONG, block + 1);
            long b = from.data().get(LONG, block + 9);
            into.set(LONG, to, Long.compress(a, LOW_HALVES) | Long.compress(b, LOW_HALVES) << 32);
            into.set(LONG, to + 8, Long.compress(a, ~LOW_HALVES) | Long.compress(b, ~LOW_HALVES) << 32);
        }
    }

    /** The scales of an MXFP4 matrix; 255, which means that a block is no number, is refused. */
    static WeightRows scales(Matrix matrix) {
        int rowBytes = matrix.columns() / 32;
        return new WeightRows(matrix.rows(), rowBytes, (first, count, into) -> {
            for (int i = 0; i < count; i++) {
                long to = (long) i * rowBytes;
                switch (matrix) {
                    case MxFp4Matrix same -> {
                        long from = same.scalesOffset() + (first + i) * same.scalesRowStride();
                        MemorySegment.copy(same.scales(), from, into, to, rowBytes);
                    }
                    case GgufMxFp4Matrix gguf -> {
                        long block = gguf.offset() + (first + i) * gguf.rowStride();
                        for (int b = 0; b < rowBytes; b++) {
                            byte scale = gguf.data().get(ValueLayout.JAVA_BYTE, block + 17L * b);
                            into.set(ValueLayout.JAVA_BYTE, to + b, scale);
                        }
                    }
                    default -> throw notMxFp4(matrix);
                }
                check(first + i, into, to, rowBytes);
            }
        });
    }

    private static void check(int row, MemorySegment scales, long from, int count) {
        for (int i = 0; i < count; i++) {
            if (scales.get(ValueLayout.JAVA_BYTE, from + i) == -1) {
                throw new IllegalArgumentException("row " + row + ", columns from " + 32 * i
                        + " have the scale 255, which is no number: the file is damaged");
            }
        }
    }

    private static IllegalStateException notMxFp4(Matrix matrix) {
        return new IllegalStateException(matrix.format() + " where MXFP4 was checked"); // before loading began
    }

    /** Rows of two matrices in turn. */
    static WeightRows alternating(WeightRows even, WeightRows odd) {
        int rowBytes = even.rowBytes;
        return new WeightRows(2 * even.rows, rowBytes, (first, count, into) -> {
            for (int i = 0; i < count; i++) {
                int row = first + i;
                MemorySegment target = into.asSlice((long) i * rowBytes, rowBytes);
                (row % 2 == 0 ? even : odd).write(row / 2, 1, target);
            }
        });
    }
}
