package dev.ossicle.harmony.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TestUtf8 {
    /** As Rust's from_utf8_lossy and Utf8Error have it. */
    @ParameterizedTest
    @CsvSource({
        "41, A, ",
        "C3A9, é, ",
        "F09F9982, 🙂, ",
        "41FF42, A?B, invalid utf-8 sequence of 1 bytes from index 1",
        "C080, ??, invalid utf-8 sequence of 1 bytes from index 0",
        "E08080, ???, invalid utf-8 sequence of 1 bytes from index 0",
        "EDA080, ???, invalid utf-8 sequence of 1 bytes from index 0",
        "EDBFBF, ???, invalid utf-8 sequence of 1 bytes from index 0",
        "F48FBFBF, \uDBFF\uDFFF, ",
        "F4908080, ????, invalid utf-8 sequence of 1 bytes from index 0",
        "F580, ??, invalid utf-8 sequence of 1 bytes from index 0",
        "E28241, ?A, invalid utf-8 sequence of 2 bytes from index 0",
        "F09F9941, ?A, invalid utf-8 sequence of 3 bytes from index 0",
        "41E282, A?, incomplete utf-8 byte sequence from index 1",
        "F0, ?, incomplete utf-8 byte sequence from index 0",
        "80, ?, invalid utf-8 sequence of 1 bytes from index 0",
    })
    void decodesAsRustDoes(String hex, String text, String problem) {
        byte[] bytes = HexFormat.of().parseHex(hex);
        assertThat(Utf8.decodeLossy(bytes, 0, bytes.length)).isEqualTo(text.replace('?', '\uFFFD'));
        assertThat(Utf8.problem(bytes)).isEqualTo(problem);
        assertThat(Utf8.completeUpTo(bytes, bytes.length))
                .isEqualTo(
                        problem != null && problem.startsWith("incomplete")
                                ? Integer.parseInt(problem.substring(problem.lastIndexOf(' ') + 1))
                                : bytes.length);
    }

    @Test
    void agreesWithTheJdkExceptOnSurrogates() {
        for (long seed = 0; seed < 20_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            byte[] bytes = new byte[random.nextInt(12)];
            random.nextBytes(bytes);
            for (int i = 0; i < bytes.length; i++) {
                if (random.nextBoolean()) {
                    bytes[i] = (byte) random.nextInt(0x80, 0xC0);
                }
                // Followed by A0..BF it would begin a surrogate.
                if (bytes[i] == (byte) 0xED) {
                    bytes[i] = 0;
                }
            }
            assertThat(Utf8.decodeLossy(bytes, 0, bytes.length))
                    .as("seed %d", seed)
                    .isEqualTo(new String(bytes, StandardCharsets.UTF_8));
        }
    }

    @Test
    void encodesAsTheJdkDoes() {
        StringBuilder all = new StringBuilder();
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            if (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) {
                all.appendCodePoint(c);
            }
        }
        assertThat(Utf8.encode(all.toString(), 0)).isEqualTo(all.toString().getBytes(StandardCharsets.UTF_8));
        assertThat(Utf8.encode("a\uD800b\uDC00", 2))
                .containsExactly(0x61, 0xEF, 0xBF, 0xBD, 0x62, 0xEF, 0xBF, 0xBD, 0, 0);
    }
}
