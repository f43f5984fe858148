package dev.ossicle.checkpoint.write;

import dev.ossicle.checkpoint.CheckpointException;
import dev.ossicle.checkpoint.ExpertWeights;
import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.checkpoint.NumberFormat;
import dev.ossicle.checkpoint.TokenizerSource.GgufVocabulary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.LongStream;

/** Writes a GGUF file that llama.cpp loads too: architecture gpt-oss, its tensors and keys, a vocabulary. */
public final class GgufWriter {
    /** "MXFP4 MoE" among GGUF's file types. */
    private static final int FILE_TYPE = 38;

    /**
     * A tensor of the layout.
     *
     * @param shape outermost dimension first
     * @param rows finds what it holds in a model's weights
     */
    record Slot(String name, Role role, List<Long> shape, Function<ModelWeights, RowSource> rows) {
        NumberFormat format(Formats formats) {
            NumberFormat wanted = switch (role) {
                case EMBEDDING, UNEMBEDDING, QKV, OUT -> formats.dense();
                case GATE_UP, DOWN -> formats.experts();
                case NORM, SINKS, QKV_BIAS, OUT_BIAS, ROUTER, ROUTER_BIAS, GATE_UP_BIAS, DOWN_BIAS -> NumberFormat.F32;
            };
            return wanted.forRowsOf(shape.getLast());
        }
    }

    private GgufWriter() {}

    /**
     * @param vocabulary as many tokens as the model has, or none
     * @throws CheckpointException if the file cannot be written, or a value does not fit its format
     */
    public static void write(
            Path file,
            ModelConfig config,
            ModelWeights weights,
            Formats formats,
            GgufVocabulary vocabulary,
            Progress progress) {
        List<OutputTensor> tensors = slots(config).stream()
                .map(slot -> OutputTensor.of(
                        slot.name(),
                        slot.format(formats),
                        slot.shape(),
                        slot.rows().apply(weights)))
                .toList();
        write(file, config, tensors, vocabulary, progress);
    }

    static void write(
            Path file, ModelConfig config, List<OutputTensor> tensors, GgufVocabulary vocabulary, Progress progress) {
        byte[] header = header(config, vocabulary).bytes(tensors);
        TensorFile.write(file, header, tensors, GgufHeader.ALIGNMENT, progress);
    }

    /** All tensors in the order of the file. */
    static List<Slot> slots(ModelConfig config) {
        List<Slot> slots = new ArrayList<>();
        long hidden = config.hidden();
        long inner = config.intermediate();
        long experts = config.experts();
        long queries = config.queryWidth();
        long keys = config.kvWidth();
        long vocabulary = config.vocabulary();
        slots.add(matrix("token_embd.weight", Role.EMBEDDING, ModelWeights::embedding, vocabulary, hidden));
        slots.add(vector("output_norm.weight", Role.NORM, ModelWeights::norm, hidden));
        slots.add(matrix("output.weight", Role.UNEMBEDDING, ModelWeights::unembedding, vocabulary, hidden));
        for (int i = 0; i < config.layers(); i++) {
            int layer = i;
            String at = "blk." + i + ".";
            slots.add(vector(at + "attn_norm.weight", Role.NORM, in(layer, LayerWeights::attentionNorm), hidden));
            slots.add(vector(at + "post_attention_norm.weight", Role.NORM, in(layer, LayerWeights::mlpNorm), hidden));
            slots.add(matrix(at + "attn_q.weight", Role.QKV, in(layer, LayerWeights::query), queries, hidden));
            slots.add(vector(at + "attn_q.bias", Role.QKV_BIAS, in(layer, LayerWeights::queryBias), queries));
            slots.add(matrix(at + "attn_k.weight", Role.QKV, in(layer, LayerWeights::key), keys, hidden));
            slots.add(vector(at + "attn_k.bias", Role.QKV_BIAS, in(layer, LayerWeights::keyBias), keys));
            slots.add(matrix(at + "attn_v.weight", Role.QKV, in(layer, LayerWeights::value), keys, hidden));
            slots.add(vector(at + "attn_v.bias", Role.QKV_BIAS, in(layer, LayerWeights::valueBias), keys));
            slots.add(matrix(at + "attn_output.weight", Role.OUT, in(layer, LayerWeights::out), hidden, queries));
            slots.add(vector(at + "attn_output.bias", Role.OUT_BIAS, in(layer, LayerWeights::outBias), hidden));
            slots.add(vector(at + "attn_sinks.weight", Role.SINKS, in(layer, LayerWeights::sinks), config.heads()));
            slots.add(
                    matrix(at + "ffn_gate_inp.weight", Role.ROUTER, in(layer, LayerWeights::router), experts, hidden));
            slots.add(vector(at + "ffn_gate_inp.bias", Role.ROUTER_BIAS, in(layer, LayerWeights::routerBias), experts));
            slots.add(stack(
                    at + "ffn_gate_exps.weight", Role.GATE_UP, layer, ExpertWeights::gate, experts, inner, hidden));
            slots.add(matrix(
                    at + "ffn_gate_exps.bias", Role.GATE_UP_BIAS, in(layer, LayerWeights::gateBias), experts, inner));
            slots.add(stack(at + "ffn_up_exps.weight", Role.GATE_UP, layer, ExpertWeights::up, experts, inner, hidden));
            slots.add(matrix(
                    at + "ffn_up_exps.bias", Role.GATE_UP_BIAS, in(layer, LayerWeights::upBias), experts, inner));
            slots.add(
                    stack(at + "ffn_down_exps.weight", Role.DOWN, layer, ExpertWeights::down, experts, hidden, inner));
            slots.add(matrix(
                    at + "ffn_down_exps.bias", Role.DOWN_BIAS, in(layer, LayerWeights::downBias), experts, hidden));
        }
        return slots;
    }

