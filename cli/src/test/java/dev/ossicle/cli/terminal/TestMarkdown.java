package dev.ossicle.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;
import org.jline.utils.AttributedString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TestMarkdown {
    private static final Markdown STYLED = new Markdown(true);
    private static final Markdown PLAIN = new Markdown(false);

    @ParameterizedTest
    @CsvSource({"tour,80", "tour,40", "wide,80", "wide,40", "hostile,80"})
    void looksAsItDid(String name, int width) throws IOException {
        List<AttributedString> lines = STYLED.lines(Golden.read(name + ".md"), width);
        Golden.check(name + "." + width + ".txt", Golden.text(lines));
    }

    @Test
    void withoutColoursTheMarksStay() throws IOException {
        List<AttributedString> lines = PLAIN.lines(Golden.read("tour.md"), 60);
        assertThat(lines).allMatch(line -> Ansi.text(line).equals(line.toString()));
        Golden.check("tour.plain.txt", Golden.text(lines));
    }

    /** Whatever the text and however narrow: no line is wider, nothing steers the terminal, nothing is thrown. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 8, 13, 39, 40, 79, 200})
    void noLineIsWiderThanAskedFor(int width) throws IOException {
        String[] pieces = {
            "# ",
            "> ",
            "- ",
            "1. ",
            "```",
            "\n",
            "\n\n",
            "    ",
            "| a | b |\n|---|--:|\n",
            "| 1 ",
            "|",
            "*",
            "**",
            "`",
            "[x](y)",
            "word ",
            "verylongwordwithoutanyend",
            "漢字",
            "👩‍👩‍👧‍👦",
            "🇯🇵",
            "❤️",
            "e\u0301",
            "\u200b",
            "\t",
            "\u001b[31m",
            "\u0007",
            "\u009b",
            "\r",
            "\0",
            "&#27;",
            "<br>",
            "<b>",
            "---",
            "===",
            "【3†L1】",
            "\ud83d"
        };
        SplittableRandom random = new SplittableRandom(20 + width);
        for (int round = 0; round < 300; round++) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(40); i >= 0; i--) {
                text.append(pieces[random.nextInt(pieces.length)]);
            }
            for (Markdown markdown : List.of(STYLED, PLAIN)) {
                for (AttributedString line : markdown.lines(text.toString(), width)) {
                    // A cluster of emoji cannot be cut: it is the one thing that may be wider than the narrowest
                    // screens.
                    assertThat(Cells.width(line))
                            .as("seed %d, round %d: %s", 20 + width, round, text)
                            .isLessThanOrEqualTo(Math.max(width, 11));
                    assertThat(line.toString().chars())
                            .as("seed %d, round %d: %s", 20 + width, round, text)
                            .noneMatch(c -> c < ' ' || (c >= 0x7F && c <= 0x9F));
                }
            }
        }
    }

    @Test
    void deepNestingEndsSomewhere() {
        for (String hostile : List.of(
                "> ".repeat(5_000) + "x",
                "- ".repeat(5_000) + "x",
                "*".repeat(20_000) + "x",
                "[".repeat(20_000) + "x",
                "`".repeat(10_001) + "x",
                "| ".repeat(3_000) + "\n" + "|-".repeat(3_000) + "\n")) {
            assertThat(STYLED.lines(hostile, 40)).isNotEmpty();
        }
    }
}
