package dev.ossicle.checkpoint.write;

import dev.ossicle.checkpoint.CheckpointException;
import dev.ossicle.checkpoint.ExpertWeights;
import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.checkpoint.NumberFormat;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonObject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Writes the Hugging Face layout: config.json, generation_config.json and safetensors files. A tokenizer.json is for the
 * caller to add.
 */
public final class HuggingFaceWriter {
    /** As the published files are cut. */
    public static final long USUAL_SHARD_BYTES = 5_000_000_000L;

    private static final String INDEX = "model.safetensors.index.json";

    private final ModelConfig config;
    private final Formats formats;
    private final List<OutputTensor> tensors = new ArrayList<>();

    private HuggingFaceWriter(ModelConfig config, Formats formats) {
        this.config = config;
        this.formats = formats;
    }

    /**
     * Writes a model; one that is in the folder already is replaced.
     *
     * @param formats dense in F32, F16 or BF16; experts in MXFP4, or one of these three, which makes the transposed form that
     *     fine-tunes have
     * @param endTokens ids after which a generation ends; may be empty
     * @param shardBytes where to begin another file; every file has at least one tensor
     * @throws CheckpointException if the files cannot be written, or a value does not fit its format
     */
    public static void write(
            Path folder,
            ModelConfig config,
            ModelWeights weights,
            Formats formats,
            List<Integer> endTokens,
            long shardBytes,
            Progress progress) {
        if (formats.dense().blockLength() != 1 || formats.experts() == NumberFormat.Q8_0) {
            throw new IllegalArgumentException(
                    "formats are " + formats + ", must be dense F32, F16 or BF16 and experts one of these or MXFP4");
        }
        HuggingFaceWriter writer = new HuggingFaceWriter(config, formats);
        writer.add(weights);
        writer.writeShards(folder, shardBytes, progress);
        if (!endTokens.isEmpty()) {
            writeJson(
                    folder.resolve("generation_config.json"),
                    JsonObject.builder().put("eos_token_id", ids(endTokens)).build());
        }
        writeJson(folder.resolve("config.json"), writer.configJson(endTokens));
    }

    private void add(ModelWeights weights) {
        long hidden = config.hidden();
        long vocabulary = config.vocabulary();
        add("model.embed_tokens.weight", RowSource.of(weights.embedding()), vocabulary, hidden);
        for (int i = 0; i < config.layers(); i++) {
            add("model.layers." + i + ".", weights.layers().get(i));
        }
        add("model.norm.weight", RowSource.of(weights.norm()), hidden);
        add("lm_head.weight", RowSource.of(weights.unembedding()), vocabulary, hidden);
    }

    private void add(String prefix, LayerWeights layer) {
        long hidden = config.hidden();
        long inner = config.intermediate();
        long experts = config.experts();
        long queries = config.queryWidth();
        long keys = config.kvWidth();
        String attention = prefix + "self_attn.";
        add(prefix + "input_layernorm.weight", RowSource.of(layer.attentionNorm()), hidden);
        add(attention + "q_proj.weight", RowSource.of(layer.query()), queries, hidden);
        add(attention + "q_proj.bias", RowSource.of(layer.queryBias()), queries);
        add(attention + "k_proj.weight", RowSource.of(layer.key()), keys, hidden);
        add(attention + "k_proj.bias", RowSource.of(layer.keyBias()), keys);
        add(attention + "v_proj.weight", RowSource.of(layer.value()), keys, hidden);
        add(attention + "v_proj.bias", RowSource.of(layer.valueBias()), keys);
        add(attention + "sinks", RowSource.of(layer.sinks()), config.heads());
        add(attention + "o_proj.weight", RowSource.of(layer.out()), hidden, queries);
        add(attention + "o_proj.bias", RowSource.of(layer.outBias()), hidden);
        add(prefix + "post_attention_layernorm.weight", RowSource.of(layer.mlpNorm()), hidden);
        add(prefix + "mlp.router.weight", RowSource.of(layer.router()), experts, hidden);
        add(prefix + "mlp.router.bias", RowSource.of(layer.routerBias()), experts);
        addExperts(prefix + "mlp.experts.", layer);
        RowSource gateUpBias = RowSource.interleaved(layer.gateBias(), layer.upBias());
        add(prefix + "mlp.experts.gate_up_proj_bias", gateUpBias, experts, 2 * inner);
        add(prefix + "mlp.experts.down_proj_bias", RowSource.of(layer.downBias()), experts, hidden);
    }

