package dev.ossicle.train;

import dev.ossicle.checkpoint.MxFp4;

/** Rounds weights to what the exported checkpoint can hold: MXFP4 for the experts, BF16 for the rest. */
final class Rounding {
    private Rounding() {}

    /** Writes the rounded {@code weights} to {@code into}. Rounding twice changes nothing more. */
    static void round(ParameterLayout layout, float[] weights, float[] into) {
        byte[] codes = new byte[MxFp4.BLOCK];
        for (ParameterLayout.Parameter parameter : layout.all()) {
            int end = parameter.offset() + parameter.size();
            if (parameter.role() == ParameterLayout.Role.EXPERT) {
                for (int i = parameter.offset(); i < end; i += MxFp4.BLOCK) {
                    float scale = MxFp4.scale(MxFp4.quantize(weights, i, codes));
                    for (int j = 0; j < MxFp4.BLOCK; j++) {
                        into[i + j] = MxFp4.value(codes[j]) * scale;
                    }
                }
            } else {
                for (int i = parameter.offset(); i < end; i++) {
                    into[i] = bfloat16(weights[i]);
                }
            }
        }
    }

    /** The nearest BF16 value, ties to even. */
    static float bfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        return Float.intBitsToFloat(bits + 0x7fff + (bits >>> 16 & 1) & 0xffff0000);
    }
}
