package dev.ossicle.cpu;

import java.util.Arrays;

/** Multiplies strips with the rounded activations of an expert's slots. One thread's scratch memory goes with it. */
final class StripMultiplier {
    private static final int GROUP = StripKernels.GROUP;
    private static final int ROWS = Strips.ROWS;
    private static final int RUN = 16;
    /** Vectors of 512 bits come with 32 registers; others may have 16. */
    private static final boolean BOTH = Lanes.WIDTH > 8;

    /** Blocks that are read together to be expanded: some are too few to be worth a call. */
    private static final int CHUNK = 6;

    private final LookAhead ahead = new LookAhead(Strips.Format.MXFP4);
    /** Blocks as they are in the strip. */
    private final byte[] chunk = new byte[CHUNK * Strips.Format.MXFP4.blockBytes];
    /** An expanded strip [columns, 2, ROWS]. */
    private short[] w = new short[0];
    /** Its scales [blocks, 2, ROWS]. */
    private float[] scales = new float[0];
    /** [2 runs, GROUP, 2, ROWS]. */
    private final short[] sums = new short[4 * GROUP * ROWS];

    /**
     * One strip.
     *
     * @param from first slot of the expert
     * @param slots how many
     * @param x of all slots, where {@link RoundedSlots} says
     * @param outA [slots, 32], the first half of the rows
     * @param outB [slots, 32], the second
     */
    void multiply(Strips strips, int index, int from, int slots, RoundedSlots x, float[] outA, float[] outB) {
        Arrays.fill(outA, 0, slots * ROWS, 0);
        Arrays.fill(outB, 0, slots * ROWS, 0);
        int grouped = slots / GROUP * GROUP;
        if (grouped > 0) {
            multiplyGroups(strips, strips.strip(index), from, grouped, x, outA, outB);
        }
        multiplyRest(strips, index, from, grouped, slots, x, outA, outB);
    }

    private void multiplyGroups(
            Strips strips, long strip, int from, int slots, RoundedSlots x, float[] outA, float[] outB) {
        int blocks = strips.blocks();
        int columns = 32 * blocks;
        if (w.length < 2 * columns * ROWS) {
            w = new short[2 * columns * ROWS];
            scales = new float[2 * blocks * ROWS];
        }
        for (int block = 0; block < blocks; block += CHUNK) {
            int count = Math.min(CHUNK, blocks - block);
            strips.read(strip, block, count, chunk);
            StripKernels.expand(chunk, count, w, 64 * block * ROWS, scales, 2 * block * ROWS);
        }
        for (int slot = 0; slot < slots; slot += GROUP) {
            int xAt = (from + slot) * columns;
            int xScalesAt = (from + slot) * blocks;
            for (int block = 0; block < blocks; block++) {
                run(block * 32, x.values, xAt + block * 32 * GROUP, 0);
                run(block * 32 + RUN, x.values, xAt + (block * 32 + RUN) * GROUP, 2 * GROUP * ROWS);
                int to = xScalesAt + block * GROUP;
                StripKernels.scale(sums, scales, 2 * block * ROWS, x.scales, to, outA, outB, slot * ROWS);
            }
        }
    }

    private void run(int column, int[] x, int xAt, int sumsAt) {
        if (BOTH) {
            StripKernels.run2(w, 2 * column * ROWS, x, xAt, sums, sumsAt);
        } else {
            StripKernels.run(w, 2 * column * ROWS, x, xAt, sums, sumsAt);
            StripKernels.run(w, (2 * column + 1) * ROWS, x, xAt, sums, sumsAt + ROWS);
        }
    }

    /** Slots that make no group; from the second on, the strip comes from the cache. */
    private void multiplyRest(
            Strips strips, int index, int from, int grouped, int slots, RoundedSlots x, float[] outA, float[] outB) {
        int blocks = strips.blocks();
        long strip = strips.strip(index);
        for (int slot = grouped; slot < slots; slot++) {
            int at = (from + slot) * blocks;
            long next = slot + 1 < slots ? strip : strips.stripAfter(index);
            ahead.begin(strips, strip);
            int half = StripKernels.dot(
                    strips.data(),
                    strip,
                    blocks,
                    x.values,
                    32 * at,
                    x.offsets,
                    x.scales,
                    at,
                    outA,
                    outB,
                    slot * ROWS,
                    ahead.w,
                    ahead.half,
                    next,
                    sums);
            ahead.end(half, strips.data(), next);
        }
    }
}
