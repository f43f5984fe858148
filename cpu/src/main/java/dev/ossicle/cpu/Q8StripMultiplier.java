package dev.ossicle.cpu;

import java.util.Arrays;

/** Multiplies strips of Q8_0 with float32 activations. One thread's scratch memory goes with it. */
final class Q8StripMultiplier {
    private static final int ROWS = Strips.ROWS;
    private static final int GROUP = Q8StripKernels.GROUP;
    private final LookAhead ahead = new LookAhead(Strips.Format.Q8_0);
    /** A block as it is in the strip. */
    private final byte[] w = new byte[Strips.Format.Q8_0.blockBytes];

    /** One block [32 columns, ROWS]. */
    private final float[] expanded = new float[32 * ROWS];

    /**
     * The strip that begins at a row times vectors of activations.
     *
     * @param xAt where each vector begins in x; those from index {@code from} on are meant
     * @param out [vectors, ROWS]
     */
    void multiply(Strips strips, int firstRow, float[] x, int[] xAt, int from, int vectors, float[] out) {
        Arrays.fill(out, 0, vectors * ROWS, 0);
        long strip = strips.strip(firstRow / ROWS);
        if (vectors < GROUP) {
            // From the second vector on, the strip comes from the cache.
            for (int i = 0; i < vectors; i++) {
                long next = i + 1 < vectors ? strip : strips.stripAfter(firstRow / ROWS);
                ahead.begin(strips, strip);
                int half = Q8StripKernels.dot(
                        strips.data(),
                        strip,
                        strips.blocks(),
                        x,
                        xAt[from + i],
                        out,
                        i * ROWS,
                        ahead.w,
                        ahead.half,
                        next);
                ahead.end(half, strips.data(), next);
            }
            return;
        }
        for (int block = 0; block < strips.blocks(); block++) {
            strips.read(strip, block, 1, w);
            Q8StripKernels.expand(w, expanded);
            multiplyExpanded(x, xAt, 32 * block, from, vectors, out);
        }
    }

    private void multiplyExpanded(float[] x, int[] xAt, int column, int from, int vectors, float[] out) {
        int i = 0;
        for (; i + GROUP <= vectors; i += GROUP) {
            int at = from + i;
            Q8StripKernels.group(
                    expanded,
                    w,
                    x,
                    xAt[at] + column,
                    xAt[at + 1] + column,
                    xAt[at + 2] + column,
                    xAt[at + 3] + column,
                    xAt[at + 4] + column,
                    xAt[at + 5] + column,
                    out,
                    i * ROWS);
        }
        for (; i < vectors; i++) {
            Q8StripKernels.one(expanded, w, x, xAt[from + i] + column, out, i * ROWS);
        }
    }
}
