package dev.ossicle.checkpoint;

import java.util.Objects;

/**
 * A matrix with a low-rank change. Its values are those of the sum; kernels take the two apart and add the change's product beside
 * that of the base.
 */
public record AdaptedMatrix(Matrix base, LowRank change) implements Matrix {
    @Override
    public int rows() {
        return base.rows();
    }

    @Override
    public int columns() {
        return base.columns();
    }

    /** Of the base. */
    @Override
    public NumberFormat format() {
        return base.format();
    }

    @Override
    public float get(int row, int column) {
        double sum = 0;
        for (int k = 0; k < change.rank(); k++) {
            sum += (double) change.b().get(row, k) * change.a().get(k, column);
        }
        return (float) (base.get(row, column) + change.scale() * sum);
    }

    @Override
    public void row(int row, float[] into, int at) {
        Objects.checkIndex(row, rows());
        Objects.checkFromIndexSize(at, columns(), into.length);
        int columns = columns();
        double[] sums = new double[columns];
        float[] a = new float[columns];
        for (int k = 0; k < change.rank(); k++) {
            double b = change.b().get(row, k);
            change.a().row(k, a, 0);
            for (int i = 0; i < columns; i++) {
                sums[i] += b * a[i];
            }
        }
        base.row(row, into, at);
        for (int i = 0; i < columns; i++) {
            into[at + i] = (float) (into[at + i] + change.scale() * sums[i]);
        }
    }

    @Override
    public long bytes() {
        return base.bytes() + change.a().bytes() + change.b().bytes();
    }
}
