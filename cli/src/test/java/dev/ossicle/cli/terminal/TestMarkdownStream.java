package dev.ossicle.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jline.utils.AttributedString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TestMarkdownStream {
    private static final Markdown MARKDOWN = new Markdown(true);

    @ParameterizedTest
    @ValueSource(strings = {"tour.md", "wide.md", "hostile.md"})
    void howeverItComesTheEndIsTheSame(String name) throws IOException {
        String text = Golden.read(name);
        String whole = Golden.text(MARKDOWN.lines(text, 60));
        SplittableRandom random = new SplittableRandom(5);
        for (int round = 0; round < 30; round++) {
            int longest = 1 + random.nextInt(40);
            assertThat(Golden.text(streamed(text, longest, random)))
                    .as("seed 5, round %d, pieces of up to %d", round, longest)
                    .isEqualTo(whole);
        }
    }

    private static List<AttributedString> streamed(String text, int longest, SplittableRandom random) {
        MarkdownStream stream = new MarkdownStream(MARKDOWN);
        List<AttributedString> lines = new ArrayList<>();
        for (int at = 0; at < text.length(); ) {
            int end = Math.min(text.length(), at + 1 + random.nextInt(longest));
            stream.append(text.substring(at, end));
            lines.addAll(stream.step(60).closed());
            at = end;
        }
        lines.addAll(stream.last(60).closed());
        return lines;
    }

    @Test
    void whatMayBecomeSomethingElseIsNotShownYet() {
        MarkdownStream stream = new MarkdownStream(MARKDOWN);
        stream.append("Text\n--");
        assertThat(Golden.text(stream.step(60).open())).isEqualTo("Text\n");
        stream.append("-");
        assertThat(Golden.text(stream.step(60).open())).isEqualTo("Text\n");
        stream.append("\nMore");
        assertThat(Golden.text(stream.last(60).closed()))
                .contains("## ", "Text")
                .endsWith("\n\nMore\n");

        stream.append("| a | b |\n");
        assertThat(stream.step(60).open()).isEmpty();
        stream.append("|---|---|\n| 1 |");
        assertThat(Golden.text(stream.step(60).open())).contains("─┼─").hasLineCount(3);
    }

    /** In all, a few hundred times its length is parsed, were it one single block. */
    @Test
    void aLongAnswerCostsNoMoreThanItsLength() {
        for (String unit :
                List.of("word and word ", "line of code\n", "- item of a list\n", "| a | b |\n", "A paragraph.\n\n")) {
            String start = unit.startsWith("line") ? "```\n" : unit.startsWith("|") ? "| x | y |\n|---|---|\n" : "";
            long cost = 0;
            MarkdownStream stream = new MarkdownStream(MARKDOWN);
            stream.append(start);
            int length = 0;
            while (length < 100_000) {
                stream.append(unit);
                length += unit.length();
                if (stream.isDue()) {
                    cost += stream.length();
                    stream.step(80);
                }
            }
            stream.last(80);
            assertThat(cost).as(unit).isLessThan(150L * length);
        }
    }
}
