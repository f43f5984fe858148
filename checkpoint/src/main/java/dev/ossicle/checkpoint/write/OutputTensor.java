package dev.ossicle.checkpoint.write;

import dev.ossicle.checkpoint.NumberFormat;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.function.Function;

/**
 * A tensor on its way into a file: described first, its bytes made when their turn comes.
 *
 * @param type as safetensors and GGUF call it
 * @param shape outermost dimension first
 */
record OutputTensor(String name, String type, List<Long> shape, long bytes, Content content) {

    @FunctionalInterface
    interface Content {
        void writeTo(OutputStream out) throws IOException;
    }

    /** Rows in a number format, as GGUF has them. */
    static OutputTensor of(String name, NumberFormat format, List<Long> shape, RowSource rows) {
        long values = product(shape);
        return new OutputTensor(
                name,
                format.name(),
                shape,
                format.bytes(values),
                encoded(values, shape.getLast().intValue(), rows, row -> Encoding.encode(format, row)));
    }

    /** Rows of so many values as bytes that safetensors has no better name for. */
    static OutputTensor ofBytes(
            String name, List<Long> shape, int columns, long values, RowSource rows, Function<float[], byte[]> encode) {
        return new OutputTensor(name, "U8", shape, product(shape), encoded(values, columns, rows, encode));
    }

    private static Content encoded(long values, int columns, RowSource rows, Function<float[], byte[]> encode) {
        return out -> {
            float[] row = new float[columns];
            for (long index = 0; index < values / columns; index++) {
                rows.row(index, row);
                byte[] bytes;
                try {
                    bytes = encode.apply(row);
                } catch (IllegalArgumentException e) {
                    throw new IllegalArgumentException("row " + index + ", " + e.getMessage(), e);
                }
                out.write(bytes);
            }
        };
    }

    static long product(List<Long> shape) {
        return shape.stream().reduce(1L, Math::multiplyExact);
    }
}
