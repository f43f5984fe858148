package dev.ossicle.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Where re-laid weights are: in memory of their own, or in a {@link Pack}, one part after the other in the order of the model. */
final class StripMemory {
    /** Parts begin at pages, so that each can be advised on its own. */
    private static final long PAGE = 4096;

    /** How much memory there is, the JVM says in a tenth of a second. Fewer bytes fit in any case, or nothing does. */
    private static final long WORTH_ASKING = 1L << 30;

    /** The part of a machine's memory that we leave to all else: an eighth. */
    private static final int FOR_OTHERS = 8;

    private final Arena arena;
    private final MemorySegment file;
    private final boolean filled;
    /** Whether the machine cannot hold a file of weights beside these. */
    private final boolean crowded;

    private long used;

    private StripMemory(Arena arena, MemorySegment file, boolean filled, boolean crowded) {
        this.arena = arena;
        this.file = file;
        this.filled = filled;
        this.crowded = crowded;
    }

    /**
     * Memory of the process, taken part by part.
     *
     * @param bytes of all parts, about as many as the file has
     */
    static StripMemory anonymous(Arena arena, long bytes) {
        boolean crowded = false;
        if (bytes >= WORTH_ASKING) {
            long total = SystemMemory.total();
            crowded = 2 * bytes > total - total / FOR_OTHERS;
        }
        return new StripMemory(arena, MemorySegment.NULL, false, crowded);
    }

    /**
     * A mapped file, which outlives what lies in it.
     *
     * @param filled whether the weights are in it already
     */
    static StripMemory of(MemorySegment file, boolean filled) {
        return new StripMemory(Arena.global(), file, filled, false);
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

    /**
     * Lets go of the pages of a mapped file whose weights are here now. Where both do not fit they leave the page cache too: the
     * system would have to find them one by one later, and what it gets at once it gives to the next part, which takes a
     * third of the time of memory that a host has to find first (bench/LOG.md, entry 42).
     */
    void release(MemorySegment mapped) {
        if (crowded) {
            SystemMemory.evict(mapped);
        }
        SystemMemory.release(mapped);
    }

    /** What a part takes. */
    static long padded(long bytes) {
        return (bytes + PAGE - 1) & -PAGE;
    }
}
