package dev.ossicle.cpu;

import java.util.Arrays;

/** Multiplies strips with the rounded activations of an expert's slots. One thread's scratch memory goes with it. */
final class StripMultiplier {
    private static final int GROUP = StripKernels.GROUP;
    private static final int ROWS = Strips.ROWS;
    private static final int RUN = 16;
    /** Sums of one block of one strip. */
    private static final int SUMS = 2 * GROUP * ROWS;

    /** Vectors of 512 bits come with 32 registers; others may have 16. */
    private static final boolean PAIRS = Lanes.WIDTH > 8;

    /** Blocks that are read together to be expanded: some are too few to be worth a call. */
    private static final int CHUNK = 6;

    private final LookAhead ahead = new LookAhead(Strips.Format.MXFP4);
    /** Blocks as they are in the strip. */
    private final byte[] chunk = new byte[CHUNK * Strips.Format.MXFP4.blockBytes];
    /** Expanded strips [2, columns, ROWS]. */
    private short[] w = new short[0];
    /** Their scales [blocks, ROWS]. */
    private float[] scalesA = new float[0];

    private float[] scalesB = new float[0];
    /** [2 strips, 2 runs, GROUP, ROWS]. */
    private final short[] sums = new short[2 * SUMS];

    /**
     * Two strips of as many columns.
     *
     * @param rowA first row of the strip of a
     * @param from first slot of the expert
     * @param slots how many
     * @param x of all slots, where {@link RoundedSlots} says
     * @param outA [slots, 32]
     * @param outB [slots, 32]
     */
    void multiply(
            Strips a, int rowA, Strips b, int rowB, int from, int slots, RoundedSlots x, float[] outA, float[] outB) {
        int grouped = slots / GROUP * GROUP;
        if (grouped > 0) {
            multiplyGroups(a, rowA, b, rowB, from, grouped, x, outA, outB);
        }
        boolean same = a.data().equals(b.data());
        multiplyRest(a, rowA, from, grouped, slots, x, outA, same ? b.strip(rowB) : a.strip(rowA));
        multiplyRest(b, rowB, from, grouped, slots, x, outB, same ? a.stripAfter(a == b ? rowB : rowA) : b.strip(rowB));
    }

    private void multiplyGroups(
            Strips a, int rowA, Strips b, int rowB, int from, int slots, RoundedSlots x, float[] outA, float[] outB) {
        int blocks = a.blocks();
        int columns = 32 * blocks;
        if (w.length < 2 * columns * ROWS) {
            w = new short[2 * columns * ROWS];
            scalesA = new float[blocks * ROWS];
            scalesB = new float[blocks * ROWS];
        }
        int apart = columns * ROWS;
        expand(a, rowA, 0, scalesA);
        expand(b, rowB, apart, scalesB);
        Arrays.fill(outA, 0, slots * ROWS, 0);
        Arrays.fill(outB, 0, slots * ROWS, 0);
        for (int slot = 0; slot < slots; slot += GROUP) {
            int xAt = (from + slot) * columns;
            int xScalesAt = (from + slot) * blocks;
            for (int block = 0; block < blocks; block++) {
                run(block * 32, apart, x.values, xAt + block * 32 * GROUP, 0);
                run(block * 32 + RUN, apart, x.values, xAt + (block * 32 + RUN) * GROUP, GROUP * ROWS);
                int to = xScalesAt + block * GROUP;
                StripKernels.scale(sums, 0, scalesA, block * ROWS, x.scales, to, outA, slot * ROWS);
                StripKernels.scale(sums, SUMS, scalesB, block * ROWS, x.scales, to, outB, slot * ROWS);
            }
        }
    }

    private void run(int column, int apart, int[] x, int xAt, int sumsAt) {
        if (PAIRS) {
            StripKernels.run2(w, column * ROWS, apart, x, xAt, sums, sumsAt);
        } else {
            StripKernels.run(w, column * ROWS, x, xAt, sums, sumsAt);
            StripKernels.run(w, apart + column * ROWS, x, xAt, sums, SUMS + sumsAt);
        }
    }

    private void expand(Strips strips, int firstRow, int to, float[] scales) {
        long strip = strips.strip(firstRow);
        for (int block = 0; block < strips.blocks(); block += CHUNK) {
            int count = Math.min(CHUNK, strips.blocks() - block);
            strips.read(strip, block, count, chunk);
            StripKernels.expand(chunk, count, w, to + 32 * block * ROWS, scales, block * ROWS);
        }
    }

    /**
     * Slots that make no group; from the second on, the strip comes from the cache.
     *
     * @param after where in the same data it probably goes on
     */
    private void multiplyRest(
            Strips strips, int firstRow, int from, int grouped, int slots, RoundedSlots x, float[] out, long after) {
        int blocks = strips.blocks();
        long strip = strips.strip(firstRow);
        Arrays.fill(out, grouped * ROWS, slots * ROWS, 0);
        for (int slot = grouped; slot < slots; slot++) {
            int at = (from + slot) * blocks;
            long next = slot + 1 < slots ? strip : after;
            ahead.begin(strips, strip);
            int half = StripKernels.dot(
                    strips.data(),
                    strip,
                    blocks,
                    x.values,
                    32 * at,
                    x.scales,
                    at,
                    out,
                    slot * ROWS,
                    ahead.w,
                    ahead.half,
                    next);
            ahead.end(half, strips.data(), next);
        }
    }
}
