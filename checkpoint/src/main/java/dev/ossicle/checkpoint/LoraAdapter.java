package dev.ossicle.checkpoint;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A LoRA adapter as PEFT saves it: {@code adapter_config.json}, and {@code adapter_model.safetensors} with the two factors of each
 * projection's change. Those of the attention are known; whatever else an adapter may hold is refused by name, since without it the
 * answers would be others than those it was trained to give.
 */
final class LoraAdapter {
    private static final Pattern TENSOR = Pattern.compile(
            "(?:base_model\\.model\\.)?model\\.layers\\.(\\d{1,4})\\.self_attn\\.([qkvo])_proj\\.lora_([AB])(?:\\.default)?\\.weight");

    private final JsonMembers json;
    private final ModelConfig config;
    private final Tensors tensors;
    private final int rank;
    private final float scale;
    /** By "layer projection factor", such as "3 q A". */
    private final Map<String, String> names = new HashMap<>();

    private LoraAdapter(Path folder, ModelConfig config, Arena arena) {
        this.config = config;
        json = JsonMembers.read(folder.resolve("adapter_config.json"));
        mustBe("peft_type", "LORA");
        if (json.has("bias")) {
            mustBe("bias", "none");
        }
        for (String flag : List.of("use_dora", "fan_in_fan_out", "use_qalora")) {
            if (json.flag(flag, false)) {
                throw new CheckpointException(json.file(), flag + " is true, which is not supported");
            }
        }
        for (String pattern : List.of("rank_pattern", "alpha_pattern")) {
            if (json.members(pattern)
                    .map(members -> !members.object().members().isEmpty())
                    .orElse(false)) {
                throw new CheckpointException(json.file(), pattern + " is not empty, which is not supported");
            }
        }
        checkBase();
        rank = json.integer("r");
        if (rank < 1 || rank > 4096) {
            throw new CheckpointException(json.file(), "r is " + rank + ", expected 1 to 4096");
        }
        double alpha = json.number("lora_alpha");
        scale = (float) (json.flag("use_rslora", false) ? alpha / Math.sqrt(rank) : alpha / rank);
        if (!Float.isFinite(scale)) {
            throw new CheckpointException(json.file(), "lora_alpha is " + alpha + ", expected a finite number");
        }
        tensors = Safetensors.readOne(folder.resolve("adapter_model.safetensors"), arena);
        for (Tensor tensor : tensors.all()) {
            Matcher name = TENSOR.matcher(tensor.name());
            if (!name.matches()) {
                throw new CheckpointException(
                        tensor.file().path(),
                        "tensor " + tensor.name() + " changes something else than the attention's projections (q_proj,"
                                + " k_proj, v_proj, o_proj), which is not supported");
            }
            int layer = Integer.parseInt(name.group(1));
            if (layer >= config.layers()) {
                throw new CheckpointException(
                        tensor.file().path(),
                        "tensor " + tensor.name() + " is of a model with more layers than this one's "
                                + config.layers());
            }
            names.put(layer + " " + name.group(2) + " " + name.group(3), tensor.name());
        }
        if (names.isEmpty()) {
            throw new CheckpointException(folder.resolve("adapter_model.safetensors"), "holds no tensor");
        }
    }

    private void mustBe(String name, String expected) {
        String found = json.string(name).orElse("missing");
        if (!found.equals(expected)) {
            throw new CheckpointException(json.file(), name + " is " + found + ", expected " + expected);
        }
    }

    /** The published models are told apart by name: their attention has the same shape. */
    private void checkBase() {
        String base = json.string("base_model_name_or_path").orElse("");
        boolean is20b = config.layers() == ModelConfig.GPT_OSS_20B.layers();
        boolean is120b = config.layers() == ModelConfig.GPT_OSS_120B.layers();
        boolean isPublished = config.vocabulary() == ModelConfig.GPT_OSS_20B.vocabulary();
        if (isPublished
                && ((is20b && base.contains("120b")) || (is120b && base.contains("20b") && !base.contains("120b")))) {
            throw new CheckpointException(
                    json.file(),
                    "base_model_name_or_path is " + base + ", this model is a gpt-oss-" + (is20b ? "20b" : "120b"));
        }
    }

    /** @throws CheckpointException if the adapter cannot be used with this model, naming what does not fit */
    static ModelWeights apply(Path folder, ModelConfig config, ModelWeights weights, Arena arena) {
        LoraAdapter adapter = new LoraAdapter(folder, config, arena);
        List<LayerWeights> layers = new ArrayList<>();
        for (int i = 0; i < weights.layers().size(); i++) {
            LayerWeights l = weights.layers().get(i);
            layers.add(new LayerWeights(
                    l.attentionNorm(),
                    adapter.adapted(l.query(), i, "q"),
                    l.queryBias(),
                    adapter.adapted(l.key(), i, "k"),
                    l.keyBias(),
                    adapter.adapted(l.value(), i, "v"),
                    l.valueBias(),
                    l.sinks(),
                    adapter.adapted(l.out(), i, "o"),
                    l.outBias(),
                    l.mlpNorm(),
                    l.router(),
                    l.routerBias(),
                    l.experts(),
                    l.gateBias(),
                    l.upBias(),
                    l.downBias()));
        }
        return new ModelWeights(weights.embedding(), List.copyOf(layers), weights.norm(), weights.unembedding());
    }

    private Matrix adapted(Matrix base, int layer, String projection) {
        String a = names.get(layer + " " + projection + " A");
        String b = names.get(layer + " " + projection + " B");
        if (a == null && b == null) {
            return base;
        }
        if (a == null || b == null) {
            throw new CheckpointException(
                    json.file().resolveSibling("adapter_model.safetensors"),
                    "layer " + layer + " has only one of the two factors of " + projection + "_proj");
        }
        return new AdaptedMatrix(
                base, new LowRank(matrix(a, rank, base.columns()), matrix(b, base.rows(), rank), scale));
    }

    private Matrix matrix(String name, int rows, int columns) {
        return tensors.take(name, Tensors.PLAIN, rows, columns).rows(0, 1, rows, columns);
    }
}
