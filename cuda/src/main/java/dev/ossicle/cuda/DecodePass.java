package dev.ossicle.cuda;

import dev.ossicle.checkpoint.ModelConfig;

/**
 * The forward pass over one token of each of up to {@link #MOST_ROWS} sequences; bound by reading weights, so that one row
 * costs what eight do. What a launch needs is said at the top of decode.cu; letters as in {@link ModelConfig}.
 */
final class DecodePass {
    static final int MOST_ROWS = 8;

    private final ModelConfig config;
    private final DeviceWeights weights;
    private final KvPages pages;
    private final Workspace work;
    private final StepInputs in;
    private final Stream stream;
    private final int multiprocessors;

    private final Kernel embed;
    private final Kernel qkv;
    private final Kernel attention;
    private final Kernel out;
    private final Kernel router;
    private final Kernel gateUp;
    private final Kernel down;
    private final Kernel logits;

    DecodePass(
            ModelConfig config,
            DeviceWeights weights,
            KvPages pages,
            Workspace work,
            StepInputs in,
            Stream stream,
            Kernels kernels,
            int multiprocessors) {
        this.config = config;
        this.weights = weights;
        this.pages = pages;
        this.work = work;
        this.in = in;
        this.stream = stream;
        this.multiprocessors = multiprocessors;
        this.embed = kernels.kernel("embed");
        this.qkv = kernels.kernel("decode_qkv");
        this.attention = kernels.kernel("decode_attention");
        this.out = kernels.kernel("decode_out");
        this.router = kernels.kernel("decode_router");
        this.gateUp = kernels.kernel("decode_gate_up");
        this.down = kernels.kernel("decode_down");
        this.logits = kernels.kernel("decode_logits");
    }

    /** Puts all of it on the stream, for so many rows of the inputs, padding included; ends with the logits of wanted rows. */
    void run(int rows, HostLayers hostLayers) {
        embed(rows);
        for (int l = 0; l < config.layers(); l++) {
            DeviceWeights.Layer layer = weights.layers().get(l);
            queryKeyValue(l, layer, rows);
            attention(l, layer, rows);
            out(layer, rows);
            DeviceWeights.Experts experts = layer.experts();
            if (experts == null) {
                hostLayers.addExperts(l, rows);
                continue;
            }
            router(l, layer, rows);
            gateUp(experts, rows);
            down(experts, rows);
        }
        logits(rows);
    }

    private void embed(int rows) {
        embed.pointer(in.token()).pointer(weights.embedding()).pointer(work.x);
        embed.integer(config.hidden()).integer(rows).integer(config.vocabulary());
        embed.launch(stream, rows, 1, 1, 256, 0);
    }

    /** Norm, projection, rotation; keys and values go to their pages. */
    private void queryKeyValue(int l, DeviceWeights.Layer layer, int rows) {
        qkv.pointer(work.x).pointer(layer.attentionNorm()).real((float) config.rmsEpsilon());
        qkv.pointer(layer.qkv()).pointer(layer.qkvBias()).pointer(weights.rope());
        qkv.pointer(in.position()).pointer(in.sequence()).pointer(in.tables(config.isWindowed(l)));
        qkv.pointer(pages.keys(l)).pointer(pages.values(l)).pointer(work.decodeQuery);
        qkv.integer(config.hidden())
                .integer(config.heads())
                .integer(config.kvHeads())
                .integer(rows);
        qkv.pointer(in.fault()).integer(Faults.beforeAttention(l));
        int heads = config.heads() + 2 * config.kvHeads();
        qkv.launch(stream, 4 * heads, 1, 1, 256, rows * stride(config.hidden()) + 8224 + 4 * config.hidden(), true);
    }

    private void attention(int l, DeviceWeights.Layer layer, int rows) {
        boolean windowed = config.isWindowed(l);
        int groups = groups(config);
        attention.pointer(work.decodeQuery).pointer(in.position()).pointer(in.sequence());
        attention
                .pointer(in.tables(windowed))
                .pointer(pages.keys(l))
                .pointer(pages.values(l))
                .pointer(layer.sinks());
        attention.integer(windowed ? config.window() : 0);
        int splits = splits(config, windowed, rows, multiprocessors);
        attention.pointer(work.attentionParts).pointer(work.tickets).pointer(work.attended);
        attention.integer(config.heads()).integer(config.kvHeads()).integer(splits);
        attention.launch(stream, groups, splits, rows, 256, 0, true);
    }

    /** Key heads, once for each eight of their query heads. */
    private static int groups(ModelConfig config) {
        return config.kvHeads() * ((config.heads() / config.kvHeads() + 7) / 8);
    }

