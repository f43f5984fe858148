package dev.ossicle.checkpoint;

/** How the numbers of a tensor are coded. The class named beside each reads it. */
public enum NumberFormat {
    F32(1, 4, 0),
    F16(1, 2, 1),
    BF16(1, 2, 30),
    /** 32 signed bytes and one binary16 scale in 34 bytes: GGUF. */
    Q8_0(32, 34, 8),
    /** 32 four-bit floats and one power-of-two scale in 17 bytes: OCP Microscaling formats, version 1.0. */
    MXFP4(32, 17, 39),
    /** 4 to 5.5 bits a value, in blocks of 32: GGUF, as are all that follow. {@link QuantizedMatrix} reads them. */
    Q4_0(32, 18, 2),
    Q4_1(32, 20, 3),
    Q5_0(32, 22, 6),
    Q5_1(32, 24, 7),
    IQ4_NL(32, 18, 20),
    /** 2.6 to 6.6 bits a value, in blocks of 256. */
    Q2_K(256, 84, 10),
    Q3_K(256, 110, 11),
    Q4_K(256, 144, 12),
    Q5_K(256, 176, 13),
    Q6_K(256, 210, 14),
    IQ4_XS(256, 136, 23);

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

    /**
     * What quantisers write in its place where rows are no multiple of its blocks, as a row of 2880 is no multiple of 256.
     *
     * @throws IllegalArgumentException if there is no such custom
     */
    public NumberFormat forRowsOf(long columns) {
        if (columns % blockLength == 0) {
            return this;
        }
        return switch (this) {
            case Q2_K, Q3_K, IQ4_XS -> IQ4_NL.forRowsOf(columns);
            case Q4_K -> Q5_0.forRowsOf(columns);
            case Q5_K -> Q5_1.forRowsOf(columns);
            case Q6_K -> Q8_0.forRowsOf(columns);
            case F32, F16, BF16, Q8_0, MXFP4, Q4_0, Q4_1, Q5_0, Q5_1, IQ4_NL ->
                throw new IllegalArgumentException(
                        "rows of " + columns + " values are no multiple of " + blockLength + ", as " + this + " needs");
        };
    }

    /** Bytes of so many values, a multiple of the block length. */
    public long bytes(long values) {
        assert values % blockLength == 0 : values + " values in blocks of " + blockLength;
        return values / blockLength * blockBytes;
    }
}
