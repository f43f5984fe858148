package dev.ossicle.harmony.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.harmony.internal.Utf8;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TestSplitter {
    private static final Splitter BY_HAND = new O200kSplitter();
    private static final Splitter BY_REGEX = new RegexSplitter(O200kSplitter.PATTERN);

    /** One of each kind that the pattern tells apart, and the characters it names. */
    private static final String[] KINDS = {
        "A",
        "Z",
        "s",
        "S",
        "ſ",
        "t",
        "r",
        "e",
        "L",
        "l",
        "d",
        "ǅ",
        "ʰ",
        "日",
        "\u0301",
        "\u20DD",
        "1",
        "Ⅻ",
        "½",
        " ",
        "\t",
        "\r",
        "\n",
        "\u0085",
        "\u00A0",
        "\u2028",
        "\u3000",
        "\u001C",
        "'",
        "!",
        "/",
        "_",
        "🙂",
        "𝐀",
        "𝒶",
        "𠀀",
        "𝟘",
        "\uFFFD",
        "\u200D",
        "\uDB40\uDD00",
        "’"
    };

    @Test
    void thePatternIsTheOneOf274Characters() {
        assertThat(O200kSplitter.PATTERN).hasSize(274).isASCII();
        assertThat(Splitter.of(O200kSplitter.PATTERN)).isInstanceOf(O200kSplitter.class);
        assertThat(Splitter.of(".+")).isInstanceOf(RegexSplitter.class);
    }

    @Test
    void splittingByHandEqualsTheRegularExpression() {
        for (String a : KINDS) {
            for (String b : KINDS) {
                for (String c : KINDS) {
                    check(a + b + c, 0);
                }
            }
        }
        for (long seed = 0; seed < 50_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(1, 16); n > 0; n--) {
                text.append(KINDS[random.nextInt(KINDS.length)]);
            }
            check(text.toString(), seed);
        }
    }

    private static void check(String text, long seed) {
        List<String> expected = pieces(BY_REGEX, text);
        List<String> found = pieces(BY_HAND, text);
        if (!found.equals(expected)) {
            assertThat(found).as("seed %d: %s", seed, text).isEqualTo(expected);
        }
    }

    static List<String> pieces(Splitter splitter, String text) {
        byte[] utf8 = Utf8.encode(text, 0);
        List<String> pieces = new ArrayList<>();
        splitter.split(
                utf8, utf8.length, (from, to) -> pieces.add(new String(utf8, from, to - from, StandardCharsets.UTF_8)));
        return pieces;
    }

    @Test
    void theHandKnowsTheWholeOfUnicode() {
        StringBuilder text = new StringBuilder();
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            if (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) {
                text.append('a').appendCodePoint(c).append("A1");
            }
            if (c % 256 == 255) {
                check(text.toString(), c);
                text.setLength(0);
            }
        }
    }

    @Test
    void textBetweenMatchesMakesPiecesToo() {
        assertThat(pieces(new RegexSplitter("[a-z]+|\\b"), "ab🙂12cdé")).containsExactly("ab", "🙂", "12", "cd", "é");
        assertThat(pieces(new RegexSplitter("x"), "")).isEmpty();
        assertThat(pieces(new RegexSplitter("x"), "abc")).containsExactly("abc");
    }

    @Test
    void aBrokenPatternIsAnError() {
        assertThatThrownBy(() -> new RegexSplitter("(?<"))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("split pattern");
    }
}
