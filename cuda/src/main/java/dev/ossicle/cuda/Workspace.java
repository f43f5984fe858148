package dev.ossicle.cuda;

import dev.ossicle.checkpoint.ModelConfig;

/**
 * What is computed on the way, the same memory for every pass; letters as in {@link ModelConfig}, T rows of a pass, P experts of
 * a row.
 */
final class Workspace {
    /** Logits of so many rows at a time. */
    static final int LOGIT_ROWS = 64;

    /** Sequences of a pass. */
    static final int MOST_SEQUENCES = 128;

    /** Of the smallest tile of rows that is not one of few. */
    private static final int SMALLEST_TILE = 64;

    /** float [T, H]: the residual stream. */
    final DeviceMemory x;
    /** [T, H], fp16 for dense products, bf16 for experts. */
    final DeviceMemory normed;
    /** float [T]: 1 / root mean square. */
    final DeviceMemory scale;
    /** float [T, (Q + 2 K) D] */
    final DeviceMemory qkv;
    /** fp16 [T, Q D], rotated. */
    final DeviceMemory query;
    /** float [8, Q D] */
    final DeviceMemory decodeQuery;
    /** fp16 [T, Q D] */
    final DeviceMemory attended;
    /** float [T, E] */
    final DeviceMemory routerLogits;
    /** int [T, P] */
    final DeviceMemory picks;
    /** float [T, P] */
    final DeviceMemory shares;
    /** int [T P]: rows and picks by expert. */
    final DeviceMemory order;
    /** int4 each: rows of one expert that are computed together. */
    final DeviceMemory tiles;
    /** int [1] */
    final DeviceMemory tileCount;
    /** bf16 [T P, I] */
    final DeviceMemory activated;
    /** float [T P, H] */
    final DeviceMemory expertOut;
    /** float [LOGIT_ROWS, V] */
    final DeviceMemory logits;
    /** What blocks of a head hand to the last of them. */
    final DeviceMemory attentionParts;
    /** int: blocks that have arrived; 0 between kernels. */
    final DeviceMemory tickets;
    /** The same of the router [1]. */
    final DeviceMemory routerTicket;

    final DeviceMemory decodeInputs;
    final DeviceMemory prefillInputs;

    Workspace(ModelConfig config, int rows, int multiprocessors, DeviceHeap heap) {
        int t = Math.max(rows, DecodePass.MOST_ROWS);
        long pairs = (long) t * config.expertsPerToken();
        int queryWidth = config.queryWidth();
        int maxPages = KvPages.pages(config.maxContext());
        x = heap.allocate(4L * t * config.hidden());
        normed = heap.allocate(2L * Math.max(t, LOGIT_ROWS) * config.hidden());
        scale = heap.allocate(4L * t);
        qkv = heap.allocate(4L * t * (queryWidth + 2 * config.kvWidth()));
        query = heap.allocate(2L * t * queryWidth);
        decodeQuery = heap.allocate(4L * DecodePass.MOST_ROWS * queryWidth);
        attended = heap.allocate(2L * t * queryWidth);
        routerLogits = heap.allocate(4L * t * config.experts());
        picks = heap.allocate(4 * pairs);
        shares = heap.allocate(4 * pairs);
        order = heap.allocate(4 * pairs);
        tiles = heap.allocate(16 * mostTiles(config, pairs));
        tileCount = heap.allocate(4);
        activated = heap.allocate(2 * pairs * config.intermediate());
        expertOut = heap.allocate(4 * pairs * config.hidden());
        logits = heap.allocate(4L * LOGIT_ROWS * config.vocabulary());
        attentionParts = heap.allocate(DecodePass.attentionPartBytes(config, multiprocessors));
        tickets = heap.allocate(DecodePass.ticketBytes(config));
        routerTicket = heap.allocate(4);
        decodeInputs = heap.allocate(StepInputs.bytes(DecodePass.MOST_ROWS, DecodePass.MOST_ROWS, maxPages));
        prefillInputs = heap.allocate(StepInputs.bytes(t, MOST_SEQUENCES, maxPages));
    }

    private static long mostTiles(ModelConfig config, long pairs) {
        long few = Math.min(pairs, PrefillPass.FEW_OF_EACH * (long) config.experts());
        return Math.max(pairs / SMALLEST_TILE, few / PrefillPass.FEW_TILE) + Math.min(config.experts(), pairs);
    }

    /** Tickets are 0 from here on. */
    void clear(Stream stream) {
        stream.fill(tickets, (byte) 0);
        stream.fill(routerTicket, (byte) 0);
    }
}
