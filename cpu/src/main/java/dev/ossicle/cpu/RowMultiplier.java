package dev.ossicle.cpu;

import dev.ossicle.checkpoint.Matrix;

/** Multiplies blocks of up to 32 rows of weights with activations. One thread's scratch memory goes with it. */
final class RowMultiplier {
    /** Rows that one task computes. */
    static final int BLOCK = 32;

    /** Rows that are expanded together [4, padded columns]. */
    private float[] expanded = new float[0];
    /** [3, 4, W] sums that are still apart, lane by lane. */
    private final float[] lanes = new float[12 * Lanes.WIDTH];

    static int blocks(int rows) {
        return (rows + BLOCK - 1) / BLOCK;
    }

    /**
     * Rows {@code first .. first + rows - 1} of the matrix times {@code vectors} vectors of activations.
     *
     * @param x vectors of padded(columns) values
     * @param xAt where each vector begins; those from index {@code from} on are meant
     * @param out [vectors, BLOCK]
     */
    void multiply(Matrix matrix, int first, int rows, float[] x, int[] xAt, int from, int vectors, float[] out) {
        int row = 0;
        if (vectors == 1) {
            while (row + 4 <= rows && MatrixKernels.dot4(matrix, first + row, x, xAt[from], lanes)) {
                sum(0, out, row);
                row += 4;
            }
        }
        int columns = Lanes.padded(matrix.columns());
        if (expanded.length < 4 * columns) {
            expanded = new float[4 * columns];
        }
        for (; row + 4 <= rows; row += 4) {
            for (int r = 0; r < 4; r++) {
                MatrixKernels.expand(matrix, first + row + r, expanded, r * columns);
            }
            int t = 0;
            for (; t + 3 <= vectors; t += 3) {
                int at = from + t;
                TileKernels.dot4x3(expanded, columns, columns, x, xAt[at], xAt[at + 1], xAt[at + 2], lanes);
                sum(0, out, t * BLOCK + row);
                sum(1, out, (t + 1) * BLOCK + row);
                sum(2, out, (t + 2) * BLOCK + row);
            }
            for (; t < vectors; t++) {
                TileKernels.dot4(expanded, columns, columns, x, xAt[from + t], lanes);
                sum(0, out, t * BLOCK + row);
            }
        }
        for (; row < rows; row++) {
            MatrixKernels.expand(matrix, first + row, expanded, 0);
            for (int t = 0; t < vectors; t++) {
                TileKernels.dot(expanded, columns, x, xAt[from + t], lanes);
                out[t * BLOCK + row] = Lanes.sum(lanes, 0);
            }
        }
    }

    /** The four sums of one of the three vectors. */
    private void sum(int vector, float[] out, int at) {
        for (int r = 0; r < 4; r++) {
            out[at + r] = Lanes.sum(lanes, (4 * vector + r) * Lanes.WIDTH);
        }
    }
}
