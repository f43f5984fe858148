package dev.ossicle.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.checkpoint.AdaptedMatrix;
import dev.ossicle.checkpoint.F32Matrix;
import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.LowRank;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.cpu.RandomModel.Storage;
import dev.ossicle.engine.ModelRunner;
import dev.ossicle.engine.Precision;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** An adapter beside the attention's projections against the same change merged into the weights. */
final class TestLowRank {
    static IntStream seeds() {
        return IntStream.range(0, 12);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void equalsMergedWeights(int seed) {
        RandomModel model = new RandomModel(seed);
        Random random = new Random(seed);
        ModelConfig config = oneWay(model.config());
        ModelWeights base = model.weights(config);
        ModelWeights adapted = map(base, matrix -> adapted(matrix, 1 + random.nextInt(20), random));
        ModelWeights merged = map(adapted, TestLowRank::merged);
        int[] tokens = model.tokens(config, 1 + random.nextInt(60));
        float[][] want;
        try (ModelRunner reference = new ReferenceModelRunner(config, merged)) {
            want = Logits.whole(reference, tokens);
        }
        try (ModelRunner reference = new ReferenceModelRunner(config, base)) {
            assertThat(Logits.relativeError(Logits.whole(reference, tokens)[0], want[0]))
                    .as("seed %d: the adapter matters", seed)
                    .isGreaterThan(1e-3);
        }
        try (ModelRunner reference = new ReferenceModelRunner(config, adapted)) {
            assertClose(Logits.whole(reference, tokens), want, "reference, seed " + seed);
        }
        try (VectorModelRunner vector = new VectorModelRunner(config, adapted, 1 + random.nextInt(3), 32)) {
            assertThat(vector.description()).contains("LoRA adapter");
            float[][] whole = Logits.whole(vector, tokens);
            assertClose(whole, want, "prefill, seed " + seed);
            assertThat(Logits.pieces(vector, tokens, 1))
                    .as("decode, seed %d", seed)
                    .isDeepEqualTo(whole);
        }
    }

    /** On kernels of re-laid weights; the cache is rounded, in both. */
    @Test
    void equalsMergedWeightsInFastPrecision() {
        RandomModel model = new RandomModel(3);
        ModelConfig config = oneWay(model.config());
        Random random = new Random(3);
        ModelWeights adapted = map(model.weights(config, Storage.Q8_0), matrix -> adapted(matrix, 8, random));
        int[] tokens = model.tokens(config, 40);
        try (ModelRunner fast = new VectorModelRunner(config, adapted, 2, Precision.FAST);
                ModelRunner exact = new VectorModelRunner(config, map(adapted, TestLowRank::merged), 2)) {
            float[][] want = Logits.whole(exact, tokens);
            float[][] got = Logits.whole(fast, tokens);
            for (int position = 0; position < want.length; position++) {
                assertThat(Logits.relativeError(got[position], want[position])).isLessThan(2e-3);
            }
        }
    }

    /** All experts for each token: rounding decides nothing. */
    private static ModelConfig oneWay(ModelConfig c) {
        return new ModelConfig(
                c.layers(),
                2,
                2,
                c.vocabulary(),
                c.hidden(),
                c.intermediate(),
                c.headDim(),
                c.heads(),
                c.kvHeads(),
                c.window(),
                c.maxContext(),
                c.ropeTheta(),
                c.ropeFactor(),
                c.ropeOriginalContext(),
                c.ropeAlpha(),
                c.ropeBeta(),
                c.swigluLimit(),
                c.rmsEpsilon());
    }

    private static void assertClose(float[][] got, float[][] want, String where) {
        double sum = 0;
        for (int position = 0; position < want.length; position++) {
            sum += Logits.relativeError(got[position], want[position]);
        }
        assertThat(sum / want.length).as(where).isLessThanOrEqualTo(1e-5);
    }

    private static Matrix adapted(Matrix base, int rank, Random random) {
        if (random.nextInt(5) == 0) {
            return base; // an adapter need not change every projection
        }
        return new AdaptedMatrix(
                base,
                new LowRank(
                        random(rank, base.columns(), 1 / Math.sqrt(base.columns()), random),
                        random(base.rows(), rank, 1 / Math.sqrt(rank), random),
                        0.7f));
    }

    private static Matrix random(int rows, int columns, double deviation, Random random) {
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (deviation * random.nextGaussian());
        }
        return F32Matrix.of(rows, columns, values);
    }

    /** By the definition, in double precision. */
    private static Matrix merged(Matrix matrix) {
        if (!(matrix instanceof AdaptedMatrix(Matrix base, LowRank change))) {
            return matrix;
        }
        float[] values = new float[base.rows() * base.columns()];
        for (int row = 0; row < base.rows(); row++) {
            for (int column = 0; column < base.columns(); column++) {
                double sum = 0;
                for (int k = 0; k < change.rank(); k++) {
                    sum += (double) change.b().get(row, k) * change.a().get(k, column);
                }
                values[row * base.columns() + column] = (float) (base.get(row, column) + change.scale() * sum);
            }
        }
        return F32Matrix.of(base.rows(), base.columns(), values);
    }

    private static ModelWeights map(ModelWeights w, UnaryOperator<Matrix> attention) {
        return new ModelWeights(
                w.embedding(),
                w.layers().stream().map(layer -> map(layer, attention)).toList(),
                w.norm(),
                w.unembedding());
    }

    private static LayerWeights map(LayerWeights l, UnaryOperator<Matrix> attention) {
        return new LayerWeights(
                l.attentionNorm(),
                attention.apply(l.query()),
                l.queryBias(),
                attention.apply(l.key()),
                l.keyBias(),
                attention.apply(l.value()),
                l.valueBias(),
                l.sinks(),
                attention.apply(l.out()),
                l.outBias(),
                l.mlpNorm(),
                l.router(),
                l.routerBias(),
                l.experts(),
                l.gateBias(),
                l.upBias(),
                l.downBias());
    }
}
