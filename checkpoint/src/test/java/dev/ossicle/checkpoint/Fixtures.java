package dev.ossicle.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The checkpoints in fixtures/model, each in three layouts, and ways to compare what was read. */
public final class Fixtures {
    public static final Path ROOT = Path.of("..", "fixtures", "model");
    public static final List<String> NAMES = List.of("small", "window", "long");

    private Fixtures() {}

    public static Path original(String name) {
        return ROOT.resolve(name).resolve("original");
    }

    public static Path huggingFace(String name) {
        return ROOT.resolve(name).resolve("hf");
    }

    public static Path gguf(String name) {
        return ROOT.resolve(name).resolve("model.gguf");
    }

    /** A weight of a model with its name, for messages. */
    public record Named(String name, Matrix matrix) {
        public float[][] values() {
            float[][] values = new float[matrix.rows()][matrix.columns()];
            for (int row = 0; row < values.length; row++) {
                matrix.row(row, values[row], 0);
            }
            return values;
        }
    }

    /** Every weight of a model, vectors included, always in the same order. */
    public static List<Named> all(ModelWeights weights) {
        List<Named> all = new ArrayList<>();
        all.add(new Named("embedding", weights.embedding()));
        for (int i = 0; i < weights.layers().size(); i++) {
            LayerWeights layer = weights.layers().get(i);
            String at = "layer " + i + " ";
            all.add(vector(at + "attention norm", layer.attentionNorm()));
            all.add(new Named(at + "query", layer.query()));
            all.add(vector(at + "query bias", layer.queryBias()));
            all.add(new Named(at + "key", layer.key()));
            all.add(vector(at + "key bias", layer.keyBias()));
            all.add(new Named(at + "value", layer.value()));
            all.add(vector(at + "value bias", layer.valueBias()));
            all.add(vector(at + "sinks", layer.sinks()));
            all.add(new Named(at + "out", layer.out()));
            all.add(vector(at + "out bias", layer.outBias()));
            all.add(vector(at + "mlp norm", layer.mlpNorm()));
            all.add(new Named(at + "router", layer.router()));
            all.add(vector(at + "router bias", layer.routerBias()));
            for (int e = 0; e < layer.experts().size(); e++) {
                ExpertWeights expert = layer.experts().get(e);
                all.add(new Named(at + "expert " + e + " gate", expert.gate()));
                all.add(new Named(at + "expert " + e + " up", expert.up()));
                all.add(new Named(at + "expert " + e + " down", expert.down()));
            }
            all.add(new Named(at + "gate bias", layer.gateBias()));
            all.add(new Named(at + "up bias", layer.upBias()));
            all.add(new Named(at + "down bias", layer.downBias()));
        }
        all.add(vector("norm", weights.norm()));
        all.add(new Named("unembedding", weights.unembedding()));
        return all;
    }

    private static Named vector(String name, float[] values) {
        return new Named(name, F32Matrix.of(1, values.length, values));
    }

    /** Both models have the same values everywhere. */
    public static void assertSame(ModelWeights found, ModelWeights expected, String what) {
        List<Named> all = all(found);
        List<Named> expectedAll = all(expected);
        assertThat(all).as(what).hasSameSizeAs(expectedAll);
        for (int i = 0; i < all.size(); i++) {
            assertThat(all.get(i).values())
                    .as("%s, %s", what, all.get(i).name())
                    .isDeepEqualTo(expectedAll.get(i).values());
        }
    }
}
