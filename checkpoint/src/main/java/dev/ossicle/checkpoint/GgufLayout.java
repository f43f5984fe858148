package dev.ossicle.checkpoint;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * gpt-oss in GGUF, as llama.cpp names things, and as Ollama's library did at first: architecture "gptoss", with other names
 * for some tensors and without some keys.
 */
final class GgufLayout {
    private static final String ARCHITECTURE = "gpt-oss";
    private static final String OLLAMA_ARCHITECTURE = "gptoss";

    private GgufLayout() {}

    static ModelConfig config(Gguf gguf) {
        GgufMetadata metadata = gguf.metadata();
        String architecture = metadata.string("general.architecture");
        if (!architecture.equals(ARCHITECTURE) && !architecture.equals(OLLAMA_ARCHITECTURE)) {
            throw metadata.wrong("general.architecture", "is " + architecture, ARCHITECTURE);
        }
        String prefix = architecture + ".";
        int headDim = metadata.integer(prefix + "attention.key_length");
        mustEqual(metadata, prefix + "attention.value_length", headDim);
        mustEqual(metadata, prefix + "rope.dimension_count", headDim);
        double theta = metadata.number(prefix + "rope.freq_base");
        mustEqual(metadata, prefix + "rope.freq_base_swa", theta);
        mustEqual(metadata, prefix + "rope.scaling.attn_factor", 1);
        mustEqual(metadata, prefix + "rope.scaling.yarn_attn_factor", 1);
        String scaling = metadata.string(prefix + "rope.scaling.type", "yarn");
        if (!scaling.equals("yarn") && !scaling.equals("none")) {
            throw metadata.wrong(prefix + "rope.scaling.type", "is " + scaling, "yarn or none");
        }
        int vocabulary = dimension(gguf, "token_embd.weight", 2, 0);
        long tokens = metadata.arrayLength("tokenizer.ggml.tokens");
        if (tokens != 0 && tokens != vocabulary) {
            throw metadata.wrong(
                    "tokenizer.ggml.tokens", "has " + tokens + " entries", vocabulary + ", the vocabulary");
        }
        mustEqual(metadata, prefix + "vocab_size", vocabulary);
        int maxContext = metadata.integer(prefix + "context_length");
        boolean yarn = scaling.equals("yarn");
        try {
            return new ModelConfig(
                    metadata.integer(prefix + "block_count"),
                    metadata.integer(prefix + "expert_count"),
                    metadata.integer(prefix + "expert_used_count"),
                    vocabulary,
                    metadata.integer(prefix + "embedding_length"),
                    intermediate(gguf, prefix),
                    headDim,
                    metadata.integer(prefix + "attention.head_count"),
                    metadata.integer(prefix + "attention.head_count_kv"),
                    metadata.integer(prefix + "attention.sliding_window"),
                    maxContext,
                    theta,
                    yarn ? metadata.number(prefix + "rope.scaling.factor") : 1,
                    yarn ? metadata.integer(prefix + "rope.scaling.original_context_length") : maxContext,
                    metadata.number(prefix + "rope.scaling.yarn_beta_slow", 1),
                    metadata.number(prefix + "rope.scaling.yarn_beta_fast", 32),
                    7, // GGUF has no key for the clamp
                    metadata.number(prefix + "attention.layer_norm_rms_epsilon"));
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(metadata.path(), String.valueOf(e.getMessage()), e);
        }
    }

    private static int intermediate(Gguf gguf, String prefix) {
        String key = prefix + "expert_feed_forward_length";
        if (gguf.metadata().has(key)) {
            return gguf.metadata().integer(key);
        }
        return gguf.tensors().has("blk.0.ffn_gate_up_exps.weight")
                ? dimension(gguf, "blk.0.ffn_gate_up_exps.weight", 3, 1) / 2
                : dimension(gguf, "blk.0.ffn_gate_exps.weight", 3, 1);
    }

    /** One dimension of a tensor, for what no key says. */
    private static int dimension(Gguf gguf, String name, int dimensions, int which) {
        Tensor tensor = gguf.tensors().find(name);
        if (tensor == null) {
            throw new CheckpointException(gguf.metadata().path(), "tensor " + name + " is missing");
        }
        List<Long> shape = tensor.shape();
        if (shape.size() != dimensions || shape.get(which) > Integer.MAX_VALUE) {
            throw new CheckpointException(
                    tensor.file().path(),
                    "tensor " + name + " has the shape " + Tensor.describe(shape) + ", expected " + dimensions
                            + " dimensions");
        }
        return shape.get(which).intValue();
    }

