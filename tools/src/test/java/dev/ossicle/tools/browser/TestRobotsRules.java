package dev.ossicle.tools.browser;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The cases of RFC 9309 and some more. */
class TestRobotsRules {
    private static boolean allows(String text, String path) throws InterruptedException {
        return RobotsRules.parse(text, "Ossicle").allow(path);
    }

    @ParameterizedTest
    @CsvSource({
        "/, /, true",
        "/fish, /fish.html, true",
        "/fish, /Fish.html, false",
        "/fish*, /fishheads/x, true",
        "/fish/, /fish, false",
        "/fish/, /fish/?id=1, true",
        "/*.php, /index.php?x=/, true",
        "/*.php, /windows.PHP, false",
        "/*.php$, /a.php, true",
        "/*.php$, /a.php?x, false",
        "/fish*.php, /fishheads/catfish.php?p, true",
        "/a*b*c, /aXXbYYc/z, true",
        "/a*b*c, /aXXcYYb, false",
        "/$, /, true",
        "/$, /x, false",
        "*, /anything, true",
        "/a$b, /a$b, true",
        "/x*$, /xyz, true"
    })
    void patterns(String rule, String path, boolean expected) {
        assertThat(RobotsRules.matches(rule, path)).isEqualTo(expected);
    }

    @Test
    void theLongestRuleDecides() throws InterruptedException {
        String text = """
                User-agent: *
                Disallow: /a/
                Allow: /a/b
                Disallow: /a/b/secret
                Allow: /page
                Disallow: /*.htm
                Disallow: /same
                Allow: /same
                """;
        assertThat(allows(text, "/a/x")).isFalse();
        assertThat(allows(text, "/a/b/x")).isTrue();
        assertThat(allows(text, "/a/b/secret/x")).isFalse();
        assertThat(allows(text, "/page.htm")).isFalse();
        assertThat(allows(text, "/same")).isTrue();
        assertThat(allows(text, "/else")).isTrue();
    }

    @Test
    void theGroupsThatNameTheCrawlerAreItsRules() throws InterruptedException {
        String text = """
                User-agent: *
                Disallow: /

                User-agent: OtherBot
                User-Agent: ossicle/1.0
                Disallow: /one
                Crawl-delay: 5

                sitemap: https://example.com/x
                user-agent : OSSICLE # and more
                disallow : /two
                """;
        assertThat(allows(text, "/three")).isTrue();
        assertThat(allows(text, "/one")).isFalse();
        assertThat(allows(text, "/two")).isFalse();
        assertThat(RobotsRules.parse(text, "Third").allow("/three")).isFalse();
    }

    @Test
    void anEmptyGroupAllows() throws InterruptedException {
        assertThat(allows("User-agent: Ossicle\nDisallow:\n\nUser-agent: *\nDisallow: /", "/x"))
                .isTrue();
        assertThat(allows("", "/x")).isTrue();
        assertThat(allows("Disallow: /", "/x")).as("belongs to no group").isTrue();
        assertThat(allows("<html><body>Not found</body></html>", "/x")).isTrue();
        assertThat(allows("User-agent: Ossiclet\nDisallow: /", "/x")).isTrue();
    }

    @Test
    void lineEndsAndQuotingDoNotMatter() throws InterruptedException {
        assertThat(allows("User-agent: *\rDisallow: /a\r\nDisallow: /b", "/a")).isFalse();
        assertThat(allows("User-agent: *\nDisallow: /ü", "/%C3%BC/x")).isFalse();
        assertThat(allows("User-agent: *\nDisallow: /%c3%bc", "/%C3%BC")).isFalse();
        assertThat(allows("User-agent: *\nDisallow: /%61%7Eb", "/a~b")).isFalse();
        assertThat(allows("User-agent: *\nDisallow: /a%2Fb", "/a/b")).isTrue();
    }

    @Test
    @Timeout(60)
    void hostileRulesEnd() throws InterruptedException {
        StringBuilder text = new StringBuilder("User-agent: *\n");
        for (int i = 0; i < 1000; i++) {
            text.append("Disallow: /").append("*a".repeat(200)).append("b\n");
        }
        assertThat(allows(text.toString(), "/" + "a".repeat(8000))).isTrue();
    }
}
