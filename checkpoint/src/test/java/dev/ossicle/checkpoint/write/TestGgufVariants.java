package dev.ossicle.checkpoint.write;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.checkpoint.CheckpointException;
import dev.ossicle.checkpoint.ExpertWeights;
import dev.ossicle.checkpoint.F32Matrix;
import dev.ossicle.checkpoint.Fixtures;
import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.checkpoint.NumberFormat;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** GGUF files as others write them: other names, fused tensors, missing keys, several parts. */
class TestGgufVariants {
    private static final ModelConfig CONFIG = TestWriters.config(3, 4, 2, 40, 64, 96, 16, 4, 2, 5);

    private final ModelWeights weights = Synthesis.weights(CONFIG, 11);

    @TempDir
    Path folder;

    /** The keys without which no file is read; what Ollama's first files had. */
    private static GgufHeader header(String architecture) {
        GgufHeader header = new GgufHeader();
        header.put("general.architecture", architecture);
        String prefix = architecture + ".";
        header.put(prefix + "block_count", CONFIG.layers());
        header.put(prefix + "context_length", CONFIG.maxContext());
        header.put(prefix + "embedding_length", CONFIG.hidden());
        header.put(prefix + "attention.head_count", CONFIG.heads());
        header.put(prefix + "attention.head_count_kv", CONFIG.kvHeads());
        header.put(prefix + "attention.key_length", CONFIG.headDim());
        header.put(prefix + "attention.value_length", CONFIG.headDim());
        header.put(prefix + "attention.sliding_window", CONFIG.window());
        header.put(prefix + "attention.layer_norm_rms_epsilon", (float) CONFIG.rmsEpsilon());
        header.put(prefix + "rope.freq_base", (float) CONFIG.ropeTheta());
        header.put(prefix + "rope.scaling.factor", (float) CONFIG.ropeFactor());
        header.put(prefix + "rope.scaling.original_context_length", CONFIG.ropeOriginalContext());
        header.put(prefix + "expert_count", CONFIG.experts());
        header.put(prefix + "expert_used_count", CONFIG.expertsPerToken());
        return header;
    }

    private List<OutputTensor> tensors() {
        return new ArrayList<>(GgufWriter.slots(CONFIG).stream()
                .map(slot -> OutputTensor.of(
                        slot.name(),
                        slot.format(Formats.PUBLISHED),
                        slot.shape(),
                        slot.rows().apply(weights)))
                .toList());
    }

    private static OutputTensor renamed(OutputTensor t, String name) {
        return new OutputTensor(name, t.type(), t.shape(), t.bytes(), t.content());
    }

    private Path write(String name, GgufHeader header, List<OutputTensor> tensors) {
        Path file = folder.resolve(name);
        TensorFile.write(file, header.bytes(tensors), tensors, GgufHeader.ALIGNMENT, Progress.NONE);
        return file;
    }

