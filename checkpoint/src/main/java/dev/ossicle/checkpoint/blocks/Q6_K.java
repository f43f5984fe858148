package dev.ossicle.checkpoint.blocks;

/**
 * 256 values in 210 bytes: four low bits of each in 128 bytes, of which 64 hold 128 values, the first 64 in the low bits; two high bits
 * in 64 as in {@link Q2_K}; for each of 16 groups a signed byte that multiplies the scale; the scale (binary16). Codes go from -32 to 31.
 */
public record Q6_K() implements BlockFormat {
    private static final int HIGH = 128;
    private static final int SCALES = 192;

    @Override
    public int groupLength() {
        return 16;
    }

    @Override
    public int code(byte[] block, int i) {
        int low = block[i / 128 * 64 + i % 64] >> 4 * (i / 64 % 2) & 15;
        int high = block[HIGH + i / 128 * 32 + i % 32] >> 2 * (i / 32 % 4) & 3;
        return (low | high << 4) - 32;
    }

    @Override
    public float scale(byte[] block, int group) {
        return BlockFormat.half(block, 208) * block[SCALES + group];
    }

    @Override
    public void codes(byte[] block, byte[] into) {
        for (int half = 0; half < 2; half++) {
            for (int i = 0; i < 32; i++) {
                int first = block[64 * half + i];
                int second = block[64 * half + 32 + i];
                int high = block[HIGH + 32 * half + i];
                int at = 128 * half + i;
                into[at] = (byte) ((first & 15 | high << 4 & 48) - 32);
                into[at + 32] = (byte) ((second & 15 | high << 2 & 48) - 32);
                into[at + 64] = (byte) ((first >> 4 & 15 | high & 48) - 32);
                into[at + 96] = (byte) ((second >> 4 & 15 | high >> 2 & 48) - 32);
            }
        }
    }
}