    private static void mustEqual(GgufMetadata metadata, String key, double expected) {
        if (metadata.has(key) && metadata.number(key) != expected) {
            throw metadata.wrong(key, "is " + metadata.number(key), "" + expected);
        }
    }

    static ModelWeights weights(Gguf gguf, ModelConfig config) {
        Tensors tensors = gguf.tensors();
        boolean ollama = gguf.metadata().string("general.architecture").equals(OLLAMA_ARCHITECTURE);
        Matrix embedding = matrix(tensors, "token_embd.weight", config.vocabulary(), config.hidden());
        List<LayerWeights> layers = new ArrayList<>();
        for (int layer = 0; layer < config.layers(); layer++) {
            layers.add(layer(tensors, config, "blk." + layer + ".", ollama));
        }
        float[] norm = tensors.takeVector("output_norm.weight", config.hidden());
        Matrix unembedding = matrix(tensors, "output.weight", config.vocabulary(), config.hidden());
        tensors.refuseOthers(name -> false);
        return new ModelWeights(embedding, List.copyOf(layers), norm, unembedding);
    }

    private static LayerWeights layer(Tensors tensors, ModelConfig config, String prefix, boolean ollama) {
        int hidden = config.hidden();
        int queries = config.queryWidth();
        int keys = config.kvWidth();
        Projection query;
        Projection key;
        Projection value;
        String qkv = prefix + "attn_qkv";
        if (tensors.has(qkv + ".weight")) {
            int rows = queries + 2 * keys;
            Tensor weight = tensors.take(qkv + ".weight", Tensors.ANY, rows, hidden);
            float[] bias = tensors.takeVector(qkv + ".bias", rows);
            query = Projection.slice(weight, bias, 0, queries, hidden);
            key = Projection.slice(weight, bias, queries, keys, hidden);
            value = Projection.slice(weight, bias, queries + keys, keys, hidden);
        } else {
            query = Projection.take(tensors, prefix + "attn_q", queries, hidden);
            key = Projection.take(tensors, prefix + "attn_k", keys, hidden);
            value = Projection.take(tensors, prefix + "attn_v", keys, hidden);
        }
        String outName = tensors.has(prefix + "attn_out.weight") ? "attn_out" : "attn_output";
        Projection out = Projection.take(tensors, prefix + outName, hidden, queries);
        Projection router = Projection.take(tensors, prefix + "ffn_gate_inp", config.experts(), hidden);
        Experts experts = experts(tensors, config, prefix, ollama);
        String mlpNorm = tensors.either(prefix + "post_attention_norm.weight", prefix + "ffn_norm.weight");
        String sinks = tensors.either(prefix + "attn_sinks.weight", prefix + "attn_sinks");
        return new LayerWeights(
                tensors.takeVector(prefix + "attn_norm.weight", hidden),
                query.weight(),
                query.bias(),
                key.weight(),
                key.bias(),
                value.weight(),
                value.bias(),
                tensors.takeVector(sinks, config.heads()),
                out.weight(),
                out.bias(),
                tensors.takeVector(mlpNorm, hidden),
                router.weight(),
                router.bias(),
                experts.experts(),
                experts.gateBias(),
                experts.upBias(),
                experts.downBias());
    }

    private static Experts experts(Tensors tensors, ModelConfig config, String prefix, boolean ollama) {
        int hidden = config.hidden();
        int inner = config.intermediate();
        int count = config.experts();
        Halves gateUp = Halves.take(tensors, prefix, ".weight", Tensors.ANY, config, hidden, ollama);
        Halves bias = Halves.take(tensors, prefix, ".bias", Tensors.PLAIN, config, 1, ollama);
        Tensor down = tensors.take(prefix + "ffn_down_exps.weight", Tensors.ANY, count, hidden, inner);
        Tensor downBias = tensors.take(prefix + "ffn_down_exps.bias", Tensors.PLAIN, count, hidden);
        List<ExpertWeights> experts = new ArrayList<>();
        for (int e = 0; e < count; e++) {
            experts.add(new ExpertWeights(
                    gateUp.gate(e, inner, hidden),
                    gateUp.up(e, inner, hidden),
                    down.rows((long) e * hidden, 1, hidden, inner)));
        }
        return new Experts(
                List.copyOf(experts),
                bias.gateBias(count, inner),
                bias.upBias(count, inner),
                downBias.rows(0, 1, count, hidden));
    }