    private void addExperts(String prefix, LayerWeights layer) {
        long hidden = config.hidden();
        long inner = config.intermediate();
        long experts = config.experts();
        List<Matrix> gate = layer.experts().stream().map(ExpertWeights::gate).toList();
        List<Matrix> up = layer.experts().stream().map(ExpertWeights::up).toList();
        List<Matrix> down = layer.experts().stream().map(ExpertWeights::down).toList();
        if (formats.experts() == NumberFormat.MXFP4) {
            addMxfp4(prefix + "gate_up_proj", RowSource.alternating(gate, up), 2 * inner, hidden);
            addMxfp4(prefix + "down_proj", RowSource.stacked(down), hidden, inner);
        } else {
            tensors.add(OutputTensor.of(
                    prefix + "gate_up_proj",
                    formats.experts(),
                    List.of(experts, hidden, 2 * inner),
                    RowSource.transposedInterleaved(gate, up)));
            tensors.add(OutputTensor.of(
                    prefix + "down_proj",
                    formats.experts(),
                    List.of(experts, inner, hidden),
                    RowSource.transposed(down)));
        }
    }

    private void addMxfp4(String name, RowSource rows, long rowCount, long columns) {
        long experts = config.experts();
        long values = experts * rowCount * columns;
        tensors.add(OutputTensor.ofBytes(
                name + "_blocks",
                List.of(experts, rowCount, columns / 32, 16L),
                (int) columns,
                values,
                rows,
                Encoding::mxfp4Blocks));
        tensors.add(OutputTensor.ofBytes(
                name + "_scales",
                List.of(experts, rowCount, columns / 32),
                (int) columns,
                values,
                rows,
                Encoding::mxfp4Scales));
    }

    private void add(String name, RowSource rows, long... shape) {
        tensors.add(OutputTensor.of(
                name, formats.dense(), LongStream.of(shape).boxed().toList(), rows));
    }

    private void writeShards(Path folder, long shardBytes, Progress progress) {
        List<List<OutputTensor>> shards = new ArrayList<>();
        long room = 0;
        for (OutputTensor tensor : tensors) {
            if (shards.isEmpty() || tensor.bytes() > room) {
                shards.add(new ArrayList<>());
                room = shardBytes;
            }
            shards.getLast().add(tensor);
            room -= tensor.bytes();
        }
        Set<String> names = new HashSet<>();
        long total = tensors.stream().mapToLong(OutputTensor::bytes).sum();
        JsonObject.Builder map = JsonObject.builder();
        long before = 0;
        for (int i = 0; i < shards.size(); i++) {
            List<OutputTensor> shard = shards.get(i);
            String name = shards.size() == 1
                    ? "model.safetensors"
                    : String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", i + 1, shards.size());
            long start = before;
            TensorFile.write(
                    folder.resolve(name),
                    safetensorsHeader(shard),
                    shard,
                    1,
                    (written, ofShard) -> progress.bytes(start + written, total));
            before += shard.stream().mapToLong(OutputTensor::bytes).sum();
            shard.forEach(tensor -> map.put(tensor.name(), name));
            names.add(name);
        }
        if (shards.size() > 1) {
            JsonObject metadata = JsonObject.builder().put("total_size", total).build();
            writeJson(
                    folder.resolve(INDEX),
                    JsonObject.builder()
                            .put("metadata", metadata)
                            .put("weight_map", map.build())
                            .build());
            names.add(INDEX);
        }
        removeOthers(folder, names);
    }

    /** What an earlier model in other shards left here would be read as part of this one. */
    private static void removeOthers(Path folder, Set<String> names) {
        try (Stream<Path> entries = Files.list(folder)) {
            for (Path file : entries.toList()) {
                String name = file.getFileName().toString();
                boolean ours = name.equals(INDEX) || name.matches("model(-\\d{5}-of-\\d{5})?\\.safetensors");
                if (ours && !names.contains(name)) {
                    Files.delete(file);
                }
            }
        } catch (IOException | UncheckedIOException e) {
            throw new CheckpointException(folder, "cannot be cleared of an earlier model: " + e, e);
        }
    }

