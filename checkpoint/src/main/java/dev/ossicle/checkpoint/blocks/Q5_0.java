package dev.ossicle.checkpoint.blocks;

/** 32 values in 22 bytes: scale (binary16), the highest bit of each in 4 bytes, then 4 bits each; together from -16 to 15. */
public record Q5_0() implements BlockFormat {
    @Override
    public int groupLength() {
        return 32;
    }

    @Override
    public int code(byte[] block, int i) {
        int high = block[2 + i / 8] >> i % 8 & 1;
        return (BlockFormat.nibble(block, 6, i) | high << 4) - 16;
    }

    @Override
    public float scale(byte[] block, int group) {
        return BlockFormat.half(block, 0);
    }

    @Override
    public void codes(byte[] block, byte[] into) {
        codes(block, 2, -16, into);
    }

    @Override
    public boolean fitsQ8() {
        return true;
    }

    /** @param at where the four bytes of high bits are, which the others follow */
    static void codes(byte[] block, int at, int lowest, byte[] into) {
        int high = (block[at] & 255) | (block[at + 1] & 255) << 8 | (block[at + 2] & 255) << 16 | block[at + 3] << 24;
        for (int i = 0; i < 16; i++) {
            int pair = block[at + 4 + i];
            into[i] = (byte) ((pair & 15 | high << 4 >> i & 16) + lowest);
            into[16 + i] = (byte) ((pair >> 4 & 15 | high >>> 12 >> i & 16) + lowest);
        }
    }
}
