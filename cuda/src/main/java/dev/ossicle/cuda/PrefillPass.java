package dev.ossicle.cuda;

import dev.ossicle.checkpoint.ModelConfig;

/**
 * The forward pass over many rows: pieces of prompts, and single tokens of many sequences. What a launch needs is said at the top
 * of prefill.cu, attention.cu, route.cu and experts.cu; letters as in {@link ModelConfig}.
 */
final class PrefillPass {
    /** With at most so many rows of each expert its weights take longer than the products. */
    static final int FEW_OF_EACH = 8;

    static final int FEW_TILE = 16;

    private static final int LARGE_STAGE = 49_152;

    private final ModelConfig config;
    private final DeviceWeights weights;
    private final KvPages pages;
    private final Workspace work;
    private final StepInputs in;
    private final Stream stream;
    /** Bytes of shared memory that a block may have. */
    private final int sharedLimit;

    /** Rows of one expert that are computed together. */
    private final int tile;
    /** Bytes of the experts' weights under way. */
    private final int ring;

    private final Kernel embed;
    private final Kernel norm;
    private final Kernel[] gemm;
    private final Kernel[] gemmAdd;
    private final Kernel ropeStore;
    private final Kernel attention;
    private final Kernel routerMany;
    private final Kernel routerFew;
    private final Kernel route;
    private final Kernel group;
    private final Kernel gateUp;
    private final Kernel gateUpFew;
    private final Kernel down;
    private final Kernel downFew;
    private final Kernel combine;

    PrefillPass(
            ModelConfig config,
            DeviceWeights weights,
            KvPages pages,
            Workspace work,
            StepInputs in,
            Stream stream,
            Kernels kernels,
            int sharedLimit) {
        this.config = config;
        this.weights = weights;
        this.pages = pages;
        this.work = work;
        this.in = in;
        this.stream = stream;
        this.sharedLimit = sharedLimit;
        int stages = (sharedLimit - expertShared(Math.max(config.hidden(), config.intermediate()), 0)) / LARGE_STAGE;
        this.tile = stages >= 2 ? 112 : 64;
        this.ring = stages >= 2 ? Math.min(stages, 4) * LARGE_STAGE : 65_536;
        this.embed = kernels.kernel("embed");
        this.norm = kernels.kernel("rms_norm");
        this.gemm = product(kernels, "gemm_f32");
        this.gemmAdd = product(kernels, "gemm_add");
        this.ropeStore = kernels.kernel("rope_store");
        this.attention = kernels.kernel("prefill_attention");
        this.routerMany = kernels.kernel("router_logits");
        this.routerFew = kernels.kernel("router_logits_few");
        this.route = kernels.kernel("route");
        this.group = kernels.kernel("group");
        this.gateUp = kernels.kernel("expert_gate_up");
        this.gateUpFew = kernels.kernel("expert_gate_up_few");
        this.down = kernels.kernel("expert_down");
        this.downFew = kernels.kernel("expert_down_few");
        this.combine = kernels.kernel("combine");
    }

    /** For many, some and few rows. */
    private static Kernel[] product(Kernels kernels, String name) {
        return new Kernel[] {kernels.kernel(name), kernels.kernel(name + "_64"), kernels.kernel(name + "_16")};
    }

    /** Puts the layers on the stream, for all rows of the inputs. */
    void run(HostLayers hostLayers) {
        int rows = in.rows();
        embed(rows);
        for (int l = 0; l < config.layers(); l++) {
            DeviceWeights.Layer layer = weights.layers().get(l);
            norm(layer.attentionNorm(), rows, false, Faults.beforeAttention(l));
            queryKeyValue(layer, rows);
            rotateAndStore(l, rows);
            attention(l, layer, rows);
            out(layer, rows);
            DeviceWeights.Experts experts = layer.experts();
            if (experts == null) {
                hostLayers.addExperts(l, rows);
                continue;
            }
            norm(layer.mlpNorm(), rows, true, Faults.afterAttention(l));
            router(layer, rows);
            group(rows);
            gateUp(experts, rows);
            down(experts, rows);
            combine(rows);
        }
    }

