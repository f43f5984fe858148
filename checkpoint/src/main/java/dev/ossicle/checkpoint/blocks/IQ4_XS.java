package dev.ossicle.checkpoint.blocks;

/**
 * 256 values in 136 bytes: scale (binary16); for each of 8 groups 6 bits that multiply it, the two high ones in 2 bytes, the four
 * low ones in 4; then for each group the 4 bits of its values, which pick a level of {@link IQ4_NL}.
 */
public record IQ4_XS() implements BlockFormat {
    @Override
    public int groupLength() {
        return 32;
    }

    @Override
    public int code(byte[] block, int i) {
        return IQ4_NL.LEVELS[BlockFormat.nibble(block, 8 + i / 32 * 16, i % 32)];
    }

    @Override
    public float scale(byte[] block, int group) {
        int low = block[4 + group / 2] >> 4 * (group % 2) & 15;
        int high = block[2 + group / 4] >> 2 * (group % 4) & 3;
        return BlockFormat.half(block, 0) * ((low | high << 4) - 32);
    }

    @Override
    public void codes(byte[] block, byte[] into) {
        for (int group = 0; group < 8; group++) {
            IQ4_NL.codes(block, 8 + 16 * group, into, 32 * group);
        }
    }
}
