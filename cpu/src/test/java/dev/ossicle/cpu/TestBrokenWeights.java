package dev.ossicle.cpu;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.engine.Chunk;
import dev.ossicle.engine.ModelRunner;
import dev.ossicle.engine.NonFiniteException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Numbers that are not finite end in an error that says where they began. */
final class TestBrokenWeights {
    private static final ModelConfig CONFIG =
            new ModelConfig(3, 4, 4, 50, 32, 32, 16, 2, 1, 8, 2048, 150_000, 32, 128, 1, 32, 7, 1e-5);

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void namesTheLayerWhereItBegan(boolean reference) {
        assertBegins(reference, "the embedding", w -> poison(w.embedding(), 9));
        for (int l = 0; l < CONFIG.layers(); l++) {
            int index = l;
            assertBegins(
                    reference,
                    "the attention of layer " + l,
                    w -> layer(w, index).outBias()[3] = Float.NaN);
            assertBegins(
                    reference,
                    "the attention of layer " + l,
                    w -> layer(w, index).valueBias()[0] = Float.POSITIVE_INFINITY);
            assertBegins(
                    reference, "the experts of layer " + l, w -> layer(w, index).routerBias()[0] = Float.NaN);
            assertBegins(
                    reference,
                    "the experts of layer " + l,
                    w -> poison(layer(w, index).experts().get(2).down(), 5));
            assertBegins(
                    reference,
                    "the experts of layer " + l,
                    w -> poison(layer(w, index).experts().get(2).gate(), 5));
        }
        assertBegins(reference, "the unembedding", w -> poison(w.unembedding(), 49));
    }

    private static LayerWeights layer(ModelWeights weights, int index) {
        return weights.layers().get(index);
    }

    private static void poison(Matrix matrix, int row) {
        switch (matrix) {
            case dev.ossicle.checkpoint.F32Matrix m -> {
                MemorySegment data = m.data();
                data.set(ValueLayout.JAVA_FLOAT_UNALIGNED, m.offset() + row * m.rowStride(), Float.NaN);
            }
            default -> throw new AssertionError(matrix);
        }
    }

    private static void assertBegins(boolean reference, String source, Consumer<ModelWeights> breakIt) {
        ModelWeights weights = new RandomModel(4).weights(CONFIG, RandomModel.Storage.F32);
        breakIt.accept(weights);
        try (ModelRunner runner = TestSequences.open(reference, CONFIG, weights)) {
            Chunk chunk = new Chunk(runner.newSequence(20), new int[] {1, 2, 9, 4}, 1);
            assertThatThrownBy(() -> runner.forward(List.of(chunk), (c, position, logits) -> {}))
                    .isInstanceOf(NonFiniteException.class)
                    .hasMessageStartingWith(source + " gave numbers that are not finite at position ");
        }
    }
}
