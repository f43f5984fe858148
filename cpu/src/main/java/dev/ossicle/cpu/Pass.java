package dev.ossicle.cpu;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.Rope;
import dev.ossicle.engine.Chunk;
import java.util.Arrays;

/**
 * The rows that go through the model together, and their activations: pieces ("segments") of one or several chunks, one after
 * the other. Reused from pass to pass; arrays grow to the largest.
 */
final class Pass {
    /** With fewer spans, threads would wait for each other; heads are cut finer. */
    private static final int MIN_SPANS_PER_THREAD = 2;

    /** 256 MB: beyond, heads are computed side by side again. */
    private static final int MAX_PARTIALS = 1 << 26;

    private final ModelConfig config;
    private final Rope rope;

    /** T. */
    int rows;

    int segments;
    /** [segments]: index of its chunk in the batch. */
    int[] chunk = new int[1];
    /** [segments]. */
    VectorKvSequence[] sequence = new VectorKvSequence[1];
    /** [segments]: its first row in the pass. */
    int[] firstRow = new int[1];
    /** [segments]. */
    int[] segmentRows = new int[1];
    /** [segments]: position of its first row in its sequence. */
    int[] position = new int[1];
    /** [segments]: tasks of the attention of this and all earlier ones in the layer at hand. */
    int[] attentionTasks = new int[1];
    /** [segments]: spans that are computed side by side in the layer at hand; 0 if heads are. */
    int[] spans = new int[1];
    /** [segments]: where their results are in {@link #partials}. */
    int[] partialsAt = new int[1];

    /** Whether any is not 0. */
    boolean anySpans;

    /** Results of spans, see {@link Attention#attendSpan}. */
    float[] partials = new float[0];

    /** [T]. */
    int[] token = new int[0];
    /** [T]: the row's segment. */
    int[] segmentOf = new int[0];

    /** Rows whose logits are wanted [wanted]. */
    int[] wantedRow = new int[0];

    int wanted;

    /** Width of a row of {@link #attended}: Q*D padded. */
    final int attendedStride;

    /** [T, H] the residual stream. */
    float[] x = new float[0];
    /** [T, H] normed. */
    float[] t = new float[0];
    /** [T] sums of squares of the rows that were normed. */
    double[] squares = new double[0];
    /** [T, Q*D]. */
    float[] q = new float[0];
    /** [T, K*D]. */
    float[] k = new float[0];
    /** [T, K*D]. */
    float[] v = new float[0];
    /** [T, D/2]. */
    float[] cos = new float[0];
    /** [T, D/2]. */
    float[] sin = new float[0];
    /** [T, attendedStride]. */
    float[] attended = new float[0];
    /** [T, E] router logits. */
    float[] g = new float[0];
    /** [slots, I] activations inside the experts. */
    float[] inner = new float[0];
    /** [slots, H] what the experts give back. */
    float[] y = new float[0];

    /** [T]: where each row begins in {@link #t}. */
    int[] normedAt = new int[0];
    /** [T]: where each row begins in {@link #attended}. */
    int[] attendedAt = new int[0];
    /** [slots]: where the row of each slot begins in {@link #t}. */
    int[] slotRowAt = new int[0];
    /** [slots]: where each slot begins in {@link #inner}. */
    int[] slotAt = new int[0];

    Pass(ModelConfig config) {
        this.config = config;
        this.rope = new Rope(config);
        this.attendedStride = Lanes.padded(config.queryWidth());
    }

    void clear() {
        rows = 0;
        wanted = 0;
        Arrays.fill(sequence, null);
        segments = 0;
    }

    /** Adds tokens {@code from .. from + count - 1} of a chunk, which follow what its sequence holds. */
    void add(int chunkIndex, Chunk source, int from, int count) {
        if (segments == chunk.length) {
            int capacity = 2 * segments;
            chunk = Arrays.copyOf(chunk, capacity);
            sequence = Arrays.copyOf(sequence, capacity);
            firstRow = Arrays.copyOf(firstRow, capacity);
            segmentRows = Arrays.copyOf(segmentRows, capacity);
            position = Arrays.copyOf(position, capacity);
            attentionTasks = Arrays.copyOf(attentionTasks, capacity);
            spans = Arrays.copyOf(spans, capacity);
            partialsAt = Arrays.copyOf(partialsAt, capacity);
        }
        grow(rows + count);
        int segment = segments++;
        VectorKvSequence kv = (VectorKvSequence) source.sequence();
        chunk[segment] = chunkIndex;
        sequence[segment] = kv;
        firstRow[segment] = rows;
        segmentRows[segment] = count;
        position[segment] = kv.length();
        kv.reserve(kv.length() + count);

        int firstWanted = source.tokens().length - source.wantedLogits();
        int half = config.headDim() / 2;
        for (int i = 0; i < count; i++, rows++) {
            token[rows] = source.tokens()[from + i];
            segmentOf[rows] = segment;
            if (from + i >= firstWanted) {
                wantedRow[wanted++] = rows;
            }
            for (int j = 0; j < half; j++) {
                cos[rows * half + j] = (float) rope.cos(position[segment] + i, j);
                sin[rows * half + j] = (float) rope.sin(position[segment] + i, j);
            }
        }
    }

