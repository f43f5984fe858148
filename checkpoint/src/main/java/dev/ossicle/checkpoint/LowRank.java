package dev.ossicle.checkpoint;

/**
 * A low-rank change of a matrix: {@code scale * b a} is added to it.
 *
 * @param a [r, columns]
 * @param b [rows, r]
 */
public record LowRank(Matrix a, Matrix b, float scale) {
    public int rank() {
        return a.rows();
    }
}
