package dev.ossicle.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector width that all kernels use. Species must be static and final for C2.
 *
 * <p>Every dot product has one order, whatever kernel computes it: lane i of one accumulator takes the columns i, i + W,
 * i + 2W, ... by fused multiply-add, and {@link #sum} adds the lanes as a tree. So a row's result is the same bit for bit in a
 * batch of any size. {@code reduceLanes} is not used: its order may change when C2 takes over.
 *
 * <p>No method takes or returns a vector. C2 inlines the Vector API's own methods always, but ours only so far, and a vector
 * that crosses a call is boxed: ten times slower. So kernels are written out, and hand over arrays.
 */
final class Lanes {
    static final VectorSpecies<Float> FLOATS =
            VectorSpecies.of(float.class, VectorShape.forBitSize(VectorWidth.settle()));
    /** W. */
    static final int WIDTH = FLOATS.length();

    /** Whether there are 32 registers, as vectors of 512 bits have them; others may have 16. */
    static final boolean MANY_REGISTERS = WIDTH == 16;

    /** As many ints as floats. */
    static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, FLOATS.vectorShape());
    /** As many shorts as floats. */
    static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));

    /** Sixteen bytes, whatever the width. */
    static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_128;

    static final ByteOrder LITTLE_ENDIAN = ByteOrder.LITTLE_ENDIAN;

    /**
     * By how many elements a thread's small arrays are longer than what they hold: so no other thread writes to the same cache
     * lines, or to their neighbours, which come with them, wherever a collection moves the arrays to. Two that met ran at a quarter of
     * their speed.
     */
    static final int APART = 128;

    /**
     * All memory: what kernels read weights from, by address. C2 knows a constant segment and that nobody closes it, so nothing is
     * checked but the sign of an address. A segment that comes as an argument is checked for each vector, for every
     * kind of segment that the program has: 33 -> 46 GB/s of Q8_0 (bench/LOG.md, entry 32).
     */
    static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private static final VectorShuffle<Float> ROTATE_8 = rotate(8);
    private static final VectorShuffle<Float> ROTATE_4 = rotate(4);
    private static final VectorShuffle<Float> ROTATE_2 = rotate(2);
    private static final VectorShuffle<Float> ROTATE_1 = rotate(1);

    private Lanes() {}

    private static VectorShuffle<Float> rotate(int by) {
        return VectorShuffle.fromOp(FLOATS, i -> (i + by) % FLOATS.length());
    }

    /** The next multiple of 16, the most lanes there are: length of a row of activations, the rest of it zero. */
    static int padded(int columns) {
        return (columns + 15) & -16;
    }

    /** Sum of W lanes, always in the same order. Kernels hand them over in memory. */
    static float sum(float[] lanes, int at) {
        FloatVector sum = FloatVector.fromArray(FLOATS, lanes, at);
        if (WIDTH > 8) {
            sum = sum.add(sum.rearrange(ROTATE_8));
        }
        if (WIDTH > 4) {
            sum = sum.add(sum.rearrange(ROTATE_4));
        }
        sum = sum.add(sum.rearrange(ROTATE_2));
        sum = sum.add(sum.rearrange(ROTATE_1));
        return sum.lane(0);
    }
}