    /** The logits of some of the wanted rows, from the given one on. */
    void logits(int first, int count) {
        norm.pointer(work.x)
                .pointer(in.wantedRows(first))
                .pointer(weights.norm())
                .real((float) config.rmsEpsilon());
        norm.pointer(work.normed)
                .pointer(0)
                .integer(config.hidden())
                .integer(count)
                .integer(0);
        norm.pointer(in.fault()).integer(Faults.beforeLogits(config));
        norm.launch(stream, count, 1, 1, 128, 0);
        Kernel kernel = forRows(gemm, count);
        kernel.pointer(work.normed).pointer(weights.unembedding()).pointer(0).pointer(work.logits);
        multiply(kernel, count, config.vocabulary(), config.hidden());
    }

    private void embed(int rows) {
        embed.pointer(in.token()).pointer(weights.embedding()).pointer(work.x);
        embed.integer(config.hidden()).integer(rows).integer(config.vocabulary());
        embed.launch(stream, rows, 1, 1, 256, 0);
    }

    /** @param forExperts whether it is to be as the experts' products read it */
    private void norm(DeviceMemory gain, int rows, boolean forExperts, int fault) {
        norm.pointer(work.x).pointer(0).pointer(gain).real((float) config.rmsEpsilon());
        norm.pointer(work.normed).pointer(work.scale).integer(config.hidden()).integer(rows);
        norm.integer(forExperts ? 1 : 0).pointer(in.fault()).integer(fault);
        norm.launch(stream, rows, 1, 1, 128, 0);
    }

    private void queryKeyValue(DeviceWeights.Layer layer, int rows) {
        Kernel kernel = forRows(gemm, rows);
        kernel.pointer(work.normed)
                .pointer(layer.qkv())
                .pointer(layer.qkvBias())
                .pointer(work.qkv);
        multiply(kernel, rows, config.queryWidth() + 2 * config.kvWidth(), config.hidden());
    }

    private void rotateAndStore(int l, int rows) {
        ropeStore
                .pointer(work.qkv)
                .pointer(weights.rope())
                .pointer(in.position())
                .pointer(in.sequence());
        ropeStore
                .pointer(in.tables(config.isWindowed(l)))
                .pointer(pages.keys(l))
                .pointer(pages.values(l));
        ropeStore.pointer(work.query).integer(config.heads()).integer(config.kvHeads());
        ropeStore.launch(stream, rows, 1, 1, 128, 0);
    }

    private void attention(int l, DeviceWeights.Layer layer, int rows) {
        attention.pointer(work.query).pointer(in.firstRow()).pointer(in.position());
        attention
                .pointer(in.tables(config.isWindowed(l)))
                .pointer(pages.keys(l))
                .pointer(pages.values(l));
        attention
                .pointer(layer.sinks())
                .integer(config.isWindowed(l) ? config.window() : 0)
                .pointer(work.attended);
        attention.integer(config.heads()).integer(config.kvHeads()).integer(in.sequences());
        int rowsOfBlock = 128 / (config.heads() / config.kvHeads());
        attention.launch(stream, config.kvHeads(), rows / rowsOfBlock + in.sequences(), 1, 128, 49_152);
    }

    /** Added to the residual stream. */
    private void out(DeviceWeights.Layer layer, int rows) {
        Kernel kernel = forRows(gemmAdd, rows);
        kernel.pointer(work.attended)
                .pointer(layer.out())
                .pointer(layer.outBias())
                .pointer(work.x);
        multiply(kernel, rows, config.hidden(), config.queryWidth());
    }

    private void router(DeviceWeights.Layer layer, int rows) {
        boolean many = rows > 2048;
        int block = many ? 64 : 16;
        Kernel kernel = many ? routerMany : routerFew;
        kernel.pointer(work.x).pointer(work.scale).pointer(layer.mlpNorm()).pointer(layer.router());
        kernel.pointer(layer.routerBias()).pointer(work.routerLogits);
        kernel.integer(rows).integer(config.hidden()).integer(config.experts());
        kernel.launch(stream, blocks(config.experts(), block), blocks(rows, block), 1, 256, 0);
        route.pointer(work.routerLogits).pointer(work.picks).pointer(work.shares);
        route.integer(rows).integer(config.experts()).integer(config.expertsPerToken());
        route.launch(stream, blocks(rows, 4), 1, 1, 128, 0);
    }