    /** Blocks that share the positions of a head. */
    private static int splits(ModelConfig config, boolean windowed, int rows, int multiprocessors) {
        return windowed && config.window() <= LONG_WINDOW
                ? 1
                : Math.max(1, 2 * multiprocessors / (groups(config) * rows));
    }

    private static final int LONG_WINDOW = 512;

    static long attentionPartBytes(ModelConfig config, int multiprocessors) {
        long most = 0;
        for (int rows = 1; rows <= MOST_ROWS; rows *= 2) {
            most = Math.max(most, (long) rows * splits(config, false, rows, multiprocessors));
        }
        return most * groups(config) * 528 * Float.BYTES;
    }

    static long ticketBytes(ModelConfig config) {
        return (long) groups(config) * MOST_ROWS * Integer.BYTES;
    }

    /** Added to the residual stream. */
    private void out(DeviceWeights.Layer layer, int rows) {
        out.pointer(work.attended)
                .pointer(layer.out())
                .pointer(layer.outBias())
                .pointer(work.x)
                .pointer(in.position());
        out.integer(config.hidden()).integer(config.queryWidth()).integer(rows);
        out.launch(stream, config.hidden() / 16, 1, 1, 512, rows * stride(config.queryWidth()) + 16384, true);
    }

    /** Norm, and which experts. */
    private void router(int l, DeviceWeights.Layer layer, int rows) {
        router.pointer(work.x).pointer(layer.mlpNorm()).real((float) config.rmsEpsilon());
        router.pointer(layer.router()).pointer(layer.routerBias()).pointer(in.position());
        router.pointer(work.normed).pointer(work.picks).pointer(work.shares);
        router.pointer(work.routerLogits).pointer(work.routerTicket);
        router.integer(config.hidden())
                .integer(config.experts())
                .integer(config.expertsPerToken())
                .integer(rows);
        router.pointer(in.fault()).integer(Faults.afterAttention(l));
        router.launch(stream, config.experts(), 1, 1, 128, 4 * rows * config.experts(), true);
    }

    private void gateUp(DeviceWeights.Experts experts, int rows) {
        int picks = config.expertsPerToken();
        gateUp.pointer(work.normed).pointer(work.picks);
        gateUp.pointer(experts.gateUpCodes()).pointer(experts.gateUpScales()).pointer(experts.gateUpBias());
        gateUp.pointer(work.activated)
                .integer(config.hidden())
                .integer(config.intermediate())
                .integer(picks);
        gateUp.real((float) config.swigluLimit()).integer(rows);
        int shared = rows * steps(config.hidden()) + 2 * config.hidden();
        gateUp.launch(stream, config.intermediate() / 32, rows * picks, 1, 256, shared, true);
    }

    /** The weighted sum is added to the residual stream. */
    private void down(DeviceWeights.Experts experts, int rows) {
        int picks = config.expertsPerToken();
        down.pointer(work.activated).pointer(work.picks).pointer(work.shares);
        down.pointer(experts.downCodes()).pointer(experts.downScales()).pointer(experts.downBias());
        down.pointer(work.x).pointer(in.position());
        down.integer(config.hidden())
                .integer(config.intermediate())
                .integer(picks)
                .integer(rows);
        int pairs = Math.min(rows, Math.max(1, 8 / picks)) * picks;
        int shared = pairs * (steps(config.intermediate()) + config.intermediate() / 2) + rows * picks * 256;
        down.launch(stream, config.hidden() / 16, 1, 1, 512, shared, true);
    }

    private void logits(int rows) {
        logits.pointer(work.x).pointer(in.wantedRows(0)).pointer(weights.norm()).real((float) config.rmsEpsilon());
        logits.pointer(weights.unembedding()).pointer(work.logits);
        logits.integer(config.hidden()).integer(config.vocabulary()).integer(rows);
        logits.pointer(in.fault()).integer(Faults.beforeLogits(config));
        int blocks = Math.min(3 * multiprocessors, (config.vocabulary() + 15) / 16);
        logits.launch(stream, blocks, 1, 1, 256, rows * stride(config.hidden()) + 8224 + 4 * config.hidden(), true);
    }

    /** Bytes of a row of fp16 in shared memory, such that two rows do not meet in a bank. */
    private static int stride(int columns) {
        return 2 * columns + (columns % 64 == 0 ? 64 : 0);
    }

    /** The same of whole steps of 128 columns. */
    private static int steps(int columns) {
        return 256 * ((columns + 127) / 128) + 64;
    }
}
