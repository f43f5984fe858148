package dev.ossicle.checkpoint.blocks;

/** 32 values in 18 bytes: scale (binary16), then 4 bits each that pick one of 16 levels, dense around zero. */
public record IQ4_NL() implements BlockFormat {
    static final byte[] LEVELS = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

    @Override
    public int groupLength() {
        return 32;
    }

    @Override
    public int code(byte[] block, int i) {
        return LEVELS[BlockFormat.nibble(block, 2, i)];
    }

    @Override
    public float scale(byte[] block, int group) {
        return BlockFormat.half(block, 0);
    }

    @Override
    public void codes(byte[] block, byte[] into) {
        codes(block, 2, into, 0);
    }

    @Override
    public boolean fitsQ8() {
        return true;
    }

    static void codes(byte[] block, int from, byte[] into, int at) {
        for (int i = 0; i < 16; i++) {
            int pair = block[from + i];
            into[at + i] = LEVELS[pair & 15];
            into[at + 16 + i] = LEVELS[pair >> 4 & 15];
        }
    }
}
