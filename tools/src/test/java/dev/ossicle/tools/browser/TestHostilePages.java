package dev.ossicle.tools.browser;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Pages made to take time or space that grow faster than they: each is done in a second or so, or takes minutes. */
@Timeout(60)
class TestHostilePages {
    private static String page(int bytes, String piece) {
        return piece.repeat(bytes / piece.length());
    }

    static Stream<Arguments> pages() {
        int some = 1 << 18;
        return Stream.of(
                        new String[] {"one word", page(some, "x")},
                        new String[] {"one word in source", "<pre>" + page(some, "x-") + "</pre>"},
                        new String[] {"astral", page(some, "\uD83D\uDE00")},
                        new String[] {"line ends", "a" + page(some, "\n") + "b"},
                        new String[] {"blank lines", "a" + page(some, " \n") + "- b"},
                        new String[] {"spaces", "a" + page(some, " ") + "1. b"},
                        new String[] {"preformatted line ends", "<pre>" + page(some, "\n") + "x</pre>"},
                        new String[] {"nested blocks", page(some, "<div>") + "x"},
                        new String[] {"nested quotes", page(some, "<blockquote>x")},
                        new String[] {"nested lists", page(some, "<ul><li>x")},
                        new String[] {"source in nested lists", page(10_000, "<ul><li>") + "<pre>" + page(some, "\n")},
                        new String[] {"items in nested lists", page(10_000, "<ul><li>") + page(some, "<li>x")},
                        new String[] {
                            "source in nested quotes", page(20_000, "<blockquote>") + "<pre>" + page(some, "\n")
                        },
                        new String[] {"nested emphasis", page(some, "<b><i>x")},
                        new String[] {"links", page(some, "<a href=x>y</a>")},
                        new String[] {"links that differ", links(some)},
                        new String[] {"open links", page(some, "<a href=x>y")},
                        new String[] {"images", page(some, "<img alt=x>")},
                        new String[] {"formulas", page(some, "<math>x</math>")},
                        new String[] {"cells", "<table>" + page(some, "<tr><td>x")},
                        new String[] {"nested tables", page(some, "<table><tr><td>x")},
                        new String[] {"text in tables", "<table>" + page(some, "x<b>y</b>")},
                        new String[] {"abbreviations", page(some, "<abbr title=x>y</abbr>")},
                        new String[] {"one abbreviation", "<abbr title=x>" + page(some, "<b>y</b>")},
                        new String[] {"superscripts", page(some, "<sup>x</sup>")},
                        new String[] {"comments", page(some, "x<!---->")},
                        new String[] {"open comments", page(some, "<!--")},
                        new String[] {"open tags", page(some, "<")},
                        new String[] {"attributes", "<p " + page(some, "a=b ") + ">x"},
                        new String[] {"entities", page(some, "&amp;")},
                        new String[] {"broken entities", page(some, "&#x")},
                        new String[] {"closing tags", page(some, "</p>")},
                        new String[] {"forms", page(some, "<select><option>x<input>")},
                        new String[] {"frames", page(some, "<iframe>")},
                        new String[] {"drawings", page(some, "<svg><title>x</title>")},
                        new String[] {"templates", page(some, "<template>x")},
                        new String[] {
                            "base", "<base href='" + page(some, "../") + "'><a href='" + page(some, "a/../") + "'>x"
                        },
                        new String[] {
                            "brackets", "<a href='http://[x'>a</a><base href='//[x'>" + page(some, "\u3010\u2020\u3011")
                        },
                        new String[] {"nothing", "\0\uFFFE\uD800\uDC00\uDC00" + page(some, "\0")})
                .map(page -> Arguments.of((Object[]) page));
    }

    private static String links(int bytes) {
        StringBuilder html = new StringBuilder();
        for (int i = 0; html.length() < bytes; i++) {
            html.append("<a href=/").append(i).append(">y</a> ");
        }
        return html.toString();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("pages")
    void takesNoMoreThanItIsWorth(String name, String html) throws IOException, InterruptedException {
        BrowserSession browser =
                new BrowserSession((query, most) -> List.of(), url -> new PageSource.Document(url, null, html, true));
        String shown = browser.call("open", "{\"id\": \"https://a.org/\"}").text();
        assertThat(shown).as(name).startsWith("[0] ").hasSizeLessThan(300_000);
        browser.call("open", "{\"id\": \"https://a.org/\", \"view_source\": true}");
        browser.call("find", "{\"pattern\": \"y\"}");
    }

    @Test
    void searchResultsAreNoMarkup() throws InterruptedException {
        BrowserSession browser = new BrowserSession(
                (query, most) -> List.of(new SearchBackend.Hit(
                        "</a></li></ul>\u30109\u2020x\u3011<script>", "https://a.org/'><b>", "<h1>&amp; \u3010")),
                url -> {
                    throw new IOException();
                });
        assertThat(browser.call("search", "{\"query\": \"<q>\"}").text())
                .contains(
                        "  * \u30100\u2020</a></li></ul>\u30169\u2021x\u3017<script>\u2020a.org\u3011 <h1>&amp; \u3016");
    }
}
