package dev.ossicle.checkpoint.blocks;

/**
 * 256 values in 84 bytes: for each of 16 groups 4 bits that multiply the scale and 4 that multiply the offset; 2 bits for each value
 * in 64 bytes, of which 32 hold 128 values, bits 2j and 2j + 1 those of the j-th 32; scale and offset (binary16), the offset subtracted.
 */
public record Q2_K() implements BlockFormat {
    @Override
    public int groupLength() {
        return 16;
    }

    @Override
    public int code(byte[] block, int i) {
        return block[16 + i / 128 * 32 + i % 32] >> 2 * (i / 32 % 4) & 3;
    }

    @Override
    public float scale(byte[] block, int group) {
        return BlockFormat.half(block, 80) * (block[group] & 15);
    }

    @Override
    public float offset(byte[] block, int group) {
        return -(BlockFormat.half(block, 82) * (block[group] >> 4 & 15));
    }

    @Override
    public void codes(byte[] block, byte[] into) {
        for (int half = 0; half < 2; half++) {
            for (int i = 0; i < 32; i++) {
                int four = block[16 + 32 * half + i];
                int at = 128 * half + i;
                into[at] = (byte) (four & 3);
                into[at + 32] = (byte) (four >> 2 & 3);
                into[at + 64] = (byte) (four >> 4 & 3);
                into[at + 96] = (byte) (four >> 6 & 3);
            }
        }
    }
}
