package dev.ossicle.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Where re-laid weights are: in memory of their own, or in a {@link Pack}, one part after the other in the order of the model. */
final class StripMemory {
    /** Parts begin at pages, so that each can be advised on its own. */
    private static final long PAGE = 4096;

    private final Arena arena;
    private final MemorySegment file;
    private final boolean filled;
    private long used;

    private StripMemory(Arena arena, MemorySegment file, boolean filled) {
        this.arena = arena;
        this.file = file;
        this.filled = filled;
    }

    /** Memory of the process, taken part by part. */
    static StripMemory anonymous(Arena arena) {
        return new StripMemory(arena, MemorySegment.NULL, false);
    }

    /**
     * A mapped file, which outlives what lies in it.
     *
     * @param filled whether the weights are in it already
     */
    static StripMemory of(MemorySegment file, boolean filled) {
        return new StripMemory(Arena.global(), file, filled);
    }

    /** Whether the weights are there already. */
    boolean isFilled() {
        return filled;
    }

    /** The next part. */
    MemorySegment next(long bytes) {
        if (file.byteSize() == 0) {
            return SystemMemory.allocate(arena, Math.max(1, bytes));
        }
        MemorySegment part = file.asSlice(used, bytes);
        used += padded(bytes);
        return part;
    }

    /** What a part takes. */
    static long padded(long bytes) {
        return (bytes + PAGE - 1) & -PAGE;
    }
}
