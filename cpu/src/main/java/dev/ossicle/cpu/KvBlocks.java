package dev.ossicle.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;

/**
 * The memory of all sequences of a runner: blocks of one size that are handed out, shared between sequences with a common
 * past, and used again. It is given back to the system when the runner is closed. One thread at a time.
 */
final class KvBlocks implements AutoCloseable {
    /** Blocks come from slabs about as large: some huge pages. */
    private static final long SLAB_BYTES = 8L << 20;

    /** The most blocks of a slab: small models need few. */
    private static final int MAX_SLAB_BLOCKS = 64;

    private static final long ALIGNMENT = 64; // a cache line, and the widest vector

    /** Some positions of one layer. */
    static final class Block {
        final MemorySegment data;
        private int users = 1;

        private Block(MemorySegment data) {
            this.data = data;
        }

        /** Whether another sequence reads it too, so that it must not be written. */
        boolean isShared() {
            return users > 1;
        }
    }

    private final Arena arena = Arena.ofShared();
    private final long bytes;
    private final ArrayDeque<Block> free = new ArrayDeque<>();
    private long used;

    private MemorySegment slab = MemorySegment.NULL;
    private long slabUsed;

    KvBlocks(long bytes) {
        this.bytes = (bytes + ALIGNMENT - 1) & -ALIGNMENT;
    }

    /** A block for one user; new ones are zero, used ones hold what they held. */
    Block take() {
        used++;
        Block block = free.poll();
        if (block == null) {
            return new Block(cut());
        }
        block.users = 1;
        return block;
    }

    private MemorySegment cut() {
        if (slabUsed + bytes > slab.byteSize()) {
            slab = SystemMemory.allocate(arena, bytes * Math.clamp(SLAB_BYTES / bytes, 1, MAX_SLAB_BLOCKS));
            slabUsed = 0;
        }
        MemorySegment block = slab.asSlice(slabUsed, bytes);
        slabUsed += bytes;
        return block;
    }

    Block share(Block block) {
        block.users++;
        return block;
    }

    /** A copy for one user, who gives up the shared one for it. */
    Block unshare(Block block) {
        Block copy = take();
        copy.data.copyFrom(block.data);
        release(block);
        return copy;
    }

    void release(Block block) {
        if (--block.users == 0) {
            free.add(block);
            used--;
        }
    }

    /** Of one block. */
    long blockBytes() {
        return bytes;
    }

    /** Of the blocks that are in use. */
    long bytes() {
        return used * bytes;
    }

    @Override
    public void close() {
        arena.close();
    }
}
