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
}
