package dev.ossicle.checkpoint.blocks;

/** 32 values in 20 bytes: scale and offset (binary16), then 4 bits each, from 0 to 15. */
public record Q4_1() implements BlockFormat {
    @Override
    public int groupLength() {
        return 32;
    }

    @Override
    public int code(byte[] block, int i) {
        return BlockFormat.nibble(block, 4, i);
    }

    @Override
    public float scale(byte[] block, int group) {
        return BlockFormat.half(block, 0);
    }

    @Override
    public float offset(byte[] block, int group) {
        return BlockFormat.half(block, 2);
    }

    @Override
    public void codes(byte[] block, byte[] into) {
        for (int i = 0; i < 16; i++) {
            int pair = block[4 + i];
            into[i] = (byte) (pair & 15);
            into[16 + i] = (byte) (pair >> 4 & 15);
        }
    }
}
