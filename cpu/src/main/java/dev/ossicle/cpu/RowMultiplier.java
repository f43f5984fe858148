package dev.ossicle.cpu;

import dev.ossicle.checkpoint.Matrix;

/** Multiplies blocks of up to 32 rows of weights with activations. One thread's scratch memory goes with it. */
final class RowMultiplier {
    /** Rows that one task computes. */
    static final int BLOCK = 32;

    /** Rows of the largest tile. Vectors of 512 bits come with 32 registers; others may have 16. */
    private static final int TILE = Lanes.WIDTH > 8 ? 8 : 4;

    /** Rows that are expanded together [TILE, padded columns]. */
    private float[] expanded = new float[0];
    /** [3, TILE, W] sums that are still apart, lane by lane. */
    private final float[] lanes = new float[3 * TILE * Lanes.WIDTH + Lanes.APART];

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
                sum(0, 4, out, row);
                row += 4;
            }
        }
        int columns = Lanes.padded(matrix.columns());
        if (expanded.length < TILE * columns) {
            expanded = new float[TILE * columns + Lanes.APART];
        }
        for (; TILE == 8 && vectors >= 3 && row + 8 <= rows; row += 8) {
            for (int r = 0; r < 8; r++) {
                MatrixKernels.expand(matrix, first + row + r, expanded, r * columns);
            }
            int t = 0;
            for (; t + 3 <= vectors; t += 3) {
                int at = from + t;
                TileKernels.dot8x3(expanded, columns, columns, x, xAt[at], xAt[at + 1], xAt[at + 2], lanes);
                sum(0, 8, out, t * BLOCK + row);
                sum(1, 8, out, (t + 1) * BLOCK + row);
                sum(2, 8, out, (t + 2) * BLOCK + row);
            }
            for (; t < vectors; t++) {
                TileKernels.dot4(expanded, 0, columns, columns, x, xAt[from + t], lanes);
                sum(0, 4, out, t * BLOCK + row);
                TileKernels.dot4(expanded, 4 * columns, columns, columns, x, xAt[from + t], lanes);
                sum(0, 4, out, t * BLOCK + row + 4);
            }
        }
        for (; row + 4 <= rows; row += 4) {
            for (int r = 0; r < 4; r++) {
                MatrixKernels.expand(matrix, first + row + r, expanded, r * columns);
            }
            int t = 0;
            for (; t + 3 <= vectors; t += 3) {
                int at = from + t;
                TileKernels.dot4x3(expanded, columns, columns, x, xAt[at], xAt[at + 1], xAt[at + 2], lanes);
                sum(0, 4, out, t * BLOCK + row);
                sum(1, 4, out, (t + 1) * BLOCK + row);
                sum(2, 4, out, (t + 2) * BLOCK + row);
            }
            for (; t < vectors; t++) {
                TileKernels.dot4(expanded, 0, columns, columns, x, xAt[from + t], lanes);
                sum(0, 4, out, t * BLOCK + row);
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

    /** The sums of all rows of the tile with one of the vectors. */
    private void sum(int vector, int rows, float[] out, int at) {
        for (int r = 0; r < rows; r++) {
            out[at + r] = Lanes.sum(lanes, (rows * vector + r) * Lanes.WIDTH);
        }
    }
}
