package dev.ossicle.checkpoint;

/** How the numbers of a tensor are coded. The class named beside each reads it. */
public enum NumberFormat {
    F32(1, 4, 0),
    F16(1, 2, 1),
    BF16(1, 2, 30),
    /** 32 signed bytes and one binary16 scale in 34 bytes: GGUF. */
    Q8_0(32, 34, 8),
    /** 32 four-bit floats and one power-of-two scale in 17 bytes: OCP Microscaling formats, version 1.0. */
    MXFP4(32, 17, 39);

    private final int blockLength;
    private final int blockBytes;
    private final int ggufType;

    NumberFormat(int blockLength, int blockBytes, int ggufType) {
        this.blockLength = blockLength;
        this.blockBytes = blockBytes;
        this.ggufType = ggufType;
    }

    /** Values that are coded together. */
    public int blockLength() {
        return blockLength;
    }

    public int blockBytes() {
        return blockBytes;
    }

    /** The number that GGUF files have for it. */
    public int ggufType() {
        return ggufType;
    }

    /** Bytes of so many values, a multiple of the block length. */
    public long bytes(long values) {
        assert values % blockLength == 0 : values + " values in blocks of " + blockLength;
        return values / blockLength * blockBytes;
    }
}
