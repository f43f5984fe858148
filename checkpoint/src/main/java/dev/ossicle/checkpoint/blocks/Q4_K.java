package dev.ossicle.checkpoint.blocks;

/**
 * 256 values in 144 bytes: scale and offset (binary16), the offset subtracted; for each of 8 groups 6 bits that multiply the scale and
 * 6 that multiply the offset, in 12 bytes; 4 bits each in 128, of which 32 hold two groups, one in the low bits, one in the high ones.
 */
public record Q4_K() implements BlockFormat {
    @Override
    public int groupLength() {
        return 32;
    }

    @Override
    public int code(byte[] block, int i) {
        return block[16 + i / 64 * 32 + i % 32] >> 4 * (i / 32 % 2) & 15;
    }

    @Override
    public float scale(byte[] block, int group) {
        return BlockFormat.half(block, 0) * scaleFactor(block, group);
    }

    @Override
    public float offset(byte[] block, int group) {
        return -(BlockFormat.half(block, 2) * offsetFactor(block, group));
    }

    @Override
    public void codes(byte[] block, byte[] into) {
        for (int pair = 0; pair < 4; pair++) {
            for (int i = 0; i < 32; i++) {
                int two = block[16 + 32 * pair + i];
                into[64 * pair + i] = (byte) (two & 15);
                into[64 * pair + 32 + i] = (byte) (two >> 4 & 15);
            }
        }
    }

    /**
     * Bytes 4 to 7 have the scales of groups 0 to 3 in their low six bits, bytes 8 to 11 the offsets. Groups 4 to 7 have four bits of
     * both in bytes 12 to 15, scales low; their high bits are the two that bytes 4 to 11 had left.
     */
    static int scaleFactor(byte[] block, int group) {
        return group < 4 ? block[4 + group] & 63 : block[8 + group] & 15 | (block[group] >> 6 & 3) << 4;
    }

    static int offsetFactor(byte[] block, int group) {
        return group < 4 ? block[8 + group] & 63 : block[8 + group] >> 4 & 15 | (block[4 + group] >> 6 & 3) << 4;
    }
}
