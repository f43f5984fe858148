package dev.ossicle.cpu;

/**
 * Rounded activations of all slots of a pass. Slots of an expert lie interleaved in groups, [columns, GROUP], as they are multiplied
 * together; those that are left over lie one by one.
 */
final class RoundedSlots {
    private static final int GROUP = StripKernels.GROUP;

    private final int columns;
    private final int blocks;

    /** [slots, columns]. */
    int[] values = new int[0];
    /** [slots, blocks]. */
    float[] scales = new float[0];
    /** Twelve times the sum of each run of 16 values, for slots that are multiplied one by one [slots, blocks, 2]. */
    int[] offsets = new int[0];

    RoundedSlots(int columns) {
        this.columns = columns;
        this.blocks = columns / 32;
    }

    void grow(int slots) {
        if (scales.length < slots * blocks) {
            values = new int[slots * columns];
            scales = new float[slots * blocks];
            offsets = new int[2 * slots * blocks];
        }
    }

    /**
     * Rounds one block of one slot.
     *
     * @param x 32 activations, from {@code at} on
     * @param from first slot of the slot's expert
     * @param slots how many it has
     * @param slot the slot, counted from the first
     * @param buffer of 32 ints
     * @param lanes of W floats
     */
    void set(float[] x, int at, int from, int slots, int slot, int block, int[] buffer, float[] lanes) {
        boolean alone = slot >= slots / GROUP * GROUP;
        int width = alone ? 1 : GROUP;
        int lane = alone ? 0 : slot % GROUP;
        int first = from + slot - lane;
        StripKernels.round(
                x,
                at,
                values,
                first * columns + block * 32 * width + lane,
                width,
                scales,
                first * blocks + block * width + lane,
                alone ? offsets : null,
                2 * (first * blocks + block),
                buffer,
                lanes);
    }
}
