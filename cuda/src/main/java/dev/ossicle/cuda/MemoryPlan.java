package dev.ossicle.cuda;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.engine.DeviceOptions;

/**
 * What a model takes of a GPU's memory.
 *
 * @param weights bytes
 * @param work bytes of activations, and of what the driver takes beside
 * @param cache bytes of keys and values: the least that makes sense
 * @param passRows tokens of a pass
 */
record MemoryPlan(long weights, long work, long cache, int passRows, ModelConfig config) {
    /** Tokens of a pass: enough to give each expert of the 120b a tile of rows. */
    private static final int PASS_ROWS = 4096;

    /** Positions that there must be room for, or as many as the model has. */
    private static final int LEAST_CONTEXT = 8192;

    /** For modules, graphs and what the driver keeps. */
    private static final long DRIVER_BYTES = 256 << 20;

    /** Of any GPU. */
    private static final int MOST_MULTIPROCESSORS = 256;

    /** Pages that a step of many sequences may take beside those of its prompts. */
    private static final int SPARE_PAGES = 64;

    static MemoryPlan of(ModelConfig config, DeviceOptions options) {
        return of(config, options, PASS_ROWS);
    }

    static MemoryPlan of(ModelConfig config, DeviceOptions options, int passRows) {
        try (DeviceHeap weights = DeviceHeap.counting();
                DeviceHeap work = DeviceHeap.counting()) {
            DeviceWeights.allocate(config, options.hostExpertLayers(), config.maxContext(), weights);
            new Workspace(config, passRows, MOST_MULTIPROCESSORS, work);
            long cache =
                    pages(config, passRows, Math.min(LEAST_CONTEXT, config.maxContext())) * KvPages.pageBytes(config);
            return new MemoryPlan(
                    weights.bytes(), work.bytes() + DeviceLogits.bytes(config) + DRIVER_BYTES, cache, passRows, config);
        }
    }

    /** The least that it runs in. */
    long bytes() {
        return weights + work + cache;
    }

    /** Pages that one sequence of such a length takes, a pass that adds to it included. */
    private static long pages(ModelConfig config, int passRows, int context) {
        return KvPages.pages(context) + overhead(config, passRows);
    }

    private static long overhead(ModelConfig config, int passRows) {
        return CudaKvSequence.windowPages(config.window()) + spare(passRows);
    }

    private static long spare(int passRows) {
        return 2L * KvPages.pages(passRows) + SPARE_PAGES;
    }

    /**
     * Pages to set aside: for as many bytes as are wanted and at least one whole context, if there is room for them.
     *
     * @param free bytes of the GPU before anything is allocated
     */
    int pages(long wantedBytes, long free) {
        long pageBytes = KvPages.pageBytes(config);
        long wanted = Math.max(pages(config, passRows, config.maxContext()), wantedBytes / pageBytes + spare(passRows));
        long room = (free - weights - work) / pageBytes;
        return (int) Math.min(Math.min(wanted, room), Integer.MAX_VALUE);
    }

    /** The longest that one sequence can become with so many pages. */
    int context(int pages) {
        long positions = (pages - overhead(config, passRows)) * KvPages.POSITIONS;
        return (int) Math.clamp(positions, 1, config.maxContext());
    }

    /** Pages of so many that may be in use when a pass begins. */
    int usable(int pages) {
        return (int) Math.max(0, pages - spare(passRows));
    }
}
