package dev.ossicle.checkpoint.blocks;

/**
 * 256 values in 176 bytes: scales and offsets as in {@link Q4_K}; the highest bit of each value in 32 bytes, bit j of byte i being that
 * of value 32 j + i; the other four in 128 as in {@link Q4_K}.
 */
public record Q5_K() implements BlockFormat {
    private static final int HIGH = 16;
    private static final int LOW = 48;

    @Override
    public int groupLength() {
        return 32;
    }

    @Override
    public int code(byte[] block, int i) {
        int low = block[LOW + i / 64 * 32 + i % 32] >> 4 * (i / 32 % 2) & 15;
        int high = block[HIGH + i % 32] >> i / 32 & 1;
        return low | high << 4;
    }

    @Override
    public float scale(byte[] block, int group) {
        return BlockFormat.half(block, 0) * Q4_K.scaleFactor(block, group);
    }

    @Override
    public float offset(byte[] block, int group) {
        return -(BlockFormat.half(block, 2) * Q4_K.offsetFactor(block, group));
    }

    @Override
    public void codes(byte[] block, byte[] into) {
        for (int pair = 0; pair < 4; pair++) {
            for (int i = 0; i < 32; i++) {
                int two = block[LOW + 32 * pair + i];
                int high = block[HIGH + i] >> 2 * pair;
                into[64 * pair + i] = (byte) (two & 15 | high << 4 & 16);
                into[64 * pair + 32 + i] = (byte) (two >> 4 & 15 | high << 3 & 16);
            }
        }
    }
}
