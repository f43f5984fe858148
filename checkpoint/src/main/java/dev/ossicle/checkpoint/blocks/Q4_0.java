package dev.ossicle.checkpoint.blocks;

/** 32 values in 18 bytes: scale (binary16), then 4 bits each, from -8 to 7. */
public record Q4_0() implements BlockFormat {
    @Override
    public int groupLength() {
        return 32;
    }

    @Override
    public int code(byte[] block, int i) {
        return BlockFormat.nibble(block, 2, i) - 8;
    }

    @Override
    public float scale(byte[] block, int group) {
        return BlockFormat.half(block, 0);
    }

    @Override
    public void codes(byte[] block, byte[] into) {
        for (int i = 0; i < 16; i++) {
            int pair = block[2 + i];
            into[i] = (byte) ((pair & 15) - 8);
            into[16 + i] = (byte) ((pair >> 4 & 15) - 8);
        }
    }

    @Override
    public boolean fitsQ8() {
        return true;
    }
}
