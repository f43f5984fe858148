package dev.ossicle.cpu;

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

    /** [D, R] queries, scaled. */
    private final float[] q;
    /** [stride, R] output. */
    private final float[] o;
    /** [BLOCK, R] scores, then weights. */
    private final float[] s = new float[BLOCK * ROWS];
    /** [BLOCK, stride] keys and values of the block at hand. */
    private final float[] k;

    private final float[] v;
    private final float[] max = new float[ROWS];
    private final float[] sum = new float[ROWS];
    private final float[] shrink = new float[ROWS];
    private final float[] oldest = new float[ROWS];
    private final float[] newest = new float[ROWS];

    Attention(ModelConfig config) {
        headDim = config.headDim();
        stride = VectorKvSequence.paddedHeadDim(config);
        group = config.heads() / config.kvHeads();
        window = config.window();
        scale = (float) (1 / Math.sqrt(headDim));
        q = new float[headDim * ROWS];
        o = new float[stride * ROWS];
        k = new float[BLOCK * stride];
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
        int rows = (count + WIDTH - 1) / WIDTH * WIDTH;
        int firstPosition = position + first / group;
        int lastPosition = position + (first + count - 1) / group;
        for (int r = 0; r < rows; r++) {
            boolean real = r < count;
            int token = (real ? first + r : first) / group;
            int head = kvHead * group + (first + r) % group;
            int from = queriesAt + token * queryWidth + head * headDim;
            for (int i = 0; i < headDim; i++) {
                q[i * rows + r] = real ? queries[from + i] * scale : 0;
            }
            newest[r] = position + token;
            oldest[r] = windowed ? position + token - window + 1 : 0;
            max[r] = real ? sinks[head] : 0;
            sum[r] = 1;
        }
        Arrays.fill(o, 0, stride * rows, 0);

        int start = windowed ? Math.max(0, firstPosition - window + 1) : 0;
        for (int block = start / BLOCK; block <= lastPosition / BLOCK; block++) {
            int firstKey = block * BLOCK;
            int keys = Math.min(BLOCK, lastPosition + 1 - firstKey);
            sequence.load(layer, block, kvHead, keys, k, v);
            boolean hidden = firstKey + keys - 1 > firstPosition || (windowed && firstKey < lastPosition - window + 1);
            addBlock(rows, firstKey, keys, hidden);
        }

        for (int r = 0; r < count; r++) {
            int token = (first + r) / group;
            int head = kvHead * group + (first + r) % group;
            int to = outAt + token * outStride + head * headDim;
            for (int i = 0; i < headDim; i++) {
                out[to + i] = o[i * rows + r] / sum[r];
            }
        }
    }

    /** @param hidden whether some row must not see some key */
    private void addBlock(int rows, int firstKey, int keys, boolean hidden) {
        int row = 0;
        for (; row + 2 * WIDTH <= rows; row += 2 * WIDTH) {
            for (int j = 0; j < keys; j += 4) {
                AttentionKernels.scores2(q, row, rows, k, j * stride, stride, headDim, s, j * rows + row);
            }
        }
        if (row < rows) {
            for (int j = 0; j < keys; j += 4) {
                AttentionKernels.scores1(q, row, rows, k, j * stride, stride, headDim, s, j * rows + row);
            }
        }
        for (row = 0; row < rows; row += WIDTH) {
            if (hidden) {
                AttentionKernels.mask(s, row, rows, firstKey, keys, oldest, newest, row);
            }
            AttentionKernels.softmax(s, row, rows, keys, max, sum, shrink, row);
        }
        for (row = 0; row + 2 * WIDTH <= rows; row += 2 * WIDTH) {
            for (int i = 0; i < stride; i += 4) {
                AttentionKernels.values2(s, row, rows, keys, v, i, stride, shrink, row, o, i * rows + row);
            }
        }
        if (row < rows) {
            for (int i = 0; i < stride; i += 4) {
                AttentionKernels.values1(s, row, rows, keys, v, i, stride, shrink, row, o, i * rows + row);
            }
        }
    }
}
