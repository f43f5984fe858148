package dev.ossicle.checkpoint;

/**
 * The element coding of MXFP4 (OCP Microscaling Formats 1.0, section 5.3.3): four-bit floats E2M1 that share a scale E8M0
 * between 32 neighbours.
 */
public final class MxFp4 {
    /** Value of each four-bit code. */
    private static final float[] E2M1 = {
        0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0.0f, -0.5f, -1, -1.5f, -2, -3, -4, -6,
    };

    /** Values that share a scale. */
    public static final int BLOCK = 32;

    private MxFp4() {}

    /** The value of a four-bit code. */
    public static float value(int code) {
        return E2M1[code];
    }

    /** 2^(scale - 127); 255 is NaN. */
    public static float scale(int scale) {
        return switch (scale) {
            case 0 -> 0x1p-127f; // subnormal as a float: its exponent field would be 0
            case 255 -> Float.NaN;
            default -> Float.intBitsToFloat(scale << 23);
        };
    }

    /**
     * Quantises 32 values by the rule of the OCP specification, section 6.3: the shared exponent is that of the largest
     * magnitude, less 2 (the exponent of E2M1's largest value, 6); each value is divided by that power of two, rounded to the
     * nearest E2M1 with ties to the even code, and held at 6 where it would be more. A block of zeros has the scale 0.
     *
     * @param codes receives 32 codes; a zero keeps its sign
     * @return the scale byte
     * @throws IllegalArgumentException if a value is not finite
     */
    public static int quantize(float[] values, int at, byte[] codes) {
        float largest = 0;
        for (int i = 0; i < BLOCK; i++) {
            float magnitude = Math.abs(values[at + i]);
            if (!(magnitude <= Float.MAX_VALUE)) {
                throw new IllegalArgumentException("value " + (at + i) + " is " + values[at + i]);
            }
            largest = Math.max(largest, magnitude);
        }
        int exponent = largest == 0 ? -127 : Math.max(-127, Math.getExponent(largest) - 2);
        for (int i = 0; i < BLOCK; i++) {
            float value = values[at + i];
            int sign = Float.floatToRawIntBits(value) >>> 31 << 3;
            codes[i] = (byte) (sign | nearest(Math.scalb(Math.abs(value), -exponent)));
        }
        return exponent + 127;
    }

    /** The code whose value is nearest to a magnitude. The tie between two neighbours goes to the even one. */
    private static int nearest(float magnitude) {
        if (magnitude <= 0.25f) {
            return 0;
        } else if (magnitude < 0.75f) {
            return 1;
        } else if (magnitude <= 1.25f) {
            return 2;
        } else if (magnitude < 1.75f) {
            return 3;
        } else if (magnitude <= 2.5f) {
            return 4;
        } else if (magnitude < 3.5f) {
            return 5;
        } else {
            return magnitude <= 5 ? 6 : 7;
        }
    }
}
