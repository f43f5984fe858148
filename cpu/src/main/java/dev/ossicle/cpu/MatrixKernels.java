package dev.ossicle.cpu;

import static dev.ossicle.cpu.Lanes.FLOATS;
import static dev.ossicle.cpu.Lanes.WIDTH;

import dev.ossicle.checkpoint.AdaptedMatrix;
import dev.ossicle.checkpoint.BF16Matrix;
import dev.ossicle.checkpoint.F16Matrix;
import dev.ossicle.checkpoint.F32Matrix;
import dev.ossicle.checkpoint.GgufMxFp4Matrix;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.MxFp4Matrix;
import dev.ossicle.checkpoint.Q8_0Matrix;
import dev.ossicle.checkpoint.QuantizedMatrix;
import java.util.Arrays;

/** Picks the kernel of a matrix by its number format and storage order. */
final class MatrixKernels {
    private MatrixKernels() {}

    /** Expands a row, and fills it with zeros up to its padded length. */
    static void expand(Matrix matrix, int row, float[] into, int at) {
        int columns = matrix.columns();
        int whole = FLOATS.loopBound(columns);
        switch (matrix) {
            case BF16Matrix m
            when m.columnStride() == 2 -> {
                Bf16Kernels.expand(m.data(), m.offset() + row * m.rowStride(), whole, into, at);
                expandTail(m, row, whole, into, at);
            }
            case F32Matrix m
            when m.columnStride() == 4 -> {
                F32Kernels.expand(m.data(), m.offset() + row * m.rowStride(), whole, into, at);
                expandTail(m, row, whole, into, at);
            }
            case Q8_0Matrix m -> Q8Kernels.expand(m.data(), m.offset() + row * m.rowStride(), columns, into, at);
            case MxFp4Matrix m ->
                MxFp4Kernels.expand(
                        m.blocks(),
                        m.blocksOffset() + row * m.blocksRowStride(),
                        m.scales(),
                        m.scalesOffset() + row * m.scalesRowStride(),
                        columns,
                        into,
                        at);
            case GgufMxFp4Matrix m ->
                MxFp4Kernels.expandGguf(m.data(), m.offset() + row * m.rowStride(), columns, into, at);
            case BF16Matrix m -> m.row(row, into, at);
            case F32Matrix m -> m.row(row, into, at);
            case F16Matrix m -> m.row(row, into, at);
            case QuantizedMatrix m -> m.row(row, into, at);
            case AdaptedMatrix m -> m.row(row, into, at);
        }
        Arrays.fill(into, at + columns, at + Lanes.padded(columns), 0);
    }

    private static void expandTail(Matrix matrix, int row, int from, float[] into, int at) {
        for (int column = from; column < matrix.columns(); column++) {
            into[at + column] = matrix.get(row, column);
        }
    }

    /**
     * Four neighbouring rows times one vector of activations, straight from the mapping.
     *
     * @param lanes [4, W] sums of the rows, lane by lane
     * @return false if there is no kernel for this: then the rows have to be expanded
     */
    static boolean dot4(Matrix matrix, int row, float[] x, int at, float[] lanes) {
        int columns = matrix.columns();
        switch (matrix) {
            case BF16Matrix m
            when m.columnStride() == 2 && columns % WIDTH == 0 ->
                Bf16Kernels.dot4(m.data(), m.offset() + row * m.rowStride(), m.rowStride(), columns, x, at, lanes);
            case F32Matrix m
            when m.columnStride() == 4 && columns % WIDTH == 0 ->
                F32Kernels.dot4(m.data(), m.offset() + row * m.rowStride(), m.rowStride(), columns, x, at, lanes);
            case Q8_0Matrix m -> {
                long stride = m.rowStride();
                long at0 = m.offset() + row * stride;
                Q8Kernels.dot2(m.data(), at0, stride, columns, x, at, lanes, 0);
                Q8Kernels.dot2(m.data(), at0 + 2 * stride, stride, columns, x, at, lanes, 2 * WIDTH);
            }
            case GgufMxFp4Matrix m -> {
                long stride = m.rowStride();
                long at0 = m.offset() + row * stride;
                MxFp4Kernels.dot2Gguf(m.data(), at0, stride, columns, x, at, lanes, 0);
                MxFp4Kernels.dot2Gguf(m.data(), at0 + 2 * stride, stride, columns, x, at, lanes, 2 * WIDTH);
            }
            case MxFp4Matrix m -> {
                dot2(m, row, x, at, lanes, 0);
                dot2(m, row + 2, x, at, lanes, 2 * WIDTH);
            }
            case BF16Matrix m -> {
                return false;
            }
            case F32Matrix m -> {
                return false;
            }
            case F16Matrix m -> {
                return false;
            }
            case QuantizedMatrix m -> {
                return false;
            }
            case AdaptedMatrix m -> {
                return false;
            }
        }
        return true;
    }

    private static void dot2(MxFp4Matrix m, int row, float[] x, int at, float[] lanes, int lanesAt) {
        MxFp4Kernels.dot2(
                m.blocks(),
                m.blocksOffset() + row * m.blocksRowStride(),
                m.blocksRowStride(),
                m.scales(),
                m.scalesOffset() + row * m.scalesRowStride(),
                m.scalesRowStride(),
                m.columns(),
                x,
                at,
                lanes,
                lanesAt);
    }
}