    /** Adds rows of {@link #x} that belong to no sequence, from {@code from[at]} on. */
    void addRows(float[] from, int at, int count) {
        grow(rows + count);
        System.arraycopy(from, at, x, rows * config.hidden(), count * config.hidden());
        Arrays.fill(segmentOf, rows, rows + count, 0);
        firstRow[0] = 0;
        position[0] = 0;
        rows += count;
    }

    /**
     * Cuts the attention of a layer into tasks: by heads and rows, or by spans where one token has spans enough for all
     * threads.
     *
     * @return how many
     */
    int planAttention(boolean windowed, int threads) {
        int group = config.heads() / config.kvHeads();
        int tasks = 0;
        long floats = 0;
        anySpans = false;
        for (int segment = 0; segment < segments; segment++) {
            int count = position[segment] / Attention.SPAN + 1;
            boolean bySpans = !windowed && segmentRows[segment] == 1 && count >= MIN_SPANS_PER_THREAD * threads;
            long needed = (long) count * config.heads() * Attention.partialWidth(config);
            bySpans &= floats + needed <= MAX_PARTIALS;
            anySpans |= bySpans;
            spans[segment] = bySpans ? count : 0;
            partialsAt[segment] = (int) floats;
            floats += bySpans ? needed : 0;
            tasks += bySpans
                    ? count
                    : config.kvHeads() * ((segmentRows[segment] * group + Attention.ROWS - 1) / Attention.ROWS);
            attentionTasks[segment] = tasks;
        }
        if (partials.length < floats) {
            partials = new float[(int) Math.min(MAX_PARTIALS, 2 * floats)];
        }
        return tasks;
    }

    /** Position of a row in its sequence. */
    int positionOf(int row) {
        int segment = segmentOf[row];
        return position[segment] + row - firstRow[segment];
    }

    private void grow(int needed) {
        if (needed <= token.length) {
            return;
        }
        // The small arrays are filled while segments are added, so they keep what they hold; the large ones do not
        // matter yet.
        token = Arrays.copyOf(token, needed);
        segmentOf = Arrays.copyOf(segmentOf, needed);
        wantedRow = Arrays.copyOf(wantedRow, needed);
        cos = Arrays.copyOf(cos, needed * (config.headDim() / 2));
        sin = Arrays.copyOf(sin, needed * (config.headDim() / 2));
        int slots = needed * config.expertsPerToken();
        x = new float[needed * config.hidden()];
        t = new float[needed * config.hidden()];
        squares = new double[needed];
        q = new float[needed * config.queryWidth()];
        k = new float[needed * config.kvWidth()];
        v = new float[needed * config.kvWidth()];
        attended = new float[needed * attendedStride];
        g = new float[needed * config.experts()];
        inner = new float[slots * config.intermediate()];
        y = new float[slots * config.hidden()];
        normedAt = new int[needed];
        attendedAt = new int[needed];
        for (int row = 0; row < needed; row++) {
            normedAt[row] = row * config.hidden();
            attendedAt[row] = row * attendedStride;
        }
        slotRowAt = new int[slots];
        slotAt = new int[slots];
        for (int slot = 0; slot < slots; slot++) {
            slotAt[slot] = slot * config.intermediate();
        }
    }

    /** The most rows that a pass of this model may have: as wanted, unless an array would grow beyond bounds. */
    static int maxRows(ModelConfig config, int wanted) {
        long widest = Math.max(
                (long) config.expertsPerToken() * Math.max(config.hidden(), config.intermediate()),
                Math.max(Lanes.padded(config.queryWidth()), config.experts()));
        return Math.clamp((1L << 28) / widest, 1, wanted);
    }
}