    private static byte[] safetensorsHeader(List<OutputTensor> tensors) {
        JsonObject.Builder header = JsonObject.builder()
                .put("__metadata__", JsonObject.builder().put("format", "pt").build());
        long at = 0;
        for (OutputTensor tensor : tensors) {
            JsonArray offsets = Json.of(List.of(Json.of(at), Json.of(at + tensor.bytes())));
            JsonArray shape = Json.of(tensor.shape().stream().map(Json::of).toList());
            header.put(
                    tensor.name(),
                    JsonObject.builder()
                            .put("dtype", tensor.type())
                            .put("shape", shape)
                            .put("data_offsets", offsets)
                            .build());
            at += tensor.bytes();
        }
        byte[] json = header.build().toString().getBytes(StandardCharsets.UTF_8);
        int length = (int) TensorFile.aligned(json.length, 8);
        byte[] bytes = new byte[8 + length];
        Arrays.fill(bytes, (byte) ' ');
        MemorySegment.ofArray(bytes).set(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0, length);
        System.arraycopy(json, 0, bytes, 8, json.length);
        return bytes;
    }

    private JsonObject configJson(List<Integer> endTokens) {
        JsonObject rope = JsonObject.builder()
                .put("rope_type", "yarn")
                .put("factor", config.ropeFactor())
                .put("beta_fast", config.ropeBeta())
                .put("beta_slow", config.ropeAlpha())
                .put("original_max_position_embeddings", config.ropeOriginalContext())
                .put("truncate", false)
                .build();
        List<Json> layerTypes = IntStream.range(0, config.layers())
                .<Json>mapToObj(i -> Json.of(config.isWindowed(i) ? "sliding_attention" : "full_attention"))
                .toList();
        JsonObject.Builder json = JsonObject.builder()
                .put("architectures", Json.of(List.of(Json.of("GptOssForCausalLM"))))
                .put("model_type", "gpt_oss")
                .put("attention_bias", true)
                .put("attention_dropout", 0.0)
                .put("head_dim", config.headDim())
                .put("hidden_act", "silu")
                .put("hidden_size", config.hidden())
                .put("initial_context_length", config.ropeOriginalContext())
                .put("intermediate_size", config.intermediate())
                .put("layer_types", Json.of(layerTypes))
                .put("max_position_embeddings", config.maxContext())
                .put("num_attention_heads", config.heads())
                .put("num_experts_per_tok", config.expertsPerToken())
                .put("experts_per_token", config.expertsPerToken())
                .put("num_hidden_layers", config.layers())
                .put("num_key_value_heads", config.kvHeads())
                .put("num_local_experts", config.experts())
                .put("rms_norm_eps", config.rmsEpsilon())
                .put("rope_scaling", rope)
                .put("rope_theta", config.ropeTheta())
                .put("sliding_window", config.window())
                .put("swiglu_limit", config.swigluLimit())
                .put("tie_word_embeddings", false)
                .put("vocab_size", config.vocabulary());
        if (!endTokens.isEmpty()) {
            json.put("eos_token_id", endTokens.getFirst());
        }
        if (formats.experts() == NumberFormat.MXFP4) {
            List<Json> unquantized = List.of(
                    Json.of("model.layers.*.self_attn"),
                    Json.of("model.layers.*.mlp.router"),
                    Json.of("model.embed_tokens"),
                    Json.of("lm_head"));
            json.put(
                    "quantization_config",
                    JsonObject.builder()
                            .put("quant_method", "mxfp4")
                            .put("modules_to_not_convert", Json.of(unquantized))
                            .build());
        }
        return json.build();
    }

    private static JsonArray ids(List<Integer> tokens) {
        return Json.of(tokens.stream().map(Json::of).toList());
    }

    private static void writeJson(Path file, JsonObject json) {
        try {
            Files.writeString(file, json + "\n");
        } catch (IOException e) {
            throw new CheckpointException(file, "cannot be written: " + e, e);
        }
    }
}
