package dev.ossicle.tools.browser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.tools.Resources;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pages like those of the web, beside what they read as, which was reviewed by hand after the rules of the page model. */
class TestSites {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "arabic",
                "base",
                "broken",
                "cdata",
                "chatLog",
                "code",
                "definitions",
                "docs",
                "emoji",
                "entities",
                "forms",
                "forum",
                "frames",
                "headings",
                "images",
                "japanese",
                "links",
                "lists",
                "markdown",
                "markers",
                "news",
                "noTitle",
                "old",
                "quotes",
                "results",
                "science",
                "scripts",
                "shop",
                "table",
                "unclosed",
                "whitespace",
                "wiki"
            })
    void readsAsWritten(String name) {
        String html = Resources.text(TestSites.class, "sites/" + name + ".html");
        Page page = PageReader.read(html, "https://www.example.com/site/" + name, null);
        assertThat(written(page)).isEqualTo(Resources.text(TestSites.class, "sites/" + name + ".txt"));
    }

    /** Title, text without white space at the ends of lines, links. */
    private static String written(Page page) {
        String text = page.text().lines().map(String::stripTrailing).collect(Collectors.joining("\n"));
        String links = page.links().entrySet().stream()
                .map(link -> link.getKey() + " " + link.getValue() + "\n")
                .collect(Collectors.joining());
        return page.title() + "\n----" + text + "\n----\n" + links;
    }

    @Test
    void aLongPageIsRead() {
        StringBuilder html = new StringBuilder("<title>Long</title>");
        for (int i = 0; html.length() < 1 << 20; i++) {
            html.append("<h2>Part ")
                    .append(i)
                    .append("</h2><p>Text of part ")
                    .append(i)
                    .append(", see <a href='/p/");
            html.append(i).append("'>more</a>.</p><ul><li>a</li><li>b</li></ul>");
        }
        int parts = html.toString().split("<h2>").length - 1;
        Page page = PageReader.read(html.toString(), "https://www.example.com/", null);
        assertThat(page.links()).hasSize(parts);
        List<String> lines = page.text().lines().toList();
        assertThat(lines).contains("## Part 0 ", "## Part " + (parts - 1) + " ");
        assertThat(lines).contains("Text of part 77, see \u301077\u2020more\u3011.");
    }
}
