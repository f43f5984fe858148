package dev.ossicle.checkpoint;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** OpenAI's own layout: config.json beside safetensors files, queries, keys and values in one tensor. */
final class OriginalLayout {
    private OriginalLayout() {}

    static ModelConfig config(JsonMembers json) {
        int originalContext = json.integer("initial_context_length");
        double factor = json.number("rope_scaling_factor");
        double maxContext = originalContext * factor;
        if (!(maxContext >= 1 && maxContext <= Integer.MAX_VALUE)) {
            throw new CheckpointException(
                    json.file(), "initial_context_length times rope_scaling_factor is " + maxContext);
        }
        try {
            return new ModelConfig(
                    json.integer("num_hidden_layers"),
                    json.integer("num_experts"),
                    json.integer("experts_per_token"),
                    json.integer("vocab_size"),
                    json.integer("hidden_size"),
                    json.integer("intermediate_size"),
                    json.integer("head_dim"),
                    json.integer("num_attention_heads"),
                    json.integer("num_key_value_heads"),
                    json.integer("sliding_window"),
                    (int) maxContext,
                    json.number("rope_theta"),
                    factor,
                    originalContext,
                    json.number("rope_ntk_alpha"),
                    json.number("rope_ntk_beta"),
                    json.number("swiglu_limit", 7),
                    1e-5);
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(json.file(), String.valueOf(e.getMessage()), e);
        }
    }

    static ModelWeights weights(Tensors tensors, ModelConfig config) {
        int hidden = config.hidden();
        int vocabulary = config.vocabulary();
        Tensor embedding = tensors.take("embedding.weight", Tensors.PLAIN, vocabulary, hidden);
        List<LayerWeights> layers = new ArrayList<>();
        for (int layer = 0; layer < config.layers(); layer++) {
            layers.add(layer(tensors, config, "block." + layer + "."));
        }
        float[] norm = tensors.takeVector("norm.scale", hidden);
        Tensor unembedding = tensors.take("unembedding.weight", Tensors.PLAIN, vocabulary, hidden);
        tensors.refuseOthers(name -> false);
        return new ModelWeights(
                embedding.rows(0, 1, vocabulary, hidden),
                List.copyOf(layers),
                norm,
                unembedding.rows(0, 1, vocabulary, hidden));
    }

    private static LayerWeights layer(Tensors tensors, ModelConfig config, String prefix) {
        int hidden = config.hidden();
        int queries = config.queryWidth();
        int keys = config.kvWidth();
        int qkvRows = queries + 2 * keys;
        Tensor qkv = tensors.take(prefix + "attn.qkv.weight", Tensors.PLAIN, qkvRows, hidden);
        float[] qkvBias = tensors.takeVector(prefix + "attn.qkv.bias", qkvRows);
        Experts experts = Experts.mxfp4(
                tensors,
                config,
                prefix + "mlp.mlp1_weight",
                prefix + "mlp.mlp2_weight",
                ".",
                prefix + "mlp.mlp1_bias",
                prefix + "mlp.mlp2_bias");
        return new LayerWeights(
                tensors.takeVector(prefix + "attn.norm.scale", hidden),
                qkv.rows(0, 1, queries, hidden),
                Arrays.copyOfRange(qkvBias, 0, queries),
                qkv.rows(queries, 1, keys, hidden),
                Arrays.copyOfRange(qkvBias, queries, queries + keys),
                qkv.rows((long) queries + keys, 1, keys, hidden),
                Arrays.copyOfRange(qkvBias, queries + keys, qkvRows),
                tensors.takeVector(prefix + "attn.sinks", config.heads()),
                tensors.take(prefix + "attn.out.weight", Tensors.PLAIN, hidden, queries)
                        .rows(0, 1, hidden, queries),
                tensors.takeVector(prefix + "attn.out.bias", hidden),
                tensors.takeVector(prefix + "mlp.norm.scale", hidden),
                tensors.take(prefix + "mlp.gate.weight", Tensors.PLAIN, config.experts(), hidden)
                        .rows(0, 1, config.experts(), hidden),
                tensors.takeVector(prefix + "mlp.gate.bias", config.experts()),
                experts.experts(),
                experts.gateBias(),
                experts.upBias(),
                experts.downBias());
    }
}