    private static Matrix matrix(Tensors tensors, String name, int rows, int columns) {
        return tensors.take(name, Tensors.ANY, rows, columns).rows(0, 1, rows, columns);
    }

    private record Projection(Matrix weight, float[] bias) {
        static Projection take(Tensors tensors, String name, int rows, int columns) {
            return new Projection(
                    matrix(tensors, name + ".weight", rows, columns), tensors.takeVector(name + ".bias", rows));
        }

        static Projection slice(Tensor weight, float[] bias, int first, int rows, int columns) {
            return new Projection(weight.rows(first, 1, rows, columns), Arrays.copyOfRange(bias, first, first + rows));
        }
    }

    /**
     * Where gate and up rows of all experts lie: in a tensor each, or in one, where llama.cpp puts all gate rows of an
     * expert before its up rows, and Ollama leaves them alternating.
     *
     * @param perExpert rows from one expert to the next
     * @param upFirst the up tensor's row that belongs to the first gate row
     * @param step rows from one to the next of the same half
     */
    private record Halves(Tensor gate, Tensor up, long perExpert, long upFirst, int step) {

        static Halves take(
                Tensors tensors,
                String prefix,
                String suffix,
                Set<NumberFormat> formats,
                ModelConfig config,
                int columns,
                boolean alternating) {
            int inner = config.intermediate();
            long count = config.experts();
            String fused = prefix + "ffn_gate_up_exps" + suffix;
            if (tensors.has(fused)) {
                Tensor both = tensors.take(fused, formats, shape(count, 2L * inner, columns));
                return new Halves(both, both, 2L * inner, alternating ? 1 : inner, alternating ? 2 : 1);
            }
            Tensor gate = tensors.take(prefix + "ffn_gate_exps" + suffix, formats, shape(count, inner, columns));
            Tensor up = tensors.take(prefix + "ffn_up_exps" + suffix, formats, shape(count, inner, columns));
            return new Halves(gate, up, inner, 0, 1);
        }

        private static long[] shape(long count, long rows, int columns) {
            return columns == 1 ? new long[] {count, rows} : new long[] {count, rows, columns};
        }

        Matrix gate(int expert, int rows, int columns) {
            return gate.rows(expert * perExpert, step, rows, columns);
        }

        Matrix up(int expert, int rows, int columns) {
            return up.rows(expert * perExpert + upFirst, step, rows, columns);
        }

        Matrix gateBias(int experts, int inner) {
            return gate.strided(0, experts, inner, perExpert, step);
        }

        Matrix upBias(int experts, int inner) {
            return up.strided(upFirst, experts, inner, perExpert, step);
        }
    }

    static TokenizerSource tokenizer(GgufMetadata metadata) {
        List<String> tokens = metadata.strings("tokenizer.ggml.tokens");
        if (tokens.isEmpty()) {
            return new TokenizerSource.None();
        }
        int[] types = metadata.integers("tokenizer.ggml.token_type");
        if (types.length != 0 && types.length != tokens.size()) {
            throw metadata.wrong("tokenizer.ggml.token_type", "has " + types.length + " entries", "" + tokens.size());
        }
        return new TokenizerSource.GgufVocabulary(
                metadata.string("tokenizer.ggml.model", ""),
                metadata.string("tokenizer.ggml.pre", ""),
                tokens,
                types,
                metadata.strings("tokenizer.ggml.merges"),
                metadata.optionalInteger("tokenizer.ggml.bos_token_id"),
                metadata.optionalInteger("tokenizer.ggml.eos_token_id"),
                metadata.optionalInteger("tokenizer.ggml.padding_token_id"));
    }

    static List<Integer> endTokens(GgufMetadata metadata) {
        List<Integer> ends = new ArrayList<>();
        for (String name : List.of("eos", "eot", "eom")) {
            metadata.optionalInteger("tokenizer.ggml." + name + "_token_id").ifPresent(ends::add);
        }
        Arrays.stream(metadata.integers("tokenizer.ggml.eos_token_ids")).forEach(ends::add);
        return ends.stream().distinct().toList();
    }
}
