package dev.ossicle.cpu;

import java.util.Arrays;

/** Multiplies strips of Q8_0 with float32 activations. One thread's scratch memory goes with it. */
final class Q8StripMultiplier {
    private static final int ROWS = Strips.ROWS;
    private static final int GROUP = Q8StripKernels.GROUP;
    private final LookAhead ahead = new LookAhead(Strips.Format.Q8_0);
    private static final int TILE = Q8StripKernels.TILE;
    private static final int BLOCK_BYTES = Strips.Format.Q8_0.blockBytes;

    /** Blocks that are expanded together: with their activations, half of a first-level cache of 32 kB. */
    private static final int CHUNK = Q8StripKernels.PACKED ? 4 : 1;

    /** Blocks as they are in the strip. */
    private final byte[] w = new byte[CHUNK * BLOCK_BYTES];

    /** The same as floats [CHUNK, 32 columns, ROWS]. */
    private final float[] expanded = new float[CHUNK * 32 * ROWS];

    /**
     * The strip that begins at a row times vectors of activations.
     *
     * @param xAt where each vector begins in x; those from index {@code from} on are meant
     * @param packed the same vectors, if there are {@link Q8StripKernels#TILE} or more
     * @param out [vectors, ROWS]
     */
    void multiply(
            Strips strips, int firstRow, float[] x, int[] xAt, int from, int vectors, PackedRows packed, float[] out) {
        Arrays.fill(out, 0, vectors * ROWS, 0);
        long strip = strips.strip(firstRow / ROWS);
        if (vectors < (Q8StripKernels.PACKED ? TILE : GROUP)) {
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
        for (int block = 0; block < strips.blocks(); block += CHUNK) {
            int count = Math.min(CHUNK, strips.blocks() - block);
            strips.read(strip, block, count, w);
            for (int i = 0; i < count; i++) {
                Q8StripKernels.expand(w, i * BLOCK_BYTES, expanded, i * 32 * ROWS);
            }
            if (Q8StripKernels.PACKED) {
                multiplyTiles(packed.values, 32 * strips.blocks(), block, count, vectors / TILE, out);
                multiplyRest(x, xAt, block, count, from, vectors / TILE * TILE, vectors, out);
            } else {
                multiplyExpanded(x, xAt, 32 * block, from, vectors, out);
            }
        }
    }

    private void multiplyTiles(float[] x, int columns, int firstBlock, int count, int tiles, float[] out) {
        for (int t = 0; t < tiles; t++) {
            for (int i = 0; i < count; i++) {
                int xAt = (t * columns + 32 * (firstBlock + i)) * TILE;
                Q8StripKernels.tile(expanded, i * 32 * ROWS, w, i * BLOCK_BYTES, x, xAt, out, t * TILE * ROWS);
            }
        }
    }

    private void multiplyRest(
            float[] x, int[] xAt, int firstBlock, int count, int from, int first, int vectors, float[] out) {
        for (int v = first; v < vectors; v++) {
            for (int i = 0; i < count; i++) {
                int at = xAt[from + v] + 32 * (firstBlock + i);
                Q8StripKernels.one(expanded, i * 32 * ROWS, w, i * BLOCK_BYTES, x, at, out, v * ROWS);
            }
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
        multiplyRest(x, xAt, column / 32, 1, from, i, vectors, out);
    }
}