    private void assertHoldsTheModel(Path file) {
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            assertThat(checkpoint.config()).isEqualTo(CONFIG);
            Fixtures.assertSame(checkpoint.weights(), weights, file.toString());
        }
    }

    @Test
    void ollamasFirstNames() {
        GgufHeader header = header("gptoss");
        header.putIntegers("tokenizer.ggml.eos_token_ids", new int[] {39, 7});
        List<OutputTensor> tensors = tensors();
        tensors.replaceAll(t -> renamed(
                t,
                t.name()
                        .replace("attn_output", "attn_out")
                        .replace("attn_sinks.weight", "attn_sinks")
                        .replace("post_attention_norm", "ffn_norm")));
        Path file = write("model.gguf", header, tensors);
        assertHoldsTheModel(file);
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            assertThat(checkpoint.endTokens()).containsExactly(39, 7);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt-oss", "gptoss"})
    void fusedGateAndUp(String architecture) {
        boolean alternating = architecture.equals("gptoss");
        long experts = CONFIG.experts();
        long inner = CONFIG.intermediate();
        for (NumberFormat format : List.of(NumberFormat.MXFP4, NumberFormat.BF16)) {
            List<OutputTensor> tensors = tensors();
            tensors.removeIf(t -> t.name().contains("ffn_gate_exps") || t.name().contains("ffn_up_exps"));
            for (int i = 0; i < CONFIG.layers(); i++) {
                LayerWeights layer = weights.layers().get(i);
                List<Matrix> halves = new ArrayList<>();
                for (ExpertWeights expert : layer.experts()) {
                    halves.add(expert.gate());
                    halves.add(expert.up());
                }
                RowSource rows = alternating
                        ? RowSource.alternating(
                                layer.experts().stream()
                                        .map(ExpertWeights::gate)
                                        .toList(),
                                layer.experts().stream().map(ExpertWeights::up).toList())
                        : RowSource.stacked(halves);
                RowSource biases = alternating
                        ? RowSource.interleaved(layer.gateBias(), layer.upBias())
                        : (index, into) -> {
                            layer.gateBias().row((int) index, into, 0);
                            layer.upBias().row((int) index, into, CONFIG.intermediate());
                        };
                String name = "blk." + i + ".ffn_gate_up_exps";
                tensors.add(OutputTensor.of(
                        name + ".weight", format, List.of(experts, 2 * inner, (long) CONFIG.hidden()), rows));
                tensors.add(OutputTensor.of(name + ".bias", NumberFormat.F32, List.of(experts, 2 * inner), biases));
            }
            assertHoldsTheModel(write(format + ".gguf", header(architecture), tensors));
        }
    }

    @Test
    void fusedQueriesKeysAndValues() {
        List<OutputTensor> tensors = tensors();
        tensors.removeIf(t -> t.name().matches(".*attn_[qkv]\\..*"));
        long rows = CONFIG.queryWidth() + 2L * CONFIG.kvWidth();
        for (int i = 0; i < CONFIG.layers(); i++) {
            LayerWeights layer = weights.layers().get(i);
            List<Matrix> parts = List.of(layer.query(), layer.key(), layer.value());
            List<float[]> biases = List.of(layer.queryBias(), layer.keyBias(), layer.valueBias());
            List<Matrix> all = new ArrayList<>();
            float[] bias = new float[(int) rows];
            int at = 0;
            for (int p = 0; p < 3; p++) {
                for (int r = 0; r < parts.get(p).rows(); r++) {
                    float[] row = new float[CONFIG.hidden()];
                    parts.get(p).row(r, row, 0);
                    all.add(F32Matrix.of(1, row.length, row));
                    bias[at++] = biases.get(p)[r];
                }
            }
            String name = "blk." + i + ".attn_qkv";
            tensors.add(OutputTensor.of(
                    name + ".weight",
                    NumberFormat.BF16,
                    List.of(rows, (long) CONFIG.hidden()),
                    RowSource.stacked(all)));
            tensors.add(OutputTensor.of(name + ".bias", NumberFormat.F32, List.of(rows), RowSource.of(bias)));
        }
        assertHoldsTheModel(write("model.gguf", header("gptoss"), tensors));
    }

    /** Writes three parts and returns their files. */
    private List<Path> split(int countInNames, int countInKeys, int tensorCount) {
        List<OutputTensor> tensors = tensors();
        int third = tensors.size() / 3;
        List<Path> files = new ArrayList<>();
        for (int part = 0; part < 3; part++) {
            GgufHeader header = part == 0 ? header("gpt-oss") : new GgufHeader();
            header.put("split.no", part);
            header.put("split.count", countInKeys);
            header.put("split.tensors.count", tensorCount < 0 ? tensors.size() : tensorCount);
            List<OutputTensor> own = tensors.subList(part * third, part == 2 ? tensors.size() : (part + 1) * third);
            String name = "m-%05d-of-%05d.gguf".formatted(part + 1, countInNames);
            files.add(write(name, header, own));
        }
        return files;
    }

    @Test
    void partsAreFoundFromAnyOfThem() throws Exception {
        List<Path> files = split(3, 3, -1);
        for (Path file : files) {
            assertHoldsTheModel(file);
        }
        Files.move(files.get(1), folder.resolve("elsewhere.gguf"));
        assertThatThrownBy(() -> Checkpoint.open(files.get(0))).hasMessage(files.get(1) + ": does not exist");
        assertThatThrownBy(() -> Checkpoint.open(folder.resolve("elsewhere.gguf")))
                .hasMessageContaining("is one of 3 parts, expected a name that ends in -00001-of-00003.gguf");
        Files.copy(files.get(2), files.get(1));
        assertThatThrownBy(() -> Checkpoint.open(files.get(0)))
                .hasMessageStartingWith(files.get(1) + ": ")
                .hasMessageContaining("says that it is part 2 of 3, expected 1 of 3");
    }

    @Test
    void partsThatDoNotAddUp() {
        assertThatThrownBy(() -> Checkpoint.open(split(3, 3, 10).getFirst()))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("the parts hold 60 tensors, expected 10");
        assertThatThrownBy(() -> Checkpoint.open(split(3, 4, -1).getFirst()))
                .hasMessageContaining("is one of 4 parts, expected a name");
        assertThatThrownBy(() -> Checkpoint.open(split(4, 4, -1).getFirst()))
                .hasMessageContaining("m-00004-of-00004.gguf: does not exist");
    }

    @Test
    void outerDimensionsOfOneMayBeDropped() {
        ModelConfig config = TestWriters.config(1, 1, 1, 40, 64, 96, 16, 4, 2, 5);
        ModelWeights model = Synthesis.weights(config, 1);
        Path whole = folder.resolve("whole.gguf");
        GgufWriter.write(whole, config, model, Formats.PUBLISHED, Synthesis.placeholderVocabulary(40), Progress.NONE);
        List<OutputTensor> tensors = GgufWriter.slots(config).stream()
                .map(slot -> {
                    List<Long> shape = slot.shape();
                    while (shape.size() > 1 && shape.getFirst() == 1) {
                        shape = shape.subList(1, shape.size());
                    }
                    return OutputTensor.of(
                            slot.name(),
                            slot.format(Formats.PUBLISHED),
                            shape,
                            slot.rows().apply(model));
                })
                .toList();
        Path dropped = folder.resolve("dropped.gguf");
        GgufWriter.write(dropped, config, tensors, Synthesis.placeholderVocabulary(40), Progress.NONE);
        try (Checkpoint a = Checkpoint.open(whole);
                Checkpoint b = Checkpoint.open(dropped)) {
            assertThat(b.tensors()).isNotEqualTo(a.tensors());
            Fixtures.assertSame(b.weights(), a.weights(), "dropped");
        }
    }

    @Test
    void keysThatChangeTheModelAreRefused() {
        List<OutputTensor> tensors = tensors();
        GgufHeader header = header("gpt-oss");
        header.put("gpt-oss.rope.scaling.type", "linear");
        assertThatThrownBy(() -> Checkpoint.open(write("a.gguf", header, tensors)))
                .hasMessageContaining("key gpt-oss.rope.scaling.type is linear, expected yarn or none");
        GgufHeader dimension = header("gpt-oss");
        dimension.put("gpt-oss.rope.dimension_count", 8);
        assertThatThrownBy(() -> Checkpoint.open(write("b.gguf", dimension, tensors)))
                .hasMessageContaining("key gpt-oss.rope.dimension_count is 8.0, expected 16.0");
        assertThatThrownBy(() -> Checkpoint.open(write("c.gguf", header("llama"), tensors)))
                .hasMessageContaining("key general.architecture is llama, expected gpt-oss");
        GgufHeader tokens = header("gpt-oss");
        tokens.putStrings("tokenizer.ggml.tokens", List.of("a", "b"));
        assertThatThrownBy(() -> Checkpoint.open(write("d.gguf", tokens, tensors)))
                .hasMessageContaining("key tokenizer.ggml.tokens has 2 entries, expected 40");
        List<OutputTensor> more = tensors();
        more.add(renamed(more.getFirst(), "rope_freqs.weight"));
        assertThatThrownBy(() -> Checkpoint.open(write("e.gguf", header("gpt-oss"), more)))
                .hasMessageContaining("tensor rope_freqs.weight has no place in a gpt-oss model");
        List<OutputTensor> twice = tensors();
        twice.add(twice.getFirst());
        assertThatThrownBy(() -> Checkpoint.open(write("f.gguf", header("gpt-oss"), twice)))
                .hasMessageContaining("tensor token_embd.weight is also in");
    }
}
