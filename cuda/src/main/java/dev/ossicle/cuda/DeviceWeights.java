package dev.ossicle.cuda;

import dev.ossicle.checkpoint.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The weights in a GPU's memory; letters as in {@link ModelConfig}.
 *
 * @param embedding bf16 [V, H]
 * @param layers L of them
 * @param norm float [H]
 * @param unembedding fp16 [V, H]
 * @param rope (cos, sin) [positions, D / 2]
 */
record DeviceWeights(
        DeviceMemory embedding, List<Layer> layers, DeviceMemory norm, DeviceMemory unembedding, DeviceMemory rope) {
    /**
     * One layer.
     *
     * @param attentionNorm float [H]
     * @param qkv fp16 [(Q + 2 K) D, H]: queries, keys, values
     * @param qkvBias float [(Q + 2 K) D]
     * @param sinks float [Q]
     * @param out fp16 [H, Q D]
     * @param outBias float [H]
     * @param mlpNorm float [H]
     * @param router float [E, H]
     * @param routerBias float [E]
     * @param experts null if they stay in the machine's memory
     */
    record Layer(
            DeviceMemory attentionNorm,
            DeviceMemory qkv,
            DeviceMemory qkvBias,
            DeviceMemory sinks,
            DeviceMemory out,
            DeviceMemory outBias,
            DeviceMemory mlpNorm,
            DeviceMemory router,
            DeviceMemory routerBias,
            @Nullable Experts experts) {}

    /**
     * The experts of one layer as OpenAI's files have them: rows of gate and up alternate; byte j of a row of codes has column
     * 2j in its low half.
     *
     * @param gateUpCodes [E, 2 I, H / 2]
     * @param gateUpScales E8M0 [E, 2 I, H / 32]
     * @param gateUpBias float [E, 2 I]
     * @param downCodes [E, H, I / 2]
     * @param downScales [E, H, I / 32]
     * @param downBias float [E, H]
     */
    record Experts(
            DeviceMemory gateUpCodes,
            DeviceMemory gateUpScales,
            DeviceMemory gateUpBias,
            DeviceMemory downCodes,
            DeviceMemory downScales,
            DeviceMemory downBias) {}

    /**
     * Room for the weights of such a model, not filled.
     *
     * @param hostExpertLayers the experts of so many layers, from the first on, are left out
     * @param positions of the rotary angles
     */
    static DeviceWeights allocate(ModelConfig config, int hostExpertLayers, int positions, DeviceHeap heap) {
        long hidden = config.hidden();
        long qkvRows = config.queryWidth() + 2L * config.kvWidth();
        DeviceMemory embedding = heap.allocate(2 * config.vocabulary() * hidden);
        List<Layer> layers = new ArrayList<>();
        for (int l = 0; l < config.layers(); l++) {
            layers.add(new Layer(
                    heap.allocate(4 * hidden),
                    heap.allocate(2 * qkvRows * hidden),
                    heap.allocate(4 * qkvRows),
                    heap.allocate(4L * config.heads()),
                    heap.allocate(2 * hidden * config.queryWidth()),
                    heap.allocate(4 * hidden),
                    heap.allocate(4 * hidden),
                    heap.allocate(4 * config.experts() * hidden),
                    heap.allocate(4L * config.experts()),
                    l < hostExpertLayers ? null : experts(config, heap)));
        }
        return new DeviceWeights(
                embedding,
                List.copyOf(layers),
                heap.allocate(4 * hidden),
                heap.allocate(2 * config.vocabulary() * hidden),
                heap.allocate(4L * positions * config.headDim()));
    }

    private static Experts experts(ModelConfig config, DeviceHeap heap) {
        long gateUpRows = 2L * config.experts() * config.intermediate();
        long downRows = (long) config.experts() * config.hidden();
        return new Experts(
                heap.allocate(gateUpRows * config.hidden() / 2),
                heap.allocate(gateUpRows * config.hidden() / 32),
                heap.allocate(4 * gateUpRows),
                heap.allocate(downRows * config.intermediate() / 2),
                heap.allocate(downRows * config.intermediate() / 32),
                heap.allocate(4 * downRows));
    }
}
