package dev.ossicle.cpu;

import static dev.ossicle.cpu.AttentionKernels.TILE;
import static dev.ossicle.cpu.Lanes.WIDTH;

import dev.ossicle.checkpoint.ModelConfig;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Attention of some query rows of one sequence: blocks of keys at fixed positions, one after the other, with an online softmax. The
 * newest block of a span comes first: a jump back in memory leaves alone what the processor fetches ahead, one forward does not ({@link Team}).
 * Blocks outside the window are never touched. One thread's scratch memory.
 *
 * <p>In full layers, spans of {@link #SPAN} positions are summed by themselves and then merged in order, beginning with the
 * sink, whoever computes them: so one token's spans can be computed side by side, and come out as they do one after the other.
 */
final class Attention {
    /** Query rows of one key/value head that one task computes: pairs of a token and a query head. */
    static final int ROWS = 64;

    /** Positions of a span of a full layer: 2 MB of the real models' keys and values, in blocks that are read in one go. */
    static final int SPAN = 1024;

    private static final int BLOCK = VectorKvSequence.BLOCK;

    /** Below every score, and finite: of rows that see nothing of a span. */
    private static final float LEAST = -1e30f;

    private final int headDim;
    /** headDim as {@link VectorKvSequence} pads it. */
    private final int stride;

    private final int heads;
    private final int kvHeads;
    private final int group;
    /** Whether keys and values are multiplied where they are in the cache, eight rows at a time. */
    private final boolean direct;
    /** Rows that are multiplied together. */
    private final int tile;
    /** The group, rounded up to tiles. */
    private final int paddedGroup;

    private final int window;
    private final float scale;

    /** [R / tile, D, tile] queries, scaled. */
    private final float[] q;
    /** [R, stride] output of the span at hand. */
    private final float[] o;
    /** [R, BLOCK] scores, then weights, of the rows that share a head: with those of all heads they would not stay in the nearest cache. */
    private final float[] s;
    /** [D, BLOCK] keys of the block at hand. */
    private final float[] k;
    /** [BLOCK, stride] its values. */
    private final float[] v;

    private final float[] max;
    /** [R, W]. */
    private final float[] sum;

    private final float[] shrink;
    /** [R, 2 + stride]: maximum, sum and output of the spans so far. */
    private final float[] total;

    private final float[] factors = new float[WIDTH + Lanes.APART];

    /** So that {@link AttentionKernels#fetch} gives something that is used. */
    private long fetched;

    /** @param cacheBits of a key or value */
    Attention(ModelConfig config, int cacheBits) {
        direct = cacheBits == 16 && Lanes.MANY_REGISTERS;
        tile = direct ? 8 : TILE;
        headDim = config.headDim();
        stride = VectorKvSequence.paddedHeadDim(config);
        heads = config.heads();
        kvHeads = config.kvHeads();
        group = heads / kvHeads;
        paddedGroup = (group + tile - 1) / tile * tile;
        window = config.window();
        scale = (float) (1 / Math.sqrt(headDim));
        int rows = Math.max(ROWS, kvHeads * paddedGroup);
        q = new float[rows * headDim + Lanes.APART];
        o = new float[rows * stride + Lanes.APART];
        s = new float[rows * BLOCK + Lanes.APART];
        k = new float[headDim * BLOCK + Lanes.APART];
        v = new float[BLOCK * stride + Lanes.APART];
        max = new float[rows + Lanes.APART];
        sum = new float[rows * WIDTH + Lanes.APART];
        shrink = new float[rows + WIDTH + Lanes.APART];
        total = new float[Math.max(ROWS, heads) * partialWidth(config) + Lanes.APART];
    }

    /** Floats of one head's part of a span: its maximum, its sum, its output. */
    static int partialWidth(ModelConfig config) {
        return 2 + VectorKvSequence.paddedHeadDim(config);
    }

    /**
     * Rows {@code first .. first + count - 1} of a segment of a pass that share a key/value head, counted token by token and,
     * within a token, over the query heads of the group.
     *
     * @param position of the segment's first token
     * @param queries [T, Q*D] of the pass, from {@code queriesAt} on those of the segment
     * @param sinks [Q]
     * @param out [T, outStride] of the pass, from {@code outAt} on those of the segment
     */
    void attend(
            VectorKvSequence sequence,
            int layer,
            boolean windowed,
            int kvHead,
            int position,
            int first,
            int count,
            float[] queries,
            int queriesAt,
            int queryWidth,
            float[] sinks,
            float[] out,
            int outAt,
            int outStride) {
        int rows = (count + tile - 1) / tile * tile;
        int firstPosition = position + first / group;
        int lastPosition = position + (first + count - 1) / group;
        for (int r = 0; r < rows; r++) {
            int from = queriesAt + (first + r) / group * queryWidth + head(kvHead, first + r) * headDim;
            loadQuery(r, queries, r < count ? from : -1);
        }
        for (int r = 0; r < count; r++) {
            beginTotal(r, sinks[head(kvHead, first + r)]);
        }
        int start = windowed ? Math.max(0, firstPosition - window + 1) / BLOCK * BLOCK : 0;
        int span = windowed ? lastPosition + 1 - start : SPAN;
        for (int from = start; from <= lastPosition; from += span) {
            beginSpan(0, rows);
            int to = Math.min(from + span - 1, lastPosition);
            for (int block = to / BLOCK; block >= from / BLOCK; block--) {
                int firstKey = block * BLOCK;
                score(sequence, layer, block, kvHead, 0, rows);
                boolean hidden =
                        firstKey + BLOCK - 1 > firstPosition || (windowed && firstKey < lastPosition - window + 1);
                for (int r = 0; hidden && r < rows; r++) {
                    int newest = position + (first + Math.min(r, count - 1)) / group;
                    int oldest = windowed ? newest - window + 1 : 0;
                    AttentionKernels.mask(s, r * BLOCK, oldest - firstKey, newest - firstKey);
                }
                weigh(sequence, layer, block, kvHead, 0, rows, Math.min(BLOCK, lastPosition + 1 - firstKey));
            }
            for (int r = 0; r < count; r++) {
                merge(r, max[r], Lanes.sum(sum, r * WIDTH), o, r * stride);
            }
        }
        for (int r = 0; r < count; r++) {
            finish(r, out, outAt + (first + r) / group * outStride + head(kvHead, first + r) * headDim);
        }
    }

    /**
     * One span of a full layer for all heads of one token: reads memory from one end to the other.
     *
     * @param partials set to [Q, {@link #partialWidth}] from {@code partialsAt} on
     */
    void attendSpan(
            VectorKvSequence sequence,
            int layer,
            int position,
            int span,
            float[] queries,
            int queriesAt,
            float[] partials,
            int partialsAt) {
        for (int kvHead = 0; kvHead < kvHeads; kvHead++) {
            for (int r = 0; r < paddedGroup; r++) {
                int from = queriesAt + head(kvHead, r) * headDim;
                loadQuery(kvHead * paddedGroup + r, queries, r < group ? from : -1);
            }
        }
        beginSpan(0, kvHeads * paddedGroup);
        int last = Math.min((span + 1) * SPAN - 1, position);
        for (int block = last / BLOCK; block >= span * SPAN / BLOCK; block--) {
            int firstKey = block * BLOCK;
            MemorySegment data = sequence.data(layer, block);
            fetched += AttentionKernels.fetch(data.address(), (int) data.byteSize());
            for (int kvHead = 0; kvHead < kvHeads; kvHead++) {
                int row = kvHead * paddedGroup;
                score(sequence, layer, block, kvHead, row, paddedGroup);
                for (int r = row; firstKey + BLOCK - 1 > position && r < row + paddedGroup; r++) {
                    AttentionKernels.mask(s, (r - row) * BLOCK, -firstKey, position - firstKey);
                }
                weigh(sequence, layer, block, kvHead, row, paddedGroup, Math.min(BLOCK, position + 1 - firstKey));
            }
        }
        for (int head = 0; head < heads; head++) {
            int r = head / group * paddedGroup + head % group;
            int to = partialsAt + head * (2 + stride);
            partials[to] = max[r];
            partials[to + 1] = Lanes.sum(sum, r * WIDTH);
            System.arraycopy(o, r * stride, partials, to + 2, stride);
        }
    }

    /**
     * Puts the spans of one token together, for the heads of a group.
     *
     * @param partials of the token [spans, Q, {@link #partialWidth}], from {@code partialsAt} on
     * @param out [Q*D] of the token, from {@code outAt} on
     */
    void mergeSpans(float[] partials, int partialsAt, int spans, int kvHead, float[] sinks, float[] out, int outAt) {
        for (int head = kvHead * group; head < (kvHead + 1) * group; head++) {
            beginTotal(0, sinks[head]);
            for (int span = 0; span < spans; span++) {
                int from = partialsAt + (span * heads + head) * (2 + stride);
                merge(0, partials[from], partials[from + 1], partials, from + 2);
            }
            finish(0, out, outAt + head * headDim);
        }
    }

    /** The query head of a row. */
    private int head(int kvHead, int row) {
        return kvHead * group + row % group;
    }

    /** @param from -1 for a row that is none */
    private void loadQuery(int row, float[] queries, int from) {
        for (int i = 0; i < headDim; i++) {
            q[(row / tile * headDim + i) * tile + row % tile] = from < 0 ? 0 : queries[from + i] * scale;
        }
    }

    private void beginSpan(int first, int rows) {
        Arrays.fill(max, first, first + rows, LEAST);
        Arrays.fill(sum, first * WIDTH, (first + rows) * WIDTH, 0);
        Arrays.fill(o, first * stride, (first + rows) * stride, 0);
    }

    private void score(VectorKvSequence sequence, int layer, int block, int kvHead, int first, int rows) {
        MemorySegment data = sequence.data(layer, block);
        long scales = sequence.keyScales(data, kvHead);
        if (!direct) {
            sequence.loadKeys(data, kvHead, k);
        }
        for (int r = first; r < first + rows; r += tile) {
            if (direct) {
                AttentionKernels.scores8(scales, headDim, q, r * headDim, s, (r - first) * BLOCK);
            } else {
                AttentionKernels.scores(q, r * headDim, k, headDim, scales, s, (r - first) * BLOCK);
            }
        }
    }

    private void weigh(VectorKvSequence sequence, int layer, int block, int kvHead, int first, int rows, int keys) {
        MemorySegment data = sequence.data(layer, block);
        AttentionKernels.softmax(s, first, rows, sequence.valueScales(data, kvHead), max, sum, shrink);
        if (!direct) {
            sequence.loadValues(data, kvHead, keys, v);
        }
        for (int r = first; r < first + rows; r += tile) {
            if (direct) {
                long values = data.address() + sequence.valuesAt(kvHead);
                AttentionKernels.values8(s, (r - first) * BLOCK, keys, values, stride, shrink, r, o, r * stride);
            } else {
                AttentionKernels.values(s, (r - first) * BLOCK, keys, v, stride, shrink, r, o, r * stride);
            }
        }
    }

    private void beginTotal(int row, float sink) {
        int at = row * (2 + stride);
        total[at] = sink;
        total[at + 1] = 1;
        Arrays.fill(total, at + 2, at + 2 + stride, 0);
    }

    private void merge(int row, float spanMax, float spanSum, float[] output, int outputAt) {
        int at = row * (2 + stride);
        float newest = Math.max(total[at], spanMax);
        factors[0] = total[at] - newest;
        factors[1] = spanMax - newest;
        Elementwise.exp(factors, 0, WIDTH, 1);
        float before = factors[0];
        float now = factors[1];
        total[at] = newest;
        total[at + 1] = total[at + 1] * before + spanSum * now;
        for (int i = 0; i < stride; i++) {
            total[at + 2 + i] = total[at + 2 + i] * before + output[outputAt + i] * now;
        }
    }

    private void finish(int row, float[] out, int to) {
        int at = row * (2 + stride);
        for (int i = 0; i < headDim; i++) {
            out[to + i] = total[at + 2 + i] / total[at + 1];
        }
    }
}
