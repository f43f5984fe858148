package dev.ossicle.checkpoint;

/**
 * A matrix [rows, columns] as it lies in a mapped checkpoint: nothing is copied or converted until it is asked for.
 *
 * <p>There is one implementation for each number format and storage order; kernels that know one switch on the type and
 * take its segments, everything else expands rows. Thread-safe. After its checkpoint is closed, any access throws
 * {@link IllegalStateException}.
 */
public sealed interface Matrix
        permits F32Matrix,
                F16Matrix,
                BF16Matrix,
                Q8_0Matrix,
                MxFp4Matrix,
                GgufMxFp4Matrix,
                QuantizedMatrix,
                AdaptedMatrix {
    int rows();

    int columns();

    NumberFormat format();

    /** The readable definition of the format: one value. */
    float get(int row, int column);

    /** Expands one row into {@code into[at .. at + columns - 1]}; exact, since every format fits float32. */
    void row(int row, float[] into, int at);

    /** Bytes of the file that hold this matrix. */
    default long bytes() {
        return format().bytes((long) rows() * columns());
    }
}