    /** Sorts rows and their picks by expert, in tiles. */
    private void group(int rows) {
        group.pointer(work.picks).pointer(work.order).pointer(work.tiles).pointer(work.tileCount);
        group.integer(pairs(rows)).integer(config.experts()).integer(isFew(rows) ? FEW_TILE : tile);
        group.launch(stream, 1, 1, 1, 1024, 4 * config.experts());
    }

    private void gateUp(DeviceWeights.Experts experts, int rows) {
        Kernel kernel = isFew(rows) ? gateUpFew : gateUp;
        kernel.pointer(work.normed).pointer(work.order).pointer(work.tiles).pointer(work.tileCount);
        kernel.pointer(experts.gateUpCodes()).pointer(experts.gateUpScales()).pointer(experts.gateUpBias());
        kernel.pointer(work.activated).integer(config.hidden()).integer(config.intermediate());
        kernel.integer(config.expertsPerToken()).real((float) config.swigluLimit());
        multiplyExperts(kernel, rows, 2 * config.intermediate(), config.hidden());
    }

    private void down(DeviceWeights.Experts experts, int rows) {
        Kernel kernel = isFew(rows) ? downFew : down;
        kernel.pointer(work.activated).pointer(work.order).pointer(work.tiles).pointer(work.tileCount);
        kernel.pointer(experts.downCodes()).pointer(experts.downScales()).pointer(experts.downBias());
        kernel.pointer(work.expertOut).integer(config.intermediate()).integer(config.hidden());
        multiplyExperts(kernel, rows, config.hidden(), config.intermediate());
    }

    /** The weighted sum is added to the residual stream. */
    private void combine(int rows) {
        combine.pointer(work.expertOut).pointer(work.shares).pointer(work.x);
        combine.integer(config.hidden()).integer(config.expertsPerToken());
        combine.launch(stream, rows, 1, 1, 128, 0);
    }

    private int pairs(int rows) {
        return rows * config.expertsPerToken();
    }

    private boolean isFew(int rows) {
        return pairs(rows) <= FEW_OF_EACH * config.experts();
    }

    private static Kernel forRows(Kernel[] product, int rows) {
        return product[rows > 384 ? 0 : rows > 16 ? 1 : 2];
    }

    /** The last arguments, and the launch, of a kernel for so many rows. */
    private void multiply(Kernel kernel, int rows, int columns, int depth) {
        kernel.integer(rows).integer(columns).integer(depth);
        if (rows > 384) {
            int stages = sharedLimit >= 3 * LARGE_STAGE ? 3 : 2;
            kernel.integer(stages);
            kernel.launch(stream, blocks(columns, 256), blocks(rows, 128), 1, 256, stages * LARGE_STAGE);
        } else if (rows > 16) {
            kernel.integer(3).launch(stream, blocks(columns, 64), blocks(rows, 64), 1, 256, 3 * 32_768);
        } else {
            kernel.integer(3).launch(stream, blocks(columns, 32), blocks(rows, 16), 1, 256, 3 * 24_576);
        }
    }

    /** The same of experts' products. */
    private void multiplyExperts(Kernel kernel, int rows, int columns, int depth) {
        int tiles = Math.min(config.experts(), pairs(rows));
        if (isFew(rows)) {
            int shared = aligned(4 * depth) + 256 + 36_864;
            kernel.integer(36_864);
            kernel.launch(stream, blocks(columns, 128), pairs(rows) / FEW_TILE + tiles, 1, 128, shared);
        } else {
            kernel.integer(ring);
            kernel.launch(stream, blocks(columns, 256), pairs(rows) / tile + tiles, 1, 256, expertShared(depth, ring));
        }
    }

    private static int expertShared(int depth, int ring) {
        return aligned(8 * depth) + 640 + ring;
    }

    private static int aligned(int bytes) {
        return (bytes + 127) & -128;
    }

    private static int blocks(int count, int size) {
        return (count + size - 1) / size;
    }
}
