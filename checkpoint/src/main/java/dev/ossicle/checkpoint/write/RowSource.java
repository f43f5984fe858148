package dev.ossicle.checkpoint.write;

import dev.ossicle.checkpoint.F32Matrix;
import dev.ossicle.checkpoint.Matrix;
import java.util.List;

/** The rows of a tensor that is to be written, its outer dimensions flattened. */
@FunctionalInterface
interface RowSource {
    /** Fills the array, which is as long as a row. */
    void row(long index, float[] into);

    static RowSource of(float[] vector) {
        return of(F32Matrix.of(1, vector.length, vector));
    }

    static RowSource of(Matrix matrix) {
        return (index, into) -> matrix.row((int) index, into, 0);
    }

    /** Matrices of one shape, one after the other. */
    static RowSource stacked(List<Matrix> matrices) {
        int rows = matrices.getFirst().rows();
        return (index, into) -> matrices.get((int) (index / rows)).row((int) (index % rows), into, 0);
    }

    /** The same for two lists whose rows alternate. */
    static RowSource alternating(List<Matrix> even, List<Matrix> odd) {
        int rows = even.getFirst().rows();
        return (index, into) -> {
            List<Matrix> half = index % 2 == 0 ? even : odd;
            half.get((int) (index / 2 / rows)).row((int) (index / 2 % rows), into, 0);
        };
    }

    /** Rows in which the values of two matrices alternate. */
    static RowSource interleaved(Matrix even, Matrix odd) {
        return (index, into) -> {
            for (int column = 0; column < even.columns(); column++) {
                into[2 * column] = even.get((int) index, column);
                into[2 * column + 1] = odd.get((int) index, column);
            }
        };
    }

    /** The columns of matrices of one shape, as rows. */
    static RowSource transposed(List<Matrix> matrices) {
        int columns = matrices.getFirst().columns();
        return (index, into) -> {
            Matrix matrix = matrices.get((int) (index / columns));
            for (int row = 0; row < into.length; row++) {
                into[row] = matrix.get(row, (int) (index % columns));
            }
        };
    }

    /** The columns of matrices of one shape, as rows in which the values of two lists alternate. */
    static RowSource transposedInterleaved(List<Matrix> even, List<Matrix> odd) {
        int columns = even.getFirst().columns();
        return (index, into) -> {
            Matrix evens = even.get((int) (index / columns));
            Matrix odds = odd.get((int) (index / columns));
            int column = (int) (index % columns);
            for (int row = 0; row < into.length / 2; row++) {
                into[2 * row] = evens.get(row, column);
                into[2 * row + 1] = odds.get(row, column);
            }
        };
    }
}
