package dev.ossicle.checkpoint;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * ggml's formats against ggml itself: ggml-blocks.bin holds random blocks of each, and what {@code dequantize_row_*} of
 * libggml-base made of them (the library in npm's @node-llama-cpp/linux-x64 3.22.1, called from Python). After a line
 * "GGML-BLOCKS-1" come the formats: name in 8 bytes, counts of bytes and of floats, bytes, floats, all little-endian.
 */
class TestQuantizedMatrix {
    private record Golden(byte[] blocks, float[] values) {}

    private static final Map<String, Golden> GOLDEN = read();

    private static Map<String, Golden> read() {
        Map<String, Golden> all = new HashMap<>();
        try (InputStream in = TestQuantizedMatrix.class.getResourceAsStream("ggml-blocks.bin")) {
            ByteBuffer file = ByteBuffer.wrap(requireNonNull(in).readAllBytes()).order(ByteOrder.LITTLE_ENDIAN);
            assertThat(text(file, 14)).isEqualTo("GGML-BLOCKS-1\n");
            while (file.hasRemaining()) {
                String name = text(file, 8).strip();
                byte[] blocks = new byte[file.getInt()];
                float[] values = new float[file.getInt()];
                file.get(blocks);
                for (int i = 0; i < values.length; i++) {
                    values[i] = file.getFloat();
                }
                all.put(name, new Golden(blocks, values));
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return all;
    }

    private static String text(ByteBuffer file, int length) {
        byte[] bytes = new byte[length];
        file.get(bytes);
        return new String(bytes, StandardCharsets.US_ASCII);
    }

    private static Matrix matrix(NumberFormat format, byte[] bytes, int offset, int rows, int columns) {
        MemorySegment data = MemorySegment.ofArray(bytes);
        long stride = format.bytes(columns);
        return switch (format) {
            case Q8_0 -> new Q8_0Matrix(rows, columns, data, offset, stride);
            case MXFP4 -> new GgufMxFp4Matrix(rows, columns, data, offset, stride);
            default -> new QuantizedMatrix(format, rows, columns, data, offset, stride);
        };
    }

    /** In MXFP4 a zero may be negative (OCP Microscaling 1.0), which ggml drops. */
    private static int[] bits(NumberFormat format, float[] values) {
        int[] bits = new int[values.length];
        Arrays.setAll(
                bits, i -> Float.floatToRawIntBits(format == NumberFormat.MXFP4 && values[i] == 0 ? 0 : values[i]));
        return bits;
    }

    static Stream<NumberFormat> blocked() {
        return EnumSet.complementOf(EnumSet.of(NumberFormat.F32, NumberFormat.F16, NumberFormat.BF16)).stream();
    }

    @ParameterizedTest
    @MethodSource("blocked")
    void equalsGgmlBitForBit(NumberFormat format) {
        Golden golden = requireNonNull(GOLDEN.get(format.name()));
        int columns = golden.values.length;
        Matrix matrix = matrix(format, golden.blocks, 0, 1, columns);
        float[] row = new float[columns];
        matrix.row(0, row, 0);
        assertThat(bits(format, row)).isEqualTo(bits(format, golden.values));
        float[] one = new float[columns];
        for (int i = 0; i < columns; i++) {
            one[i] = matrix.get(0, i);
        }
        assertThat(bits(format, one)).isEqualTo(bits(format, golden.values));
    }

    /** Anywhere in a file, any block of any row: what {@code row} says is what {@code get} says. */
    @ParameterizedTest
    @MethodSource("blocked")
    void rowsEqualTheReadableDefinition(NumberFormat format) {
        for (long seed = 0; seed < 20; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int columns = format.blockLength() * random.nextInt(1, 4);
            byte[] bytes = new byte[7 + 3 * (int) format.bytes(columns)];
            random.nextBytes(bytes);
            Matrix matrix = matrix(format, bytes, 7, 3, columns);
            for (int r = 0; r < 3; r++) {
                float[] row = new float[columns + 5];
                matrix.row(r, row, 5);
                for (int i = 0; i < columns; i++) {
                    // NaN included: scales are random bits.
                    assertThat(Float.valueOf(row[5 + i]))
                            .as("seed %d, row %d, column %d", seed, r, i)
                            .isEqualTo(Float.valueOf(matrix.get(r, i)));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"Q4_0", "Q5_0", "IQ4_NL"})
    void someFitIntoQ8Exactly(NumberFormat format) {
        Golden golden = requireNonNull(GOLDEN.get(format.name()));
        QuantizedMatrix matrix = (QuantizedMatrix) matrix(format, golden.blocks, 0, 2, golden.values.length / 2);
        assertThat(matrix.fitsQ8()).isTrue();
        byte[] codes = new byte[32];
        float scale = matrix.q8Block(1, 1, codes);
        for (int i = 0; i < 32; i++) {
            assertThat(scale * codes[i]).isEqualTo(matrix.get(1, 32 + i));
        }
    }

    @Test
    void rowsThatAreNoMultipleOfABlock() {
        assertThat(NumberFormat.Q4_K.forRowsOf(4096)).isEqualTo(NumberFormat.Q4_K);
        assertThat(NumberFormat.Q4_K.forRowsOf(2880)).isEqualTo(NumberFormat.Q5_0);
        assertThat(NumberFormat.Q2_K.forRowsOf(2880)).isEqualTo(NumberFormat.IQ4_NL);
        assertThatThrownBy(() -> NumberFormat.Q6_K.forRowsOf(33)).hasMessageContaining("no multiple of 32");
    }
}
