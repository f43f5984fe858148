package dev.ossicle.checkpoint.blocks;

/** 32 values in 24 bytes: scale and offset (binary16), the highest bit of each in 4 bytes, then 4 bits each; from 0 to 31. */
public record Q5_1() implements BlockFormat {
    @Override
    public int groupLength() {
        return 32;
    }

    @Override
    public int code(byte[] block, int i) {
        int high = block[4 + i / 8] >> i % 8 & 1;
        return BlockFormat.nibble(block, 8, i) | high << 4;
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
        Q5_0.codes(block, 4, 0, into);
    }
}
