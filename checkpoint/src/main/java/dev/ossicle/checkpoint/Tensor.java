package dev.ossicle.checkpoint;

import java.util.Arrays;
import java.util.List;

/**
 * A tensor as a file declares it, its place in that file checked.
 *
 * @param type as the file calls it: "BF16", "U8", "MXFP4"
 * @param shape outermost dimension first, whatever the file's order
 * @param offset of its first byte in the file
 */
record Tensor(String name, String type, List<Long> shape, MappedFile file, long offset, long bytes) {

    /** The number format, for a type that {@link Tensors#take} let through. */
    NumberFormat format() {
        return NumberFormat.valueOf(type);
    }

    /**
     * A matrix of some rows of this tensor, which is seen as [all rows, columns].
     *
     * @param first row of the tensor that becomes row 0
     * @param step from one row to the next: 2 where gate and up rows alternate
     */
    Matrix rows(long first, int step, int rows, int columns) {
        long rowBytes = format().bytes(columns);
        long start = offset + first * rowBytes;
        long stride = step * rowBytes;
        return switch (format()) {
            case F32 -> new F32Matrix(rows, columns, file.data(), start, stride, 4);
            case F16 -> new F16Matrix(rows, columns, file.data(), start, stride, 2);
            case BF16 -> new BF16Matrix(rows, columns, file.data(), start, stride, 2);
            case Q8_0 -> new Q8_0Matrix(rows, columns, file.data(), start, stride);
            case MXFP4 -> new GgufMxFp4Matrix(rows, columns, file.data(), start, stride);
            case Q2_K, Q3_K, Q4_0, Q4_1, Q4_K, Q5_0, Q5_1, Q5_K, Q6_K, IQ4_NL, IQ4_XS ->
                new QuantizedMatrix(format(), rows, columns, file.data(), start, stride);
        };
    }

    /** A matrix of values that lie anywhere in this tensor of unblocked numbers; all distances count values. */
    Matrix strided(long first, int rows, int columns, long rowStep, long columnStep) {
        NumberFormat format = format();
        long size = format.blockBytes();
        long start = offset + first * size;
        return switch (format) {
            case F32 -> new F32Matrix(rows, columns, file.data(), start, rowStep * size, columnStep * size);
            case F16 -> new F16Matrix(rows, columns, file.data(), start, rowStep * size, columnStep * size);
            case BF16 -> new BF16Matrix(rows, columns, file.data(), start, rowStep * size, columnStep * size);
            case Q8_0, MXFP4, Q2_K, Q3_K, Q4_0, Q4_1, Q4_K, Q5_0, Q5_1, Q5_K, Q6_K, IQ4_NL, IQ4_XS ->
                throw new IllegalStateException(name + " has blocks");
        };
    }

    /** The values of a small tensor, copied to the heap. */
    float[] vector(int length) {
        float[] values = new float[length];
        rows(0, 1, 1, length).row(0, values, 0);
        return values;
    }

    static String describe(List<Long> shape) {
        return Arrays.toString(shape.toArray());
    }
}
