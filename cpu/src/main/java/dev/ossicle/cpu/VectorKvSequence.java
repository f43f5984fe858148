package dev.ossicle.cpu;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.cpu.KvBlocks.Block;
import dev.ossicle.engine.KvSequence;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.function.IntFunction;
import java.util.function.ToIntFunction;

/**
 * Keys and values of one sequence in float32, or in 16 or 8 bits with a scale for each, off the heap, in blocks of {@link #BLOCK} positions that are allocated as the
 * sequence grows. A full layer keeps all of them. A windowed layer reuses a ring of blocks: the window and some slack, so
 * that a whole pass fits beside the window and short steps back are exact.
 */
final class VectorKvSequence implements KvSequence {
    /** Positions of a block; block b holds the positions b * BLOCK and on. */
    static final int BLOCK = 64;

    /** Scales of floats. */
    private static final MemorySegment ONES = ones();

    private final VectorModelRunner runner;
    private final ModelConfig config;
    private final int maxContext;
    /** Blocks that a windowed layer goes round in. */
    private final int ringBlocks;
    /** Numbers of one value, the rest zero. */
    private final int paddedHeadDim;
    /** Numbers of the keys of one block and head: [D, BLOCK]. */
    private final int keyNumbers;
    /**
     * Numbers of its values: [BLOCK, paddedHeadDim]. A block has each head's keys and values, one head after the other: what is
     * read together lies together. If they are rounded then float scales [BLOCK] stand in front of the keys and of the values.
     */
    private final int valueNumbers;
    /** Bytes of one of them: 4, 2 or 1. */
    private final int numberBytes;
    /** Whether these are not floats. */
    private final boolean rounded;
    /** Bytes of scales in front of keys, and of values. */
    private final int scaleBytes;

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
        this.keyNumbers = config.headDim() * BLOCK;
        this.valueNumbers = BLOCK * paddedHeadDim;
        this.numberBytes = runner.cacheBits() / 8;
        this.rounded = numberBytes < Float.BYTES;
        this.scaleBytes = rounded ? BLOCK * Float.BYTES : 0;
        this.blocks = new Block[config.layers()][0];
        this.memory = runner.kvBlocks();
    }

    /** Bytes of the blocks of such a model. */
    static long blockBytes(ModelConfig config, int bits) {
        long numbers = (long) config.kvHeads() * BLOCK * (config.headDim() + paddedHeadDim(config));
        long scales = bits == 32 ? 0 : 2L * config.kvHeads() * BLOCK * Float.BYTES;
        return numbers * bits / 8 + scales;
    }

    /** A multiple of two vectors of any width. */
    static int paddedHeadDim(ModelConfig config) {
        return (config.headDim() + 31) & -32;
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

    /** Memory of a block: {@link #keysAt} and {@link #valuesAt} say what is where. */
    MemorySegment data(int layer, int block) {
        return blocks[layer][config.isWindowed(layer) ? block % ringBlocks : block].data;
    }

    private static MemorySegment ones() {
        MemorySegment ones = Arena.global().allocate(ValueLayout.JAVA_FLOAT, BLOCK);
        for (int i = 0; i < BLOCK; i++) {
            ones.setAtIndex(ValueLayout.JAVA_FLOAT, i, 1);
        }
        return ones;
    }

    /** Stores the keys and values [K*D] of one position, which {@link #reserve} has made room for. */
    void store(int layer, int position, float[] k, float[] v, int at) {
        MemorySegment block = data(layer, position / BLOCK);
        int slot = position % BLOCK;
        int width = config.headDim();
        for (int head = 0; head < config.kvHeads(); head++) {
            long key = keysAt(head) + (long) slot * numberBytes;
            long value = valuesAt(head) + (long) slot * paddedHeadDim * numberBytes;
            int from = at + head * width;
            if (rounded) {
                storeRounded(k, from, block, key, BLOCK, keysAt(head) - scaleBytes + (long) slot * Float.BYTES);
                storeRounded(v, from, block, value, 1, valuesAt(head) - scaleBytes + (long) slot * Float.BYTES);
            } else {
                for (int i = 0; i < width; i++) {
                    block.set(ValueLayout.JAVA_FLOAT, key + (long) Float.BYTES * i * BLOCK, k[from + i]);
                }
                MemorySegment.copy(v, from, block, ValueLayout.JAVA_FLOAT, value, width);
            }
        }
    }

    /** Not finite if a component is not. */
    private void storeRounded(float[] x, int from, MemorySegment block, long to, int step, long scaleTo) {
        float largest = 0;
        for (int i = 0; i < config.headDim(); i++) {
            largest = Math.max(largest, Math.abs(x[from + i])); // NaN if any is
        }
        int most = numberBytes == Short.BYTES ? Short.MAX_VALUE : Byte.MAX_VALUE;
        float scale = largest / most;
        float inverse = largest < Float.MIN_NORMAL ? 0 : most / largest;
        long address = block.address() + to;
        for (int i = 0; i < config.headDim(); i++) {
            int value = Float.floatToRawIntBits(x[from + i] * inverse + Elementwise.ROUND); // in the low bits
            if (numberBytes == Short.BYTES) {
                Lanes.MEMORY.set(ValueLayout.JAVA_SHORT, address + (long) Short.BYTES * i * step, (short) value);
            } else {
                Lanes.MEMORY.set(ValueLayout.JAVA_BYTE, address + (long) i * step, (byte) value);
            }
        }
        block.set(ValueLayout.JAVA_FLOAT, scaleTo, scale);
    }

    /** Where the keys [D, BLOCK] of a head are, in bytes from the start of the block. */
    long keysAt(int head) {
        return (long) head * ((keyNumbers + valueNumbers) * numberBytes + 2 * scaleBytes) + scaleBytes;
    }

    /** Where its values [BLOCK, paddedHeadDim] are. */
    long valuesAt(int head) {
        return keysAt(head) + (long) keyNumbers * numberBytes + scaleBytes;
    }

    /** Address of what each key of a head is to be multiplied by [BLOCK]. */
    long keyScales(MemorySegment block, int head) {
        return rounded ? block.address() + keysAt(head) - scaleBytes : ONES.address();
    }

    /** Address of what each of its values is to be multiplied by [BLOCK]. */
    long valueScales(MemorySegment block, int head) {
        return rounded ? block.address() + valuesAt(head) - scaleBytes : ONES.address();
    }

    /**
     * Copies all keys of a block and head; those that are not stored yet may be anything.
     *
     * @param k [D, BLOCK]
     */
    void loadKeys(MemorySegment block, int head, float[] k) {
        load(block, keysAt(head), keyNumbers, k);
    }

    /**
     * Copies the first {@code count} values of a block and head; as {@link #loadKeys}.
     *
     * @param v [BLOCK, paddedHeadDim]
     */
    void loadValues(MemorySegment block, int head, int count, float[] v) {
        load(block, valuesAt(head), count * paddedHeadDim, v);
    }

    private void load(MemorySegment block, long from, int count, float[] into) {
        switch (numberBytes) {
            case 1 -> AttentionKernels.expandBytes(block.address() + from, count, into);
            case 2 -> AttentionKernels.expand(block.address() + from, count, into);
            default -> MemorySegment.copy(block, ValueLayout.JAVA_FLOAT, from, into, 0, count);
        }
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
            count += held(layer);
        }
        return count * blockBytes(config, 8 * numberBytes);
    }

    /** Shares all blocks: what either of the two writes later goes into a copy of the block. */
    @Override
    public KvSequence fork() {
        checkOpen();
        VectorKvSequence fork = runner.newSequence(maxContext);
        for (int layer = 0; layer < blocks.length; layer++) {
            int held = held(layer);
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

    /** What {@link #write} needs to be read back into: the same for all sequences of runners that understand each other. */
    String shape() {
        return "blocks of " + BLOCK + ", " + blockBytes(config, 8 * numberBytes) + " bytes, "
                + (rounded ? "scales and " : "") + 8 * numberBytes + " bits, " + blocks.length + " layers, ring of "
                + ringBlocks;
    }

    /** @param number of a block, in the order in which they were first asked for */
    void write(DataOutputStream out, ToIntFunction<Block> number) throws IOException {
        out.writeInt(length);
        out.writeInt(written);
        out.writeInt(allocated);
        for (int layer = 0; layer < blocks.length; layer++) {
            int held = held(layer);
            for (int block = 0; block < held; block++) {
                out.writeInt(number.applyAsInt(blocks[layer][block]));
            }
        }
    }

    /** @param block by its number; the sequence shares it from here on */
    void read(DataInputStream in, IntFunction<Block> block) throws IOException {
        length = in.readInt();
        written = in.readInt();
        allocated = in.readInt();
        int most = (maxContext + BLOCK - 1) / BLOCK;
        if (length < 0
                || written < length
                || written > maxContext
                || allocated < (written + BLOCK - 1) / BLOCK
                || allocated > most) {
            allocated = 0;
            throw new IOException("a sequence of " + length + " positions in " + allocated + " blocks makes no sense");
        }
        int complete = allocated;
        allocated = 0; // until all are there, close() gives none back
        for (int layer = 0; layer < blocks.length; layer++) {
            int held = config.isWindowed(layer) ? Math.min(complete, ringBlocks) : complete;
            blocks[layer] = new Block[held];
            for (int i = 0; i < held; i++) {
                blocks[layer][i] = block.apply(in.readInt());
            }
        }
        for (Block[] layer : blocks) {
            for (Block each : layer) {
                memory.share(each);
            }
        }
        allocated = complete;
    }

    private int held(int layer) {
        return config.isWindowed(layer) ? Math.min(allocated, ringBlocks) : allocated;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            for (int layer = 0; layer < blocks.length; layer++) {
                int held = held(layer);
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
