package dev.ossicle.cpu;

/**
 * Rounded activations of all slots of a pass. Slots of an expert lie interleaved in groups, [columns, GROUP], as they are multiplied
 * together; those that are left over lie one by one, or, if they are many, in a last group with others that mean nothing: whatever
 * lies there is multiplied, and nobody looks at it. So each expert has places for whole groups.
 */
final class RoundedSlots {
    private static final int GROUP = StripKernels.GROUP;

    /**
     * From so many slots on, a group that is not full is faster than one by one: beside full groups, for which the weights are
     * expanded anyway, and without. Measured: a group of eight takes as long as five singles, one of four as long as one and a half
     * to two, and expanding adds one.
     */
    private static final int FILL_BESIDE = GROUP == 8 ? 5 : 2;

    private static final int FILL_ALONE = GROUP == 8 ? 6 : 3;

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

    /** How many places so many slots of an expert take. */
    static int places(int slots) {
        return (slots + GROUP - 1) / GROUP * GROUP;
    }

    /** Places of an expert's slots that are multiplied in groups; the slots from there on, if any, are alone. */
    static int grouped(int slots) {
        int full = slots / GROUP * GROUP;
        return slots - full >= (full > 0 ? FILL_BESIDE : FILL_ALONE) ? full + GROUP : full;
    }

    /** @param slots places of all experts */
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
     * @param from first place of the slot's expert
     * @param slots how many it has
     * @param slot the slot, counted from the first
     * @param buffer of 32 ints
     * @param lanes of W floats
     */
    void set(float[] x, int at, int from, int slots, int slot, int block, int[] buffer, float[] lanes) {
        boolean alone = slot >= grouped(slots);
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
