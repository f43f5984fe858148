package dev.ossicle.tools.citation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.tools.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TestCitations {
    private static @Nullable Source source(int cursor) {
        return cursor < 3 ? new Source("Page " + cursor, "https://host.example:8080/a/" + cursor) : null;
    }

    private static List<CitedText> resolve(String text) {
        return stream(List.of(text));
    }

    private static List<CitedText> stream(List<String> deltas) {
        Citations citations = new Citations(TestCitations::source);
        List<CitedText> pieces = new ArrayList<>();
        deltas.forEach(delta -> pieces.addAll(citations.next(delta)));
        pieces.addAll(citations.end());
        return pieces;
    }

    private static String text(List<CitedText> pieces) {
        return pieces.stream().map(CitedText::text).collect(Collectors.joining());
    }

    @ParameterizedTest
    @CsvSource({"【1†L10-L15】", "【1†source】", "【1†L3】", "【1†Some title†host.example】", "【01†x】"})
    void aMarkerBecomesALink(String marker) {
        List<CitedText> pieces = resolve("It is so" + marker + ".");
        assertThat(pieces)
                .containsExactly(
                        new CitedText("It is so", null),
                        new CitedText(" ([host.example:8080](https://host.example:8080/a/1)) ", source(1)),
                        new CitedText(".", null));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "no marker",
                "【7†L1】 leads nowhere",
                "【99999999999999999999†L1】",
                "【†L1】",
                "【1】",
                "【1†】",
                "【1†a†】",
                "【1†a†b†c】",
                "【x†L1】",
                "not closed 【1†L1",
                "【",
                "【【1",
                "a 【-1†L1】 b",
                "half a bone \ud83e",
            })
    void allElseStaysAsItIs(String text) {
        assertThat(text(resolve(text))).isEqualTo(text);
        assertThat(resolve(text)).allMatch(piece -> piece.source() == null);
    }

    @Test
    void theyMayStandSideBySide() {
        assertThat(resolve("【0†a】【7†b】【【2†c】").stream().map(CitedText::source))
                .containsExactly(source(0), null, source(2));
    }

    @Test
    void streamedOrWholeItIsTheSame() {
        SplittableRandom random = new SplittableRandom(5);
        String[] parts = {"【", "】", "†", "1", "2", "9", "L10", "-", " ", "a", "\ud83e\uddb4", "\n", "【1†L1】", "【2†x†y】"
        };
        for (int round = 0; round < 2000; round++) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(20); i >= 0; i--) {
                text.append(parts[random.nextInt(parts.length)]);
            }
            List<String> deltas = new ArrayList<>();
            for (int at = 0; at < text.length(); ) {
                int end = Math.min(text.length(), at + 1 + random.nextInt(4));
                deltas.add(text.substring(at, end));
                at = end;
            }
            List<CitedText> streamed = stream(deltas);
            List<CitedText> whole = resolve(text.toString());
            assertThat(text(streamed)).as("%s", deltas).isEqualTo(text(whole));
            assertThat(streamed.stream().filter(piece -> piece.source() != null))
                    .as("%s", deltas)
                    .containsExactlyElementsOf(whole.stream()
                            .filter(piece -> piece.source() != null)
                            .toList());
        }
    }

    @Test
    void aBracketThatNobodyClosesHoldsLittleBack() {
        Citations citations = new Citations(TestCitations::source);
        int shown = 0;
        for (int i = 0; i < 10_000; i++) {
            for (CitedText piece : citations.next(i == 0 ? "【1†" : "x")) {
                shown += piece.text().length();
            }
        }
        assertThat(shown).isEqualTo(10_002);
    }
}