    private static <T> Function<ModelWeights, T> in(int layer, Function<LayerWeights, T> part) {
        return weights -> part.apply(weights.layers().get(layer));
    }

    private static Slot vector(String name, Role role, Function<ModelWeights, float[]> values, long... shape) {
        return slot(name, role, weights -> RowSource.of(values.apply(weights)), shape);
    }

    private static Slot matrix(String name, Role role, Function<ModelWeights, Matrix> values, long... shape) {
        return slot(name, role, weights -> RowSource.of(values.apply(weights)), shape);
    }

    private static Slot stack(String name, Role role, int layer, Function<ExpertWeights, Matrix> part, long... shape) {
        return slot(
                name,
                role,
                weights -> RowSource.stacked(
                        weights.layers().get(layer).experts().stream().map(part).toList()),
                shape);
    }

    private static Slot slot(String name, Role role, Function<ModelWeights, RowSource> rows, long... shape) {
        return new Slot(name, role, LongStream.of(shape).boxed().toList(), rows);
    }

    private static GgufHeader header(ModelConfig config, GgufVocabulary vocabulary) {
        if (config.swigluLimit() != 7) {
            throw new IllegalArgumentException(
                    "swiglu limit is " + config.swigluLimit() + ", must be 7: GGUF has no key for another");
        }
        int tokens = vocabulary.tokens().size();
        if (tokens != 0 && tokens != config.vocabulary()) {
            throw new IllegalArgumentException(
                    "tokens are " + tokens + ", must be as many as the vocabulary, " + config.vocabulary());
        }
        GgufHeader header = new GgufHeader();
        String prefix = "gpt-oss.";
        header.put("general.architecture", "gpt-oss");
        header.put("general.type", "model");
        header.put("general.file_type", FILE_TYPE);
        header.put("general.quantization_version", 2);
        header.put(prefix + "block_count", config.layers());
        header.put(prefix + "context_length", config.maxContext());
        header.put(prefix + "embedding_length", config.hidden());
        header.put(prefix + "feed_forward_length", config.intermediate());
        header.put(prefix + "expert_feed_forward_length", config.intermediate());
        header.put(prefix + "attention.head_count", config.heads());
        header.put(prefix + "attention.head_count_kv", config.kvHeads());
        header.put(prefix + "attention.key_length", config.headDim());
        header.put(prefix + "attention.value_length", config.headDim());
        header.put(prefix + "attention.sliding_window", config.window());
        header.put(prefix + "attention.layer_norm_rms_epsilon", (float) config.rmsEpsilon());
        header.put(prefix + "rope.freq_base", (float) config.ropeTheta());
        header.put(prefix + "rope.scaling.type", "yarn");
        header.put(prefix + "rope.scaling.factor", (float) config.ropeFactor());
        header.put(prefix + "rope.scaling.original_context_length", config.ropeOriginalContext());
        header.put(prefix + "rope.scaling.yarn_beta_fast", (float) config.ropeBeta());
        header.put(prefix + "rope.scaling.yarn_beta_slow", (float) config.ropeAlpha());
        header.put(prefix + "expert_count", config.experts());
        header.put(prefix + "expert_used_count", config.expertsPerToken());
        header.put(prefix + "vocab_size", config.vocabulary());
        if (tokens != 0) {
            put(header, vocabulary);
        }
        return header;
    }

    private static void put(GgufHeader header, GgufVocabulary vocabulary) {
        String prefix = "tokenizer.ggml.";
        header.put(prefix + "model", vocabulary.model());
        header.put(prefix + "pre", vocabulary.pre());
        header.putStrings(prefix + "tokens", vocabulary.tokens());
        if (vocabulary.types().length != 0) {
            header.putIntegers(prefix + "token_type", vocabulary.types());
        }
        header.putStrings(prefix + "merges", vocabulary.merges());
        vocabulary.begin().ifPresent(id -> header.put(prefix + "bos_token_id", id));
        vocabulary.end().ifPresent(id -> header.put(prefix + "eos_token_id", id));
        vocabulary.padding().ifPresent(id -> header.put(prefix + "padding_token_id", id));
    }
}
