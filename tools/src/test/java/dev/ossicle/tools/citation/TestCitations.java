package dev.ossicle.tools.citation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.tools.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Markers in answers, at once and in pieces. */
class TestCitations {
    private static final String A = " ([a.org](https://a.org/x)) ";

    private static @Nullable Source source(int cursor) {
        return switch (cursor) {
            case 0 -> new Source("A", "https://a.org/x");
            case 4 -> new Source("B", "https://b.org:8080/%C3%A4?q=1");
            case 12 -> new Source("C", "https://d%C3%BCrer.example/");
            case 13 -> new Source("odd", "nothing");
            default -> null;
        };
    }

    private static CitedText resolve(String text) {
        return Citations.resolve(text, TestCitations::source);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "It is so【0†L10-L15】.|It is so ([a.org](https://a.org/x)) .",
                "【0†L10】|" + A,
                "【0†source】|" + A,
                "【0†A title†a.org】|" + A,
                "【0†L1】【0†L2】|" + A + A,
                "【4†L1】| ([b.org:8080](https://b.org:8080/%C3%A4?q=1)) ",
                "【12†L1】| ([dürer.example](https://d%C3%BCrer.example/)) ",
                "【013†L1】| ([nothing](nothing)) ",
                "【00†L1】|" + A,
                "【4【0†L1】|【4" + A,
                "【0†a【4†L1】|" + A,
                "【【0†x】】|【" + A + "】",
            })
    void markersBecomeLinks(String text, String expected) {
        assertThat(resolve(text).text()).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "plain",
                "【1†L1】",
                "【99999999999999999999†L1】",
                "【-1†L1】",
                "【0†】",
                "【0】",
                "【†L1】",
                "【0†L1††】",
                "【0†L1†】",
                "【0†a†b†c】",
                "【0 †L1】",
                "[0†L1]",
                "【0†L1",
                "【",
                "【0",
                "】†【",
                "【0†L1]"
            })
    void theRestStays(String text) {
        assertThat(resolve(text)).isEqualTo(new CitedText(text, List.of()));
    }

    @Test
    void placesAreCodePointsOfTheNewText() {
        CitedText cited = resolve("😀【0†L1】 and 𝒳【7†L1】【4†L2】!");
        assertThat(cited.citations()).hasSize(2);
        for (Citation citation : cited.citations()) {
            int start = cited.text().offsetByCodePoints(0, citation.start());
            int end = cited.text().offsetByCodePoints(0, citation.end());
            assertThat(cited.text().substring(start, end))
                    .isEqualTo(
                            " ([" + citation.domain() + "](" + citation.source().url() + ")) ");
        }
        assertThat(cited.citations().getFirst().start()).isEqualTo(1);
        assertThat(cited.text()).startsWith("😀 ([a.org](https://a.org/x))  and 𝒳【7†L1】 ([b.org:8080]");
    }

    @Test
    void aBracketThatNobodyClosesHoldsBackLittle() {
        Citations citations = new Citations(TestCitations::source);
        assertThat(citations.next("see 【0†").text()).isEqualTo("see ");
        StringBuilder shown = new StringBuilder("see ");
        for (int i = 0; i < 200; i++) {
            shown.append(citations.next("word ").text());
        }
        assertThat(shown.length()).isGreaterThan(900);
        shown.append(citations.next("】 done").text()).append(citations.end().text());
        assertThat(shown.toString()).isEqualTo("see 【0†" + "word ".repeat(200) + "】 done");
    }

    @Test
    void textIsNotHeldBackWithoutNeed() {
        Citations citations = new Citations(TestCitations::source);
        assertThat(citations.next("a 【0").text()).isEqualTo("a ");
        assertThat(citations.next(" b").text()).isEqualTo("【0 b");
        assertThat(citations.next("【0†x】").text()).isEqualTo(A);
        assertThat(citations.end().text()).isEmpty();
    }

    /** The definition, on the whole text. */
    private static CitedText expected(String text) {
        Matcher matcher = Pattern.compile("【(\\d+)†([^†】]+)(†[^†】]+)?】").matcher(text);
        StringBuilder out = new StringBuilder();
        List<Citation> citations = new ArrayList<>();
        int done = 0;
        while (matcher.find()) {
            out.append(text, done, matcher.start());
            done = matcher.end();
            Source source = matcher.group(1).length() > 9 ? null : source(Integer.parseInt(matcher.group(1)));
            if (source == null) {
                out.append(matcher.group());
                continue;
            }
            String domain = Citations.domain(source.url());
            int start = out.codePointCount(0, out.length());
            out.append(" ([%s](%s)) ".formatted(domain, source.url()));
            citations.add(new Citation(source, domain, start, out.codePointCount(0, out.length())));
        }
        return new CitedText(out.append(text.substring(done)).toString(), citations);
    }

    @Test
    void inPiecesAsAtOnce() {
        String[] parts = {
            "【", "】", "†", "0", "4", "1", "【0†L1】", "【4†L10-L15】", "【9†x】", "L3", " ", "é", "😀", "word", "\n"
        };
        for (int seed = 0; seed < 2000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(1, 14); i > 0; i--) {
                text.append(parts[random.nextInt(parts.length)]);
            }
            CitedText whole = resolve(text.toString());
            assertThat(whole).as("seed %s", seed).isEqualTo(expected(text.toString()));
            for (int split = 0; split <= text.length(); split++) {
                assertThat(pieces(text.substring(0, split), text.substring(split)))
                        .as("seed %s split at %s", seed, split)
                        .isEqualTo(whole);
            }
            assertThat(pieces(text.toString().split(""))).as("seed %s", seed).isEqualTo(whole);
        }
    }

    private static CitedText pieces(String... pieces) {
        Citations citations = new Citations(TestCitations::source);
        StringBuilder text = new StringBuilder();
        List<Citation> found = new ArrayList<>();
        for (String piece : pieces) {
            CitedText next = citations.next(piece);
            text.append(next.text());
            found.addAll(next.citations());
        }
        CitedText end = citations.end();
        found.addAll(end.citations());
        return new CitedText(text + end.text(), found);
    }
}
