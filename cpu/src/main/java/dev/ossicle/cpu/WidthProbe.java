package dev.ossicle.cpu;

import java.util.Arrays;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/**
 * What vector widths are compared by: the lines of the MXFP4 strip kernel, without scales, on weights that stay in L1. Written
 * once for each width, since species must be constants for C2. Not thread-safe.
 *
 * <p>The sum at the end of each is also what makes the JIT compile it soon: its rounds count, and are cheap to interpret.
 */
final class WidthProbe {
    /** Lines of a block of weights, 64 bytes each; a power of two. */
    private static final int LINES = 8;

    /** Calls that are timed together. */
    private static final int CALLS = 20;

    private final byte[] w = new byte[64 * LINES];
    private final byte[] values = new byte[64];
    private final int[] x = new int[LINES + 1];
    /** Lane by lane; those that a width does not have stay as they are. */
    private final short[] sums = new short[32];

    WidthProbe() {
        for (int i = 0; i < w.length; i++) {
            w[i] = (byte) (37 * i);
        }
        for (int i = 0; i < values.length; i++) {
            values[i] = (byte) (i % 16);
        }
        Arrays.setAll(x, i -> (i + 1) * 0x1_0001);
    }

    double productsPerSecond(int bits, int lines) {
        long start = System.nanoTime();
        for (int i = 0; i < CALLS; i++) {
            multiply(bits, lines);
        }
        return 2.0 * bits / 8 * lines * CALLS / ((System.nanoTime() - start) * 1e-9);
    }

    /** Multiplies so many lines, beginning anew after each {@link #LINES}; the sum of all sums. */
    int multiply(int bits, int lines) {
        return switch (bits) {
            case 128 -> multiply128(w, values, x, sums, lines);
            case 256 -> multiply256(w, values, x, sums, lines);
            default -> multiply512(w, values, x, sums, lines);
        };
    }

    /** The probe with 128 bits. */
    private static int multiply128(byte[] w, byte[] values, int[] x, short[] sums, int lines) {
        ByteVector table = ByteVector.fromArray(ByteVector.SPECIES_128, values, 0);
        ShortVector low = ShortVector.zero(ShortVector.SPECIES_128);
        ShortVector lowShifted = low;
        ShortVector high = low;
        ShortVector highShifted = low;
        for (int line = 0; line < lines; line++) {
            int j = line & LINES - 1;
            ByteVector v = ByteVector.fromArray(ByteVector.SPECIES_128, w, 64 * j);
            ByteVector u = v.selectFrom(table);
            ShortVector y = IntVector.broadcast(IntVector.SPECIES_128, x[j]).reinterpretAsShorts();
            low = low.add(u.reinterpretAsShorts().mul(y));
            lowShifted = lowShifted.add(u.reinterpretAsInts()
                    .lanewise(VectorOperators.LSHR, 8)
                    .reinterpretAsShorts()
                    .mul(y));
            u = v.reinterpretAsInts()
                    .lanewise(VectorOperators.LSHR, 4)
                    .reinterpretAsBytes()
                    .selectFrom(table);
            y = IntVector.broadcast(IntVector.SPECIES_128, x[j + 1]).reinterpretAsShorts();
            high = high.add(u.reinterpretAsShorts().mul(y));
            highShifted = highShifted.add(u.reinterpretAsInts()
                    .lanewise(VectorOperators.LSHR, 8)
                    .reinterpretAsShorts()
                    .mul(y));
        }
        low.add(lowShifted).add(high).add(highShifted).intoArray(sums, 0);
        int sum = 0;
        for (short each : sums) {
            sum += each;
        }
        return sum;
    }

    /** The probe with 256 bits. */
    private static int multiply256(byte[] w, byte[] values, int[] x, short[] sums, int lines) {
        ByteVector table = ByteVector.fromArray(ByteVector.SPECIES_256, values, 0);
        ShortVector low = ShortVector.zero(ShortVector.SPECIES_256);
        ShortVector lowShifted = low;
        ShortVector high = low;
        ShortVector highShifted = low;
        for (int line = 0; line < lines; line++) {
            int j = line & LINES - 1;
            ByteVector v = ByteVector.fromArray(ByteVector.SPECIES_256, w, 64 * j);
            ByteVector u = v.selectFrom(table);
            ShortVector y = IntVector.broadcast(IntVector.SPECIES_256, x[j]).reinterpretAsShorts();
            low = low.add(u.reinterpretAsShorts().mul(y));
            lowShifted = lowShifted.add(u.reinterpretAsInts()
                    .lanewise(VectorOperators.LSHR, 8)
                    .reinterpretAsShorts()
                    .mul(y));
            u = v.reinterpretAsInts()
                    .lanewise(VectorOperators.LSHR, 4)
                    .reinterpretAsBytes()
                    .selectFrom(table);
            y = IntVector.broadcast(IntVector.SPECIES_256, x[j + 1]).reinterpretAsShorts();
            high = high.add(u.reinterpretAsShorts().mul(y));
            highShifted = highShifted.add(u.reinterpretAsInts()
                    .lanewise(VectorOperators.LSHR, 8)
                    .reinterpretAsShorts()
                    .mul(y));
        }
        low.add(lowShifted).add(high).add(highShifted).intoArray(sums, 0);
        int sum = 0;
        for (short each : sums) {
            sum += each;
        }
        return sum;
    }

    /** The probe with 512 bits. */
    private static int multiply512(byte[] w, byte[] values, int[] x, short[] sums, int lines) {
        ByteVector table = ByteVector.fromArray(ByteVector.SPECIES_512, values, 0);
        ShortVector low = ShortVector.zero(ShortVector.SPECIES_512);
        ShortVector lowShifted = low;
        ShortVector high = low;
        ShortVector highShifted = low;
        for (int line = 0; line < lines; line++) {
            int j = line & LINES - 1;
            ByteVector v = ByteVector.fromArray(ByteVector.SPECIES_512, w, 64 * j);
            ByteVector u = v.selectFrom(table);
            ShortVector y = IntVector.broadcast(IntVector.SPECIES_512, x[j]).reinterpretAsShorts();
            low = low.add(u.reinterpretAsShorts().mul(y));
            lowShifted = lowShifted.add(u.reinterpretAsInts()
                    .lanewise(VectorOperators.LSHR, 8)
                    .reinterpretAsShorts()
                    .mul(y));
            u = v.reinterpretAsInts()
                    .lanewise(VectorOperators.LSHR, 4)
                    .reinterpretAsBytes()
                    .selectFrom(table);
            y = IntVector.broadcast(IntVector.SPECIES_512, x[j + 1]).reinterpretAsShorts();
            high = high.add(u.reinterpretAsShorts().mul(y));
            highShifted = highShifted.add(u.reinterpretAsInts()
                    .lanewise(VectorOperators.LSHR, 8)
                    .reinterpretAsShorts()
                    .mul(y));
        }
        low.add(lowShifted).add(high).add(highShifted).intoArray(sums, 0);
        int sum = 0;
        for (short each : sums) {
            sum += each;
        }
        return sum;
    }
}
