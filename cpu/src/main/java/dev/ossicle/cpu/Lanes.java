package dev.ossicle.cpu;

import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector width that all kernels use, and the steps they share. Species must be static and final for C2.
 *
 * <p>Every dot product has one order, whatever kernel computes it: lane i of one accumulator takes the columns i, i + W,
 * i + 2W, ... by fused multiply-add, and {@link #sum} adds the lanes as a tree. So a row's result is the same bit for bit in a
 * batch of any size. {@code reduceLanes} is not used: its order may change when C2 takes over.
 */
final class Lanes {
    static final VectorSpecies<Float> FLOATS = VectorSpecies.of(
            float.class, VectorShape.forBitSize(VectorBits.choose(FloatVector.SPECIES_PREFERRED.vectorBitSize())));
    /** W. */
    static final int WIDTH = FLOATS.length();

    /** As many ints as floats. */
    static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, FLOATS.vectorShape());
    /** As many shorts as floats. */
    static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(FLOATS.vectorBitSize() / 2));

    /** Sixteen bytes, whatever the width. */
    static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_128;

    static final ByteOrder LITTLE_ENDIAN = ByteOrder.LITTLE_ENDIAN;

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

    /** Sum of the lanes, always in the same order. */
    static float sum(FloatVector v) {
        FloatVector sum = v;
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

    /** W bfloat16 values as floats. */
    static FloatVector fromBf16(ShortVector bits) {
        return ((IntVector) bits.convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                .lanewise(VectorOperators.LSHL, 16)
                .reinterpretAsFloats();
    }

    /** Bytes part*W .. part*W + W - 1 of sixteen signed ones as floats. */
    static FloatVector fromBytes(ByteVector bytes, int part) {
        return (FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, part);
    }

    /** The sum so far, and sixteen weights times sixteen activations. A weight is a byte times the scale, exactly. */
    static FloatVector multiplyAdd16(ByteVector weights, FloatVector scale, float[] x, int at, FloatVector soFar) {
        FloatVector sum = soFar;
        sum = fromBytes(weights, 0).mul(scale).fma(FloatVector.fromArray(FLOATS, x, at), sum);
        if (WIDTH <= 8) {
            sum = fromBytes(weights, 1).mul(scale).fma(FloatVector.fromArray(FLOATS, x, at + WIDTH), sum);
        }
        if (WIDTH <= 4) {
            sum = fromBytes(weights, 2).mul(scale).fma(FloatVector.fromArray(FLOATS, x, at + 2 * WIDTH), sum);
            sum = fromBytes(weights, 3).mul(scale).fma(FloatVector.fromArray(FLOATS, x, at + 3 * WIDTH), sum);
        }
        return sum;
    }

    /** Sixteen weights, each a byte times the scale. */
    static void expand16(ByteVector weights, FloatVector scale, float[] into, int at) {
        fromBytes(weights, 0).mul(scale).intoArray(into, at);
        if (WIDTH <= 8) {
            fromBytes(weights, 1).mul(scale).intoArray(into, at + WIDTH);
        }
        if (WIDTH <= 4) {
            fromBytes(weights, 2).mul(scale).intoArray(into, at + 2 * WIDTH);
            fromBytes(weights, 3).mul(scale).intoArray(into, at + 3 * WIDTH);
        }
    }
}
