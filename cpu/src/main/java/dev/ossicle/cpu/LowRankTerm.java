package dev.ossicle.cpu;

import dev.ossicle.checkpoint.AdaptedMatrix;
import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.LowRank;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.ModelWeights;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A low-rank term beside a projection, {@code scale * b a x}: first a x, once for a row of activations, then b times that. */
final class LowRankTerm {
    private final int rank;
    /** Columns padded, as the activations are. */
    private final int stride;
    /** [r, stride]. */
    private final float[][] a;
    /** [rows, r], the scale in it. */
    private final float[] b;

    private LowRankTerm(LowRank change) {
        Matrix down = change.a();
        Matrix up = change.b();
        rank = change.rank();
        stride = Lanes.padded(down.columns());
        a = new float[rank][stride];
        for (int k = 0; k < rank; k++) {
            down.row(k, a[k], 0);
        }
        b = new float[up.rows() * rank];
        for (int row = 0; row < up.rows(); row++) {
            up.row(row, b, row * rank);
        }
        for (int i = 0; i < b.length; i++) {
            b[i] *= change.scale();
        }
    }

    /** Null if the matrix is what its file says. */
    static @Nullable LowRankTerm of(Matrix matrix) {
        return matrix instanceof AdaptedMatrix adapted ? new LowRankTerm(adapted.change()) : null;
    }

    /** The terms of a layer: query, key, value, out; each null if there is none. */
    static @Nullable LowRankTerm[] of(LayerWeights layer) {
        return new LowRankTerm[] {of(layer.query()), of(layer.key()), of(layer.value()), of(layer.out())};
    }

    /** The weights that the terms stand beside. */
    static ModelWeights base(ModelWeights weights) {
        return new ModelWeights(
                weights.embedding(),
                weights.layers().stream().map(LowRankTerm::base).toList(),
                weights.norm(),
                weights.unembedding());
    }

    private static LayerWeights base(LayerWeights l) {
        return new LayerWeights(
                l.attentionNorm(),
                base(l.query()),
                l.queryBias(),
                base(l.key()),
                l.keyBias(),
                base(l.value()),
                l.valueBias(),
                l.sinks(),
                base(l.out()),
                l.outBias(),
                l.mlpNorm(),
                l.router(),
                l.routerBias(),
                l.experts(),
                l.gateBias(),
                l.upBias(),
                l.downBias());
    }

    private static Matrix base(Matrix matrix) {
        return matrix instanceof AdaptedMatrix adapted ? adapted.base() : matrix;
    }

    static boolean any(@Nullable LowRankTerm[] terms) {
        return Arrays.stream(terms).anyMatch(term -> term != null);
    }

    int rank() {
        return rank;
    }

    /**
     * {@code a x}.
     *
     * @param x from {@code xAt} on, padded
     * @param into receives r values from {@code at} on
     * @param lanes [W] scratch
     */
    void reduce(float[] x, int xAt, float[] into, int at, float[] lanes) {
        for (int k = 0; k < rank; k++) {
            TileKernels.dot(a[k], stride, x, xAt, lanes);
            into[at + k] = Lanes.sum(lanes, 0);
        }
    }

    /** Adds rows {@code first .. first + count - 1} of {@code b} times what {@link #reduce} gave to {@code out[outAt ..]}. */
    void add(int first, int count, float[] reduced, int at, float[] out, int outAt) {
        for (int i = 0; i < count; i++) {
            float sum = 0;
            for (int k = 0, w = (first + i) * rank; k < rank; k++) {
                sum += b[w + k] * reduced[at + k];
            }
            out[outAt + i] += sum;
        }
    }
}
