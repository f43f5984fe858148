package dev.ossicle.cpu;

import java.util.Arrays;

/** Multiplies strips with the rounded activations of an expert's slots. One thread's scratch memory goes with it. */
final class StripMultiplier {
    private static final int GROUP = StripKernels.GROUP;
    private static final int ROWS = Strips.ROWS;
    private static final int RUN = 16;

    /**
     * Blocks that are expanded together. On narrow vectors, whose groups are half as large and read them twice as often, they stay
     * in the first-level cache: 24 kB.
     */
    private static final int CHUNK = 6;

    /** Whether a strip is expanded as a whole before it is multiplied. */
    private static final boolean WHOLE = StripKernels.MANY_REGISTERS;

    private final LookAhead ahead = new LookAhead(Strips.Format.MXFP4);
    /** Blocks as they are in the strip. */
    private final byte[] chunk = new byte[CHUNK * Strips.Format.MXFP4.blockBytes];
    /** An expanded strip, or chunk of it [columns, 2, ROWS]. */
    private short[] w = new short[0];
    /** Its scales [blocks, 2, ROWS]. */
    private float[] scales = new float[0];
    /** [2 runs, GROUP, 2, ROWS]. */
    private final short[] sums = new short[4 * GROUP * ROWS];

    /**
     * One strip.
     *
     * @param from first place of the expert, see {@link RoundedSlots}
     * @param slots how many
     * @param x of all slots, where {@link RoundedSlots} says
     * @param outA [places, 32], the first half of the rows; what the slots have no part in means nothing
     * @param outB [places, 32], the second
     */
    void multiply(Strips strips, int index, int from, int slots, RoundedSlots x, float[] outA, float[] outB) {
        int places = RoundedSlots.places(slots);
        Arrays.fill(outA, 0, places * ROWS, 0);
        Arrays.fill(outB, 0, places * ROWS, 0);
        int grouped = RoundedSlots.grouped(slots);
        if (grouped > 0) {
            multiplyGroups(strips, strips.strip(index), from, grouped, x, outA, outB);
        }
        multiplyRest(strips, index, from, grouped, slots, x, outA, outB);
    }

    private void multiplyGroups(
            Strips strips, long strip, int from, int slots, RoundedSlots x, float[] outA, float[] outB) {
        int blocks = strips.blocks();
        int kept = WHOLE ? blocks : CHUNK;
        if (w.length < 64 * kept * ROWS) {
            w = new short[64 * kept * ROWS];
            scales = new float[2 * kept * ROWS];
        }
        for (int block = 0; block < blocks; block += CHUNK) {
            int count = Math.min(CHUNK, blocks - block);
            int at = WHOLE ? block : 0;
            strips.read(strip, block, count, chunk);
            StripKernels.expand(chunk, count, w, 64 * at * ROWS, scales, 2 * at * ROWS);
            if (!WHOLE) {
                multiplyBlocks(block, count, blocks, from, slots, x, outA, outB);
            }
        }
        if (WHOLE) {
            multiplyBlocks(0, blocks, blocks, from, slots, x, outA, outB);
        }
    }

    /** Expanded blocks, from the given one on, times groups of slots. */
    private void multiplyBlocks(
            int first, int count, int blocks, int from, int slots, RoundedSlots x, float[] outA, float[] outB) {
        for (int slot = 0; slot < slots; slot += GROUP) {
            int xAt = 32 * ((from + slot) * blocks + first * GROUP);
            int xScalesAt = (from + slot) * blocks + first * GROUP;
            for (int block = 0; block < count; block++) {
                run(block * 32, x.values, xAt + block * 32 * GROUP, 0);
                run(block * 32 + RUN, x.values, xAt + (block * 32 + RUN) * GROUP, 2 * GROUP * ROWS);
                int to = xScalesAt + block * GROUP;
                StripKernels.scale(sums, scales, 2 * block * ROWS, x.scales, to, outA, outB, slot * ROWS);
            }
        }
    }

    private void run(int column, int[] x, int xAt, int sumsAt) {
        if (StripKernels.MANY_REGISTERS) {
            StripKernels.run8(w, 2 * column * ROWS, x, xAt, sums, sumsAt);
        } else {
            StripKernels.run4(w, 2 * column * ROWS, x, xAt, sums, sumsAt);
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
