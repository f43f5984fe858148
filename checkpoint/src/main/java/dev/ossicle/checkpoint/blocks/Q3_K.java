package dev.ossicle.checkpoint.blocks;

/**
 * 256 values in 110 bytes: the highest bit of each in 32 bytes, bit j of byte i being that of value 32 j + i; its two low bits in 64 as
 * in {@link Q2_K}; for each of 16 groups 6 bits that multiply the scale, in 12; the scale (binary16). Codes go from -4 to 3.
 */
public record Q3_K() implements BlockFormat {
    private static final int LOW = 32;
    private static final int SCALES = 96;

    @Override
    public int groupLength() {
        return 16;
    }

    @Override
    public int code(byte[] block, int i) {
        int low = block[LOW + i / 128 * 32 + i % 32] >> 2 * (i / 32 % 4) & 3;
        int high = block[i % 32] >> i / 32 & 1;
        return (low | high << 2) - 4;
    }

    @Override
    public float scale(byte[] block, int group) {
        int low = block[SCALES + group % 8] >> 4 * (group / 8) & 15;
        int high = block[SCALES + 8 + group % 4] >> 2 * (group / 4) & 3;
        return BlockFormat.half(block, 108) * ((low | high << 4) - 32);
    }

    @Override
    public void codes(byte[] block, byte[] into) {
        for (int half = 0; half < 2; half++) {
            for (int i = 0; i < 32; i++) {
                int four = block[LOW + 32 * half + i];
                int high = block[i] >> 4 * half;
                int at = 128 * half + i;
                into[at] = (byte) ((four & 3 | high << 2 & 4) - 4);
                into[at + 32] = (byte) ((four >> 2 & 3 | high << 1 & 4) - 4);
                into[at + 64] = (byte) ((four >> 4 & 3 | high & 4) - 4);
                into[at + 96] = (byte) ((four >> 6 & 3 | high >> 1 & 4) - 4);
            }
        }
    }
}
