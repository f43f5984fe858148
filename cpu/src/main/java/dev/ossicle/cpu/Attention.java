package dev.ossicle.cpu;

import static dev.ossicle.cpu.AttentionKernels.TILE;
import static dev.ossicle.cpu.Lanes.WIDTH;

import dev.ossicle.checkpoint.ModelConfig;
import java.util.Arrays;

/**
 * Attention of some query rows of one sequence that share a key/value head: blocks of keys at fixed positions, one after
 * the other, with an online softmax that begins at the sink. Blocks outside the window are never touched. One thread's
 * scratch memory.
 */
final class Attention {
    /** Query rows that one task computes: pairs of a token and a query head. */
    static final int ROWS = 64;

    private static final int BLOCK = VectorKvSequence.BLOCK;

    private final int headDim;
    /** headDim as {@link VectorKvSequence} pads it. */
    private final int stride;

    private final int group;
    private final int window;
    private final float scale;

    /** [R, D] queries, scaled. */
    private final float[] q;
    /** [R, stride] output. */
    private final float[] o;
    /** [R, BLOCK] scores, then weights. */
    private final float[] s = new float[ROWS * BLOCK];
    /** [D, BLOCK] keys of the block at hand. */
    private final float[] k;
    /** [BLOCK, stride] its values. */
    private final float[] v;
    /** What each key or value is to be multiplied by [BLOCK]. */
    private final float[] scales = new float[BLOCK];

    private final float[] max = new float[ROWS];
    /** [R, W]. */
    private final float[] sum = new float[ROWS * WIDTH];

    private final float[] shrink = new float[ROWS];

    Attention(ModelConfig config) {
        headDim = config.headDim();
        stride = VectorKvSequence.paddedHeadDim(config);
        group = config.heads() / config.kvHeads();
        window = config.window();
        scale = (float) (1 / Math.sqrt(headDim));
        q = new float[ROWS * headDim];
        o = new float[ROWS * stride];
        k = new float[headDim * BLOCK];
        v = new float[BLOCK * stride];
    }

    /**
     * Rows {@code first .. first + count - 1} of a segment of a pass, counted token by token and, within a token, over the
     * query heads of the group.
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
        int rows = (count + TILE - 1) / TILE * TILE;
        int firstPosition = position + first / group;
        int lastPosition = position + (first + count - 1) / group;
        for (int r = 0; r < rows; r++) {
            boolean real = r < count;
            int from = queriesAt + (first + r) / group * queryWidth + head(kvHead, first + r) * headDim;
            for (int i = 0; i < headDim; i++) {
                q[r * headDim + i] = real ? queries[from + i] * scale : 0;
            }
            max[r] = real ? sinks[head(kvHead, first + r)] : 0;
            Arrays.fill(sum, r * WIDTH, (r + 1) * WIDTH, 0);
            sum[r * WIDTH] = 1; // the sink
        }
        Arrays.fill(o, 0, rows * stride, 0);

        int start = windowed ? Math.max(0, firstPosition - window + 1) : 0;
        for (int block = start / BLOCK; block <= lastPosition / BLOCK; block++) {
            int firstKey = block * BLOCK;
            int keys = Math.min(BLOCK, lastPosition + 1 - firstKey);
            boolean scaled = sequence.loadKeys(layer, block, kvHead, k, scales);
            for (int r = 0; r < rows; r += TILE) {
                AttentionKernels.scores(q, r * headDim, k, headDim, s, r * BLOCK);
            }
            if (scaled) {
                AttentionKernels.scale(s, rows, scales);
            }
            boolean hidden = firstKey + BLOCK - 1 > firstPosition || (windowed && firstKey < lastPosition - window + 1);
            for (int r = 0; hidden && r < rows; r++) {
                int newest = position + (first + Math.min(r, count - 1)) / group;
                int oldest = windowed ? newest - window + 1 : 0;
                AttentionKernels.mask(s, r * BLOCK, oldest - firstKey, newest - firstKey);
            }
            AttentionKernels.softmax(s, rows, max, sum, shrink);
            if (sequence.loadValues(layer, block, kvHead, keys, v, scales)) {
                AttentionKernels.scale(s, rows, scales);
            }
            for (int r = 0; r < rows; r += TILE) {
                AttentionKernels.values(s, r * BLOCK, keys, v, stride, shrink, r, o, r * stride);
            }
        }

        for (int r = 0; r < count; r++) {
            int to = outAt + (first + r) / group * outStride + head(kvHead, first + r) * headDim;
            float total = Lanes.sum(sum, r * WIDTH);
            for (int i = 0; i < headDim; i++) {
                out[to + i] = o[r * stride + i] / total;
            }
        }
    }

    /** The query head of a row. */
    private int head(int kvHead, int row) {
        return kvHead * group + row % group;
    }
}
