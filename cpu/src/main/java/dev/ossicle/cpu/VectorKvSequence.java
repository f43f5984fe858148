package dev.ossicle.cpu;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.cpu.KvBlocks.Block;
import dev.ossicle.engine.KvSequence;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Keys and values of one sequence in float32, off the heap, in blocks of {@link #BLOCK} positions that are allocated as the
 * sequence grows. A full layer keeps all of them. A windowed layer reuses a ring of blocks: the window and some slack, so
 * that a whole pass fits beside the window and short steps back are exact.
 */
final class VectorKvSequence implements KvSequence {
    /** Positions of a block; block b holds the positions b * BLOCK and on. */
    static final int BLOCK = 64;

    private final VectorModelRunner runner;
    private final ModelConfig config;
    private final int maxContext;
    /** Blocks that a windowed layer goes round in. */
    private final int ringBlocks;
    /** Floats of one key or value, a multiple of 4, the rest zero. */
    private final int paddedHeadDim;
    /** Floats of the keys of one block, and of its values, which follow: [K, BLOCK, paddedHeadDim]. */
    private final int blockFloats;

    private final KvBlocks memory;
    /** [L][block], as many as are allocated. */
    private final Block[][] blocks;

    /** Allocated in each full layer; in a windowed one not more than the ring. */
    private int allocated;

    private int length;
    /** The longest this has been: a ring's slots hold what was written last. */
    private int written;

    private boolean closed;

    /** @param slack positions beyond the window that a ring holds */
    VectorKvSequence(VectorModelRunner runner, int maxContext, int slack) {
        this.runner = runner;
        this.config = runner.config();
        this.maxContext = maxContext;
        this.ringBlocks = (config.window() + slack + BLOCK - 1) / BLOCK;
        this.paddedHeadDim = paddedHeadDim(config);
        this.blockFloats = config.kvHeads() * BLOCK * paddedHeadDim;
        this.blocks = new Block[config.layers()][0];
        this.memory = runner.kvBlocks();
    }

    /** Bytes of the blocks of such a model. */
    static long blockBytes(ModelConfig config) {
        return 2L * config.kvHeads() * BLOCK * paddedHeadDim(config) * Float.BYTES;
    }

    static int paddedHeadDim(ModelConfig config) {
        return (config.headDim() + 3) & -4;
    }

    boolean isOf(VectorModelRunner other) {
        return runner == other;
    }

    /** Makes room for so many positions, in blocks that no other sequence reads. */
    void reserve(int positions) {
        int needed = (positions + BLOCK - 1) / BLOCK;
        for (int layer = 0; layer < blocks.length; layer++) {
            boolean windowed = config.isWindowed(layer);
            int from = windowed ? Math.min(allocated, ringBlocks) : allocated;
            int target = windowed ? Math.min(needed, ringBlocks) : needed;
            Block[] held = blocks[layer];
            if (held.length < target) {
                held = Arrays.copyOf(held, Math.max(target, held.length + held.length / 2));
                blocks[layer] = held;
            }
            for (int block = from; block < target; block++) {
                held[block] = memory.take();
            }
            for (int block = length / BLOCK; block < needed; block++) {
                int slot = windowed ? block % ringBlocks : block;
                if (held[slot].isShared()) {
                    held[slot] = memory.unshare(held[slot]);
                }
            }
        }
        allocated = Math.max(allocated, needed);
    }

    private MemorySegment block(int layer, int block) {
        return blocks[layer][config.isWindowed(layer) ? block % ringBlocks : block].data;
    }

    /** Stores the keys and values [K*D] of one position, which {@link #reserve} has made room for. */
    void store(int layer, int position, float[] k, float[] v, int at) {
        MemorySegment block = block(layer, position / BLOCK);
        int width = config.headDim();
        for (int head = 0; head < config.kvHeads(); head++) {
            long to = ((long) head * BLOCK + position % BLOCK) * paddedHeadDim;
            int from = at + head * width;
            MemorySegment.copy(k, from, block, ValueLayout.JAVA_FLOAT, to * Float.BYTES, width);
            MemorySegment.copy(v, from, block, ValueLayout.JAVA_FLOAT, (blockFloats + to) * Float.BYTES, width);
        }
    }

    /**
     * Copies the first {@code count} keys and values of a block and head.
     *
     * @param k [BLOCK, paddedHeadDim]
     * @param v [BLOCK, paddedHeadDim]
     */
    void load(int layer, int blockIndex, int head, int count, float[] k, float[] v) {
        MemorySegment block = block(layer, blockIndex);
        long from = (long) head * BLOCK * paddedHeadDim;
        int floats = count * paddedHeadDim;
        MemorySegment.copy(block, ValueLayout.JAVA_FLOAT, from * Float.BYTES, k, 0, floats);
        MemorySegment.copy(block, ValueLayout.JAVA_FLOAT, (blockFloats + from) * Float.BYTES, v, 0, floats);
    }

    void advance(int positions) {
        length += positions;
        written = Math.max(written, length);
    }

    @Override
    public int length() {
        checkOpen();
        return length;
    }

    @Override
    public int maxContext() {
        return maxContext;
    }

    @Override
    public int truncatableTo() {
        checkOpen();
        long oldestKept = written - (long) ringBlocks * BLOCK;
        return oldestKept <= 0 ? 0 : (int) Math.min(length, oldestKept + config.window() - 1);
    }

    @Override
    public void truncate(int newLength) {
        int shortest = truncatableTo();
        if (newLength != 0 && (newLength < shortest || newLength > length)) {
            throw new IllegalArgumentException("length is " + newLength + ", must be 0 or between " + shortest + " and "
                    + length + ": windowed layers keep no more");
        }
        length = newLength;
        if (newLength == 0) {
            written = 0;
        }
    }

    @Override
    public long bytes() {
        checkOpen();
        long count = 0;
        for (int layer = 0; layer < blocks.length; layer++) {
            count += config.isWindowed(layer) ? Math.min(allocated, ringBlocks) : allocated;
        }
        return count * blockBytes(config);
    }

    /** Shares all blocks: what either of the two writes later goes into a copy of the block. */
    @Override
    public KvSequence fork() {
        checkOpen();
        VectorKvSequence fork = runner.newSequence(maxContext);
        for (int layer = 0; layer < blocks.length; layer++) {
            int held = config.isWindowed(layer) ? Math.min(allocated, ringBlocks) : allocated;
            fork.blocks[layer] = new Block[held];
            for (int block = 0; block < held; block++) {
                fork.blocks[layer][block] = memory.share(blocks[layer][block]);
            }
        }
        fork.allocated = allocated;
        fork.length = length;
        fork.written = written;
        return fork;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            for (int layer = 0; layer < blocks.length; layer++) {
                int held = config.isWindowed(layer) ? Math.min(allocated, ringBlocks) : allocated;
                for (int block = 0; block < held; block++) {
                    memory.release(blocks[layer][block]);
                }
                blocks[layer] = new Block[0];
            }
            runner.forget(this);
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the sequence is closed");
        }
    }
}
