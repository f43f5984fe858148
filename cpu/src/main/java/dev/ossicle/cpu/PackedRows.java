package dev.ossicle.cpu;

/**
 * Rows of activations in the order in which {@link Q8StripKernels#tile} reads them: four side by side, column by column. Read where
 * they are, each row's 32 columns of a block are two cache lines that nothing fetches ahead, and 512 rows run at a third of
 * the speed.
 */
final class PackedRows {
    private static final int GROUP = Q8StripKernels.TILE;

    /** [groups, columns, 4]. */
    float[] values = new float[0];

    private float[] x = values;
    private int[] xAt = new int[0];
    private int from;
    private int columns;

    /**
     * Says what is to be packed.
     *
     * @param xAt where each row begins in x; those from index {@code from} on are meant
     * @return how many groups are to be packed, by {@link #pack}, before anything is multiplied
     */
    int begin(float[] x, int[] xAt, int from, int rows, int columns) {
        this.x = x;
        this.xAt = xAt;
        this.from = from;
        this.columns = columns;
        int groups = rows / GROUP;
        if (values.length < groups * columns * GROUP) {
            values = new float[groups * columns * GROUP];
        }
        return groups;
    }

    /** One group. */
    void pack(int group) {
        for (int row = 0; row < GROUP; row++) {
            int at = xAt[from + group * GROUP + row];
            int to = group * columns * GROUP + row;
            for (int column = 0; column < columns; column++) {
                values[to + column * GROUP] = x[at + column];
            }
        }
    }

    /** All of it. */
    void packAll(float[] rows, int[] rowsAt, int first, int count, int width) {
        int groups = begin(rows, rowsAt, first, count, width);
        for (int group = 0; group < groups; group++) {
            pack(group);
        }
    }
}
