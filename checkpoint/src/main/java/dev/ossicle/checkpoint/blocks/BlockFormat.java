package dev.ossicle.checkpoint.blocks;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * A format whose values are whole numbers ("codes") with a scale and perhaps an offset for each group of neighbours. A value is
 * {@code scale * code + offset} in float32; the product is exact in all of them but {@link Q6_K} and {@link IQ4_XS}, where it is
 * rounded once, so there is only one right answer.
 *
 * <p>Each format says twice where the codes are: {@link #code} to be read by people, {@link #codes} for speed.
 */
public sealed interface BlockFormat permits Q2_K, Q3_K, Q4_0, Q4_1, Q4_K, Q5_0, Q5_1, Q5_K, Q6_K, IQ4_NL, IQ4_XS {
    /** Adding it changes no float, not even a zero. */
    float NO_OFFSET = -0f;

    /** Values of a group: those with one scale. */
    int groupLength();

    /** The code of value {@code i} of a block. */
    int code(byte[] block, int i);

    float scale(byte[] block, int group);

    default float offset(byte[] block, int group) {
        return NO_OFFSET;
    }

    /** All codes of a block, as {@link #code} has them. */
    void codes(byte[] block, byte[] into);

    /** Whether blocks are 32 values with one scale and no offset: then Q8_0 holds the same values exactly. */
    default boolean fitsQ8() {
        return false;
    }

    /** The readable definition: one value. */
    default float get(byte[] block, int i) {
        int group = i / groupLength();
        return scale(block, group) * code(block, i) + offset(block, group);
    }

    /**
     * All values of a block.
     *
     * @param codes scratch memory, one for each value
     */
    default void expand(byte[] block, byte[] codes, float[] into, int at) {
        codes(block, codes);
        int length = groupLength();
        for (int first = 0; first < codes.length; first += length) {
            float scale = scale(block, first / length);
            float offset = offset(block, first / length);
            for (int i = first; i < first + length; i++) {
                into[at + i] = scale * codes[i] + offset;
            }
        }
    }

    /** A binary16 number. */
    static float half(byte[] block, int at) {
        return Float.float16ToFloat((short) Halves.SHORT.get(block, at));
    }

    /** The codes of 32 neighbours in 16 bytes: the low four bits are values 0 to 15, the high ones 16 to 31. */
    static int nibble(byte[] block, int at, int i) {
        return block[at + i % 16] >> (i < 16 ? 0 : 4) & 15;
    }

    /** Holds what an interface cannot keep to itself. */
    final class Halves {
        private static final VarHandle SHORT =
                MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

        private Halves() {}
    }
}
