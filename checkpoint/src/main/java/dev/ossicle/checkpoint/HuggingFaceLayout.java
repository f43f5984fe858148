package dev.ossicle.checkpoint;

import dev.ossicle.json.JsonNumber;
import dev.ossicle.json.JsonString;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The layout of Hugging Face's transformers: config.json, generation_config.json, tokenizer.json, safetensors files. */
final class HuggingFaceLayout {
    /** The one slope of the experts' activation that is implemented; newer files name it. */
    private static final double SWIGLU_ALPHA = 1.702;

    private HuggingFaceLayout() {}

    static boolean isDescribedBy(JsonMembers json) {
        return json.has("model_type") || json.has("architectures");
    }

    static ModelConfig config(JsonMembers json) {
        String type = json.string("model_type")
                .or(() -> json.strings("architectures")
                        .flatMap(names -> names.stream().findFirst()))
                .orElse("");
        if (!type.equals("gpt_oss") && !type.equals("GptOssForCausalLM")) {
            throw new CheckpointException(json.file(), "the model type is " + type + ", expected gpt_oss");
        }
        Optional<JsonMembers> quantization = json.members("quantization_config");
        String method = quantization.flatMap(q -> q.string("quant_method")).orElse("mxfp4");
        if (!method.equals("mxfp4")) {
            throw new CheckpointException(json.file(), "the quantization method is " + method + ", expected mxfp4");
        }
        if (json.flag("tie_word_embeddings", false)) {
            throw new CheckpointException(json.file(), "tie_word_embeddings is true, expected false");
        }
        checkFixed(json, "swiglu_alpha", SWIGLU_ALPHA);
        int layers = json.integer("num_hidden_layers");
        checkLayerTypes(json, layers);
        JsonMembers rope = json.members("rope_parameters")
                .or(() -> json.members("rope_scaling"))
                .orElseThrow(() -> json.wrong("rope_parameters or rope_scaling", null, "an object"));
        double factor = ropeFactor(rope);
        int maxContext = json.integer("max_position_embeddings");
        try {
            return new ModelConfig(
                    layers,
                    json.integer("num_local_experts", "num_experts"),
                    json.integer("num_experts_per_tok", "experts_per_token"),
                    json.integer("vocab_size"),
                    json.integer("hidden_size"),
                    json.integer("intermediate_size"),
                    json.integer("head_dim"),
                    json.integer("num_attention_heads"),
                    json.integer("num_key_value_heads"),
                    json.integer("sliding_window"),
                    maxContext,
                    rope.has("rope_theta") ? rope.number("rope_theta") : json.number("rope_theta"),
                    factor,
                    originalContext(json, rope, maxContext),
                    rope.number("beta_slow", 1),
                    rope.number("beta_fast", 32),
                    json.number("swiglu_limit", 7),
                    json.number("rms_norm_eps"));
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(json.file(), String.valueOf(e.getMessage()), e);
        }
    }

    private static double ropeFactor(JsonMembers rope) {
        String type = rope.string("rope_type").or(() -> rope.string("type")).orElse("missing");
        return switch (type) {
            case "default" -> 1;
            case "yarn" -> {
                // gpt-oss was trained with boundaries that are not rounded, and with the concentration that YaRN names.
                if (rope.flag("truncate", false)) {
                    throw new CheckpointException(rope.file(), rope.prefix() + "truncate is true, expected false");
                }
                double factor = rope.number("factor");
                checkFixed(rope, "attention_factor", 0.1 * Math.log(Math.max(1, factor)) + 1);
                yield factor;
            }
            default ->
                throw new CheckpointException(
                        rope.file(), rope.prefix() + "rope_type is " + type + ", expected yarn or default");
        };
    }

    private static int originalContext(JsonMembers json, JsonMembers rope, int maxContext) {
        if (rope.has("original_max_position_embeddings")) {
            return rope.integer("original_max_position_embeddings");
        }
        return json.has("initial_context_length") ? json.integer("initial_context_length") : maxContext;
    }

    private static void checkFixed(JsonMembers json, String name, double expected) {
        if (json.has(name) && Math.abs(json.number(name) - expected) > 1e-4) {
            throw json.wrong(name, new JsonNumber("" + json.number(name)), "" + expected);
        }
    }

    private static void checkLayerTypes(JsonMembers json, int layers) {
        List<String> types = json.strings("layer_types").orElse(null);
        if (types == null) {
            return;
        }
        if (types.size() != layers) {
            throw new CheckpointException(
                    json.file(),
                    "layer_types has " + types.size() + " entries, expected one for each of " + layers + " layers");
        }
        for (int layer = 0; layer < layers; layer++) {
            String expected = layer % 2 == 0 ? "sliding_attention" : "full_attention";
            if (!types.get(layer).equals(expected)) {
                throw json.wrong("layer_types[" + layer + "]", new JsonString(types.get(layer)), expected);
            }
        }
    }

    static ModelWeights weights(Tensors tensors, ModelConfig config) {
        int hidden = config.hidden();
        int vocabulary = config.vocabulary();
        Tensor embedding = tensors.take("model.embed_tokens.weight", Tensors.PLAIN, vocabulary, hidden);
        List<LayerWeights> layers = new ArrayList<>();
        for (int layer = 0; layer < config.layers(); layer++) {
            layers.add(layer(tensors, config, "model.layers." + layer + "."));
        }
        float[] norm = tensors.takeVector("model.norm.weight", hidden);
        Tensor unembedding = tensors.take("lm_head.weight", Tensors.PLAIN, vocabulary, hidden);
        // Some exports save the rotary frequencies, which the configuration gives.
        tensors.refuseOthers(name -> name.endsWith("rotary_emb.inv_freq"));
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
        String attention = prefix + "self_attn.";
        Experts experts = experts(tensors, config, prefix + "mlp.experts.");
        return new LayerWeights(
                tensors.takeVector(prefix + "input_layernorm.weight", hidden),
                matrix(tensors, attention + "q_proj.weight", queries, hidden),
                tensors.takeVector(attention + "q_proj.bias", queries),
                matrix(tensors, attention + "k_proj.weight", keys, hidden),
                tensors.takeVector(attention + "k_proj.bias", keys),
                matrix(tensors, attention + "v_proj.weight", keys, hidden),
                tensors.takeVector(attention + "v_proj.bias", keys),
                tensors.takeVector(attention + "sinks", config.heads()),
                matrix(tensors, attention + "o_proj.weight", hidden, queries),
                tensors.takeVector(attention + "o_proj.bias", hidden),
                tensors.takeVector(prefix + "post_attention_layernorm.weight", hidden),
                matrix(tensors, prefix + "mlp.router.weight", config.experts(), hidden),
                tensors.takeVector(prefix + "mlp.router.bias", config.experts()),
                experts.experts(),
                experts.gateBias(),
                experts.upBias(),
                experts.downBias());
    }

    private static Experts experts(Tensors tensors, ModelConfig config, String prefix) {
        String gateUp = prefix + "gate_up_proj";
        String down = prefix + "down_proj";
        return tensors.has(gateUp)
                ? Experts.transposed(tensors, config, gateUp, down, gateUp + "_bias", down + "_bias")
                : Experts.mxfp4(tensors, config, gateUp, down, "_", gateUp + "_bias", down + "_bias");
    }

    private static Matrix matrix(Tensors tensors, String name, int rows, int columns) {
        return tensors.take(name, Tensors.PLAIN, rows, columns).rows(0, 1, rows, columns);
    }
}
