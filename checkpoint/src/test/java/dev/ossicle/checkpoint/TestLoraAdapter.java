package dev.ossicle.checkpoint;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.checkpoint.Adapters.Factor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** PEFT's adapters on a checkpoint of the fixtures, in each of its layouts. */
class TestLoraAdapter {
    private static final String CONFIG = """
            {"peft_type": "LORA", "base_model_name_or_path": "openai/gpt-oss-20b", "r": 4, "lora_alpha": 6,
             "bias": "none", "use_rslora": false, "use_dora": false, "fan_in_fan_out": false, "rank_pattern": {},
             "alpha_pattern": {}, "modules_to_save": null, "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj"]}
            """;

    @TempDir
    Path folder;

    private static ModelConfig shape() {
        try (Checkpoint checkpoint = Checkpoint.open(Fixtures.gguf("small"))) {
            return checkpoint.config();
        }
    }

    private Path adapter(String config, Map<String, Factor> factors) throws IOException {
        return Adapters.write(folder.resolve("adapter"), config, factors);
    }

    @ParameterizedTest
    @CsvSource({"false, 1.5", "true, 3"})
    void everyProjectionIsChanged(boolean rslora, float scale) throws IOException {
        Map<String, Factor> factors = Adapters.random(shape(), 4, 1);
        Path adapter = adapter(CONFIG.replace("\"use_rslora\": false", "\"use_rslora\": " + rslora), factors);
        for (Path path :
                new Path[] {Fixtures.gguf("small"), Fixtures.huggingFace("small"), Fixtures.original("small")}) {
            try (Checkpoint plain = Checkpoint.open(path);
                    Checkpoint adapted = Checkpoint.open(path, adapter)) {
                for (int i = 0; i < plain.config().layers(); i++) {
                    LayerWeights before = plain.weights().layers().get(i);
                    LayerWeights after = adapted.weights().layers().get(i);
                    check(before.query(), after.query(), factors, i, "q", scale);
                    check(before.key(), after.key(), factors, i, "k", scale);
                    check(before.value(), after.value(), factors, i, "v", scale);
                    check(before.out(), after.out(), factors, i, "o", scale);
                    assertThat(after.router()).isNotInstanceOf(AdaptedMatrix.class);
                }
                assertThat(adapted.fingerprint()).isNotEqualTo(plain.fingerprint());
                Fixtures.assertSame(adapted.baseWeights(), plain.weights(), "base");
            }
        }
    }

    private static void check(
            Matrix before, Matrix after, Map<String, Factor> factors, int layer, String projection, float scale) {
        Factor a = requireNonNull(factors.get(Adapters.name(layer, projection, "A")));
        Factor b = requireNonNull(factors.get(Adapters.name(layer, projection, "B")));
        float[] row = new float[before.columns()];
        for (int r = 0; r < before.rows(); r += 7) {
            after.row(r, row, 0);
            for (int c = 0; c < before.columns(); c += 5) {
                double change = 0;
                for (int k = 0; k < a.rows(); k++) {
                    change += (double) b.values()[r * b.columns() + k] * a.values()[k * a.columns() + c];
                }
                float expected = (float) (before.get(r, c) + scale * change);
                assertThat(row[c]).isCloseTo(expected, Offset.offset(1e-6f));
                assertThat(after.get(r, c)).isCloseTo(expected, Offset.offset(1e-6f));
            }
        }
    }

    @Test
    void someProjectionsAreEnough() throws IOException {
        Map<String, Factor> factors = Adapters.random(shape(), 4, 1);
        factors.keySet().removeIf(name -> !name.contains("layers.1.self_attn.q_proj"));
        Path adapter = adapter(CONFIG, factors);
        try (Checkpoint adapted = Checkpoint.open(Fixtures.gguf("small"), adapter)) {
            assertThat(adapted.weights().layers().get(1).query()).isInstanceOf(AdaptedMatrix.class);
            assertThat(adapted.weights().layers().get(1).key()).isNotInstanceOf(AdaptedMatrix.class);
            assertThat(adapted.weights().layers().get(0).query()).isNotInstanceOf(AdaptedMatrix.class);
        }
    }

    private void assertRefused(String config, Map<String, Factor> factors, String message) throws IOException {
        Path adapter = adapter(config, factors);
        assertThatThrownBy(() -> Checkpoint.open(Fixtures.gguf("small"), adapter))
                .isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith(adapter.toString())
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "LORA"                    | "IA3"                     | peft_type is IA3, expected LORA
            "bias": "none"            | "bias": "all"             | bias is all, expected none
            "use_dora": false         | "use_dora": true          | use_dora is true
            "rank_pattern": {}        | "rank_pattern": {"q": 8}  | rank_pattern is not empty
            "r": 4                    | "r": 0                    | r is 0
            "r": 4                    | "r": 8                    | lora_A.weight has the shape [4, 64], expected [8, 64]
            "lora_alpha": 6           | "alpha": 6                | lora_alpha is missing
            """)
    void configurationsThatAreNotKnown(String found, String replacement, String message) throws IOException {
        assertThat(CONFIG).contains(found);
        assertRefused(CONFIG.replace(found, replacement), Adapters.random(shape(), 4, 1), message);
    }

    @Test
    void adaptersOfOtherModels() throws IOException {
        Map<String, Factor> factors = Adapters.random(shape(), 4, 1);
        Map<String, Factor> other = new LinkedHashMap<>(factors);
        other.put("base_model.model.model.layers.0.mlp.router.lora_A.weight", new Factor(4, 64, new float[256]));
        assertRefused(CONFIG, other, "mlp.router.lora_A.weight changes something else than the attention's");
        Map<String, Factor> deeper = new LinkedHashMap<>(factors);
        deeper.put(Adapters.name(9, "q", "A"), new Factor(4, 64, new float[256]));
        assertRefused(CONFIG, deeper, "layers.9.self_attn.q_proj.lora_A.weight is of a model with more layers");
        Map<String, Factor> wider = new LinkedHashMap<>(factors);
        wider.put(Adapters.name(1, "o", "B"), new Factor(96, 4, new float[384]));
        assertRefused(CONFIG, wider, "layers.1.self_attn.o_proj.lora_B.weight has the shape [96, 4], expected [64, 4]");
        Map<String, Factor> half = new LinkedHashMap<>(factors);
        half.remove(Adapters.name(2, "v", "B"));
        assertRefused(CONFIG, half, "layer 2 has only one of the two factors of v_proj");
        assertRefused(CONFIG, Map.of(), "holds no tensor");
    }

    @Test
    void foldersThatAreNoAdapter() throws IOException {
        assertThatThrownBy(() -> Checkpoint.open(Fixtures.gguf("small"), folder))
                .hasMessage(folder.resolve("adapter_config.json") + ": does not exist");
        Files.writeString(folder.resolve("adapter_config.json"), CONFIG);
        assertThatThrownBy(() -> Checkpoint.open(Fixtures.gguf("small"), folder))
                .hasMessage(folder.resolve("adapter_model.safetensors") + ": does not exist");
    }
}
