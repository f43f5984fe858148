package dev.ossicle.cuda;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.engine.DeviceOptions;

/**
 * What a model takes of a GPU's memory.
 *
 * @param weights bytes
 * @param cache bytes of keys and values
 * @param work bytes of everything else
 */
record MemoryPlan(long weights, long cache, long work) {
    static MemoryPlan of(ModelConfig config, DeviceOptions options) {
        long expert = 3L * config.intermediate() * config.hidden() * 17 / 32;
        long experts = Math.max(0, config.layers() - options.hostExpertLayers()) * (long) config.experts() * expert;
        long dense = 2 * (config.activeParameters()
                + (long) config.vocabulary() * config.hidden()
                - 3L * config.layers() * config.expertsPerToken() * config.hidden() * config.intermediate());
        return new MemoryPlan(experts + dense, options.cacheBytes(), 1L << 30);
    }

    long bytes() {
        return weights + cache + work;
    }
}
