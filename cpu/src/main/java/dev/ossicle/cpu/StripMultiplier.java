package dev.ossicle.cpu;

import java.util.Arrays;

/** Multiplies strips with the rounded activations of an expert's slots. One thread's scratch memory goes with it. */
final class StripMultiplier {
    /** Whether two strips are multiplied at a time where slots make no group: faster, if C2 can be counted on. */
    static final boolean IN_PAIRS = Lanes.MANY_REGISTERS && InliningLimit.isRaised();

    private static final int GROUP = StripKernels.GROUP;
    private static final int ROWS = Strips.ROWS;
    private static final int RUN = 16;

    /** Blocks that are expanded together: 24 kB, which stay in a first-level cache of 32. */
    private static final int CHUNK = 6;

    /**
     * The most slots that are multiplied with a chunk of each strip before the next chunk: 60 kB, and 160 kB of results for eight
     * strips, which stay in a second-level cache of 512 kB. More are divided evenly, since each part expands the weights anew.
     */
    private static final int TOGETHER = 80;

    /** Blocks as they are in the strip. */
    private final byte[] chunk = new byte[CHUNK * Strips.Format.MXFP4.blockBytes + Lanes.APART];
    /** The same, expanded [columns, 2, ROWS]. */
    private final short[] w = new short[64 * CHUNK * ROWS + Lanes.APART];
    /** Its scales [CHUNK, 2, ROWS]. */
    private final float[] scales = new float[2 * CHUNK * ROWS + Lanes.APART];
    /** [2 runs, GROUP, 2, ROWS]. */
    private final short[] sums = new short[4 * GROUP * ROWS + Lanes.APART];

    private final boolean inPairs;

    StripMultiplier() {
        this(IN_PAIRS);
    }

    /** @param inPairs changes no result; only with {@link Lanes#MANY_REGISTERS} */
    StripMultiplier(boolean inPairs) {
        this.inPairs = inPairs;
    }

    /**
     * Some strips.
     *
     * @param first of the strips
     * @param count how many
     * @param from first slot of the expert
     * @param slots how many
     * @param x of all slots, where {@link RoundedSlots} says
     * @param outA [count, slots, 32], the first half of the rows
     * @param outB [count, slots, 32], the second
     */
    void multiply(
            Strips strips, int first, int count, int from, int slots, RoundedSlots x, float[] outA, float[] outB) {
        int width = slots * ROWS;
        Arrays.fill(outA, 0, count * width, 0);
        Arrays.fill(outB, 0, count * width, 0);
        int grouped = slots / GROUP * GROUP;
        if (grouped > 0) {
            int groups = grouped / GROUP;
            int parts = (grouped + TOGETHER - 1) / TOGETHER;
            for (int part = 0; part < parts; part++) {
                int begin = part * groups / parts * GROUP;
                int end = (part + 1) * groups / parts * GROUP;
                multiplyChunks(strips, first, count, from, begin, end, x, outA, outB, width);
            }
        }
        if (inPairs) {
            multiplyPairs(strips, first, count, from, grouped, slots, x, outA, outB);
        } else {
            for (int s = 0; s < count; s++) {
                multiplyRest(strips, first + s, from, grouped, slots, x, outA, outB, s * width);
            }
        }
    }

    /** Slots {@code begin .. end - 1}: what is read of them, and what is written, stays in the second-level cache. */
    private void multiplyChunks(
            Strips strips,
            int first,
            int count,
            int from,
            int begin,
            int end,
            RoundedSlots x,
            float[] outA,
            float[] outB,
            int width) {
        for (int block = 0; block < strips.blocks(); block += CHUNK) {
            int blocks = Math.min(CHUNK, strips.blocks() - block);
            for (int s = 0; s < count; s++) {
                expand(strips, first + s, block, blocks);
                multiplyBlocks(block, blocks, strips.blocks(), from, begin, end, x, outA, outB, s * width);
            }
        }
    }

    private void expand(Strips strips, int index, int block, int count) {
        strips.read(strips.strip(index), block, count, chunk);
        StripKernels.expand(chunk, count, w, scales);
    }

    /** Expanded blocks, from the given one on, times groups of slots. */
    private void multiplyBlocks(
            int first,
            int count,
            int blocks,
            int from,
            int begin,
            int end,
            RoundedSlots x,
            float[] outA,
            float[] outB,
            int outAt) {
        for (int slot = begin; slot < end; slot += GROUP) {
            int xAt = 32 * ((from + slot) * blocks + first * GROUP);
            int xScalesAt = (from + slot) * blocks + first * GROUP;
            for (int block = 0; block < count; block++) {
                run(block * 32, x.values, xAt + block * 32 * GROUP, 0);
                run(block * 32 + RUN, x.values, xAt + (block * 32 + RUN) * GROUP, 2 * GROUP * ROWS);
                int to = xScalesAt + block * GROUP;
                StripKernels.scale(sums, scales, 2 * block * ROWS, x.scales, to, outA, outB, outAt + slot * ROWS);
            }
        }
    }

    private void run(int column, int[] x, int xAt, int sumsAt) {
        if (Lanes.MANY_REGISTERS) {
            StripKernels.run8(w, 2 * column * ROWS, x, xAt, sums, sumsAt);
        } else {
            StripKernels.run4(w, 2 * column * ROWS, x, xAt, sums, sumsAt);
        }
    }

    /** Slots that make no group; from the second on, the strip comes from the cache. */
    private void multiplyRest(
            Strips strips,
            int index,
            int from,
            int grouped,
            int slots,
            RoundedSlots x,
            float[] outA,
            float[] outB,
            int outAt) {
        int blocks = strips.blocks();
        long strip = strips.address(index);
        for (int slot = grouped; slot < slots; slot++) {
            int at = (from + slot) * blocks;
            StripKernels.dot(
                    strip, blocks, x.values, 32 * at, x.offsets, x.scales, at, outA, outB, outAt + slot * ROWS, sums);
        }
    }

    /**
     * As {@link #multiplyRest}, a strip of the first half and one of the second together, so that each half is read from one end to
     * the other. A strip that is left over is its own partner: it has the same results twice.
     */
    private void multiplyPairs(
            Strips strips,
            int first,
            int count,
            int from,
            int grouped,
            int slots,
            RoundedSlots x,
            float[] outA,
            float[] outB) {
        int blocks = strips.blocks();
        int half = (count + 1) / 2;
        for (int s = 0; s < half; s++) {
            int other = s + half < count ? s + half : s;
            for (int slot = grouped; slot < slots; slot++) {
                int at = (from + slot) * blocks;
                StripKernels.dotPair(
                        strips.address(first + s),
                        strips.address(first + other),
                        blocks,
                        x.values,
                        32 * at,
                        x.offsets,
                        x.scales,
                        at,
                        outA,
                        outB,
                        (s * slots + slot) * ROWS,
                        (other * slots + slot) * ROWS);
            }
        }
    }
}
