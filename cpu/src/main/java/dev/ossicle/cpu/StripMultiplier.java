package dev.ossicle.cpu;

import java.util.Arrays;

/** Multiplies strips with the rounded activations of an expert's slots. One thread's scratch memory goes with it. */
final class StripMultiplier {
    private static final int GROUP = StripKernels.GROUP;
    private static final int ROWS = Strips.ROWS;

    /** An expanded strip [columns, ROWS]. */
    private short[] w = new short[0];
    /** Its scales [blocks, ROWS]. */
    private float[] scales = new float[0];
    /** [2, GROUP, ROWS]. */
    private final short[] sums = new short[2 * GROUP * ROWS];

    /**
     * One strip.
     *
     * @param firstRow of the strip
     * @param from first slot of the expert
     * @param slots how many
     * @param x of all slots, where {@link RoundedSlots} says
     * @param out [slots, 32]
     */
    void multiply(Strips strips, int firstRow, int from, int slots, RoundedSlots x, float[] out) {
        int blocks = strips.blocks();
        int grouped = slots / GROUP * GROUP;
        if (grouped > 0) {
            expand(strips, firstRow);
            Arrays.fill(out, 0, grouped * ROWS, 0);
        }
        for (int slot = 0; slot < grouped; slot += GROUP) {
            int at = (from + slot) * 32 * blocks;
            int scalesAt = (from + slot) * blocks;
            for (int b = 0; b < blocks; b++) {
                StripKernels.run(w, b * 32 * ROWS, x.values, at + b * 32 * GROUP, sums, 0);
                StripKernels.run(
                        w, (b * 32 + 16) * ROWS, x.values, at + (b * 32 + 16) * GROUP, sums, GROUP * ROWS);
                StripKernels.scale(sums, scales, b * ROWS, x.scales, scalesAt + b * GROUP, out, slot * ROWS);
            }
        }
        for (int slot = grouped; slot < slots; slot++) {
            StripKernels.dot(
                    strips.data(),
                    strips.scales(firstRow),
                    strips.codes(firstRow),
                    blocks,
                    x.values,
                    (from + slot) * 32 * blocks,
                    x.scales,
                    (from + slot) * blocks,
                    out,
                    slot * ROWS);
        }
    }

    private void expand(Strips strips, int firstRow) {
        int blocks = strips.blocks();
        if (w.length < blocks * 32 * ROWS) {
            w = new short[blocks * 32 * ROWS];
            scales = new float[blocks * ROWS];
        }
        StripKernels.expand(strips.data(), strips.scales(firstRow), strips.codes(firstRow), blocks, w, scales);
    }
}
