package dev.ossicle.cpu;

import java.util.Arrays;

/** Multiplies strips of Q8_0 with float32 activations. One thread's scratch memory goes with it. */
final class Q8StripMultiplier {
    private static final int ROWS = Strips.ROWS;
    private static final int GROUP = Q8StripKernels.GROUP;
    private static final int CHUNK = Strips.Format.Q8_0.chunkBlocks;

    private final byte[] chunk = new byte[Strips.CHUNK_BYTES];
    private final float[] scales = new float[CHUNK * ROWS];
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
        for (int block = 0; block < strips.blocks(); block += CHUNK) {
            int count = Math.min(CHUNK, strips.blocks() - block);
            strips.read(firstRow, block, count, chunk);
            Q8StripKernels.scales(chunk, count, scales);
            if (vectors < GROUP) {
                for (int i = 0; i < vectors; i++) {
                    Q8StripKernels.dot(chunk, scales, count, x, xAt[from + i] + 32 * block, out, i * ROWS);
                }
            } else {
                for (int b = 0; b < count; b++) {
                    Q8StripKernels.expand(chunk, b, expanded);
                    multiplyExpanded(b * ROWS, x, xAt, 32 * (block + b), from, vectors, out);
                }
            }
        }
    }

    private void multiplyExpanded(
            int scalesAt, float[] x, int[] xAt, int column, int from, int vectors, float[] out) {
        int i = 0;
        for (; i + GROUP <= vectors; i += GROUP) {
            int at = from + i;
            Q8StripKernels.group(
                    expanded,
                    scales,
                    scalesAt,
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
            Q8StripKernels.one(expanded, scales, scalesAt, x, xAt[from + i] + column, out, i * ROWS);
        }
    }
}
