package dev.ossicle.tools.browser;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.tools.Source;
import dev.ossicle.tools.ToolOutput;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The browser's functions over a made-up web. */
class TestBrowser {
    private static final String LONG =
            "<html><title>Long</title><body>" + "<p>word <a href='/a'>needle</a></p>".repeat(900);

    private final BrowserSession browser = new BrowserSession(TestBrowser::search, TestBrowser::fetch);

    private static List<SearchBackend.Hit> search(String query, int most) throws IOException {
        if (query.equals("fail")) {
            throw new IOException("x".repeat(2000));
        }
        return List.of(
                new SearchBackend.Hit("A <b>", "https://a.org/p?q='1'", "of & a"),
                new SearchBackend.Hit("B", "https://b.org/", "of b"));
    }

    private static PageSource.Document fetch(String url) throws IOException {
        return switch (url) {
            case "https://b.org/" ->
                new PageSource.Document(url, null, "<title>Bee</title><p>Hello <a href=x>Link</a></p>", true);
            case "https://long.org" -> new PageSource.Document(url, null, LONG, true);
            default -> throw new IOException("nothing there");
        };
    }

    private String call(String function, String body) throws InterruptedException {
        return browser.call(function, body).text();
    }

    @Test
    void searchOpenFindScroll() throws InterruptedException {
        assertThat(call("search", "{\"query\": \"q\", \"topn\": 3}")).isEqualTo("""
                [0] q
                **viewing lines [0 - 5] of 5**

                L0:\s
                L1: URL:\s
                L2: # Search Results
                L3:\s
                L4:   * \u30100\u2020A <b>\u2020a.org\u3011 of & a
                L5:   * \u30101\u2020B\u2020b.org\u3011 of b""");
        assertThat(call("open", "{\"id\": 1}")).isEqualTo("""
                [1] Bee (https://b.org/)
                **viewing lines [0 - 2] of 2**

                L0:\s
                L1: URL: https://b.org/
                L2: Hello \u30100\u2020Link\u3011""");
        assertThat(call("find", "{\"pattern\": \"hello LINK\"}")).isEqualTo("""
                [2] Find results for text: `hello link` in `Bee` (https://b.org//find?pattern=hello link)
                **viewing lines [0 - 1] of 1**

                L0: # \u30100\u2020match at L2\u3011
                L1: Hello \u30100\u2020Link\u3011""");
        assertThat(call("open", "{\"id\": 0}")).startsWith("[3] Bee").contains("[2 - 2] of 2");
        assertThat(call("open", "{\"cursor\": 0, \"loc\": 4, \"num_lines\": 1}"))
                .endsWith("[4 - 4] of 5**\n\nL4:   * " + "\u30100\u2020A <b>\u2020a.org\u3011 of & a");
        assertThat(call("find", "{\"pattern\": \"absent\", \"cursor\": 1}"))
                .endsWith("L0: No `find` results for pattern: `absent`");
        assertThat(browser.source(1)).isEqualTo(new Source("Bee", "https://b.org/"));
        assertThat(browser.source(0)).isNull();
        assertThat(browser.source(99)).isNull();
    }

    @Test
    void aLongPageIsShownAWindowAtATime() throws InterruptedException {
        String first = call("open", "{\"id\": \"https://long.org\"}");
        assertThat(first).contains("L0: ").hasSizeLessThan(8000);
        assertThat(call("open", "{\"loc\": 1500}")).contains("**viewing lines [1500 - ");
        assertThat(call("find", "{\"pattern\": \"needle\"}")).contains("match at L2\u3011");
    }

    @Test
    void mistakesAreSaid() throws InterruptedException {
        assertThat(call("open", "")).isEqualTo("No pages to access!");
        assertThat(call("search", "{\"query\": \"fail\"}"))
                .isEqualTo("Error during search for `fail`: " + "x".repeat(1021) + "...");
        assertThat(call("open", "{\"id\": \"https://b.org/\"}")).startsWith("[0] Bee");
        assertThat(call("open", "{\"cursor\": 5}"))
                .isEqualTo("Cursor `5` is out of range. Available cursor indices: [0 - 0].");
        assertThat(call("open", "{\"id\": 7}")).isEqualTo("Invalid link id `7`.");
        assertThat(call("open", "{\"loc\": 3}"))
                .isEqualTo("Invalid location parameter: `3`. Cannot exceed page maximum of 2.");
        assertThat(call("open", "{\"id\": \"http://no\"}")).isEqualTo("Error fetching URL `http://no`: nothing there");
        assertThat(call("open", "{\"cursor\": \"x\"}")).contains("`cursor` should be an integer");
        assertThat(call("open", "[1]")).isEqualTo("{\"error\": \"Invalid function arguments\"}");
        assertThat(call("open", "{\"id\": ")).isEqualTo("{\"error\": \"Invalid function arguments\"}");
        assertThat(call("click", "{}")).isEqualTo("{\"error\": \"Unknown function: click\"}");
        assertThat(call("open", "{\"link\": 1}")).contains("no argument `link`");
        assertThat(call("search", "{}")).contains("`query` is missing");
        ToolOutput found = browser.call("find", "{\"pattern\": \"hello\"}");
        assertThat(found.failed()).isFalse();
        assertThat(call("find", "{\"pattern\": \"x\"}"))
                .isEqualTo("Cannot run `find` on search results page or find results page");
        browser.close();
        assertThat(call("open", "")).contains("closed");
    }
}
