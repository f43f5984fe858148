package dev.ossicle.tools.browser;

import static dev.ossicle.tools.browser.RawServer.ok;
import static dev.ossicle.tools.browser.RawServer.say;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against servers that lie, stall, never end, and lead elsewhere. */
@Timeout(60)
class TestFetcher {
    private static final FetchLimits LIMITS = new FetchLimits(Duration.ofSeconds(30), 1 << 20, 4);
    private static final FetchLimits BRIEF = new FetchLimits(Duration.ofMillis(500), 1 << 20, 4);

    /** Fetches one page, without robots.txt, and expects nothing to stay open. */
    private static PageSource.Document fetch(FetchLimits limits, RawServer.Page page)
            throws IOException, InterruptedException {
        try (RawServer server = new RawServer(page);
                Fetcher fetcher = server.fetcher(limits, false)) {
            try {
                return fetcher.fetch(server.url("/"));
            } finally {
                assertNothingOpen(fetcher);
            }
        }
    }

    private static void assertNothingOpen(Fetcher fetcher) {
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (fetcher.connections() > 0 && System.nanoTime() < deadline) {
            Thread.yield();
        }
        assertThat(fetcher.connections()).isZero();
    }

    @Test
    void aPage() throws IOException, InterruptedException {
        PageSource.Document page = fetch(LIMITS, (path, out) -> ok(out, "<p>Grüße</p>"));
        assertThat(page.html()).isTrue();
        assertThat(page.text()).isEqualTo("<p>Grüße</p>");
    }

    @Test
    void requestsTellLittle() throws IOException, InterruptedException {
        try (RawServer server = new RawServer((path, out) -> ok(out, "x"));
                Fetcher fetcher = server.fetcher(LIMITS, false)) {
            fetcher.fetch(server.url("/a b/%C3%A4/ö?q=ü|1&z=%zz#part"));
            assertThat(server.requests.getFirst())
                    .startsWith("GET /a%20b/%C3%A4/%C3%B6?q=%C3%BC%7C1&z=%25zz HTTP/1.1\r\n")
                    .contains("User-Agent: Ossicle\r\n")
                    .doesNotContain("Cookie", "Referer", "Authorization");
        }
    }

    @Test
    void redirectsAreFollowedAndTheLastPlaceIsTold() throws IOException, InterruptedException {
        try (RawServer server = new RawServer((path, out) -> {
                    switch (path) {
                        case "/" -> say(out, "HTTP/1.1 302 Found\r\nLocation: docs\r\nSet-Cookie: a=b\r\n\r\n");
                        case "/docs" -> say(out, "HTTP/1.1 301 M\r\nLocation: /docs/?x=1\r\nContent-Length: 0\r\n\r\n");
                        default -> ok(out, "<a href='next'>n</a>");
                    }
                });
                Fetcher fetcher = server.fetcher(LIMITS, false)) {
            assertThat(fetcher.fetch(server.url("/")).url()).isEqualTo(server.url("/docs/?x=1"));
            assertThat(server.requests).noneMatch(request -> request.contains("Cookie"));
            BrowserSession browser = new BrowserSession((query, most) -> List.of(), fetcher);
            browser.call("open", "{\"id\": \"" + server.url("/") + "\"}");
            assertThat(browser.call("open", "{\"id\": 0}").text()).contains(server.url("/docs/next"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://169.254.169.254/latest/meta-data/",
                "http://127.0.0.1/",
                "http://localhost:22/",
                "http://private.test/",
                "http://mixed.test/",
                "//[::1]/",
                "http://2130706433/",
                "http://0x7f000001/",
                "http://0177.0.0.1/",
                "http://127.1/",
                "http://\u2460\u2461\u2466.0.0.1/",
                "http://[::ffff:7f00:1]/",
                "http://[64:ff9b::7f00:1]/",
                "http://[fe80::1%25lo]/",
                "http://user:pw@site.test/",
                "http://site.test:6379/",
                "http://site.test\\@127.0.0.1/",
                "file:///etc/passwd",
                "ftp://site.test/",
                "gopher://site.test/",
                "javascript:alert(1)",
                "http://",
                "http://[::1",
                "http://%31%32%37.0.0.1/"
            })
    void redirectsElsewhereAreNot(String place) {
        String location = new String(place.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
        assertThatThrownBy(() -> fetch(
                        LIMITS, (path, out) -> say(out, "HTTP/1.1 302 Found\r\nLocation: " + location + "\r\n\r\n")))
                .isInstanceOf(IOException.class);
    }

    @Test
    void redirectsInACircleEnd() {
        assertThatThrownBy(() ->
                        fetch(LIMITS, (path, out) -> say(out, "HTTP/1.1 302 Found\r\nLocation: " + path + "x\r\n\r\n")))
                .hasMessage("more than 4 redirects");
    }

    @Test
    void theAddressThatWasCheckedIsConnectedTo() throws IOException, InterruptedException {
        List<String> asked = new ArrayList<>();
        try (RawServer server = new RawServer((path, out) -> ok(out, "User-agent: *\nAllow: /\n"));
                Fetcher fetcher = server.fetcher(LIMITS, false, host -> {
                    asked.add(host);
                    // public at first, then where no visitor should get
                    return InetAddress.getAllByName(asked.size() == 1 ? "127.0.0.1" : "10.0.0.1");
                })) {
            fetcher.fetch(server.url("/one"));
            assertThat(asked).as("looked up once for one connection").hasSize(1);
            assertThatThrownBy(() -> fetcher.fetch(server.url("/two"))).hasMessageContaining("not public");
            assertThat(server.paths).containsExactly("/one");
        }
    }

    @Test
    void aSlowDripEnds() {
        assertThatThrownBy(() -> fetch(BRIEF, (path, out) -> {
                    say(out, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n");
                    drip(out, "x");
                }))
                .hasMessage("took more than 0.5 seconds");
    }

    @Test
    void slowHeadersEnd() {
        assertThatThrownBy(() -> fetch(BRIEF, (path, out) -> {
                    say(out, "HTTP/1.1 200 OK\r\nX: ");
                    drip(out, "x");
                }))
                .hasMessage("took more than 0.5 seconds");
    }

    @Test
    void silenceEnds() {
        CountDownLatch never = new CountDownLatch(1);
        assertThatThrownBy(() -> fetch(BRIEF, (path, out) -> never.await(20, TimeUnit.SECONDS)))
                .hasMessage("took more than 0.5 seconds");
        never.countDown();
    }

    @Test
    void aSilentHandshakeEnds() throws IOException {
        try (RawServer server = new RawServer((path, out) -> ok(out, "not reached"));
                Fetcher fetcher = server.fetcher(BRIEF, false)) {
            assertThatThrownBy(() -> fetcher.fetch(server.url("/").replace("http:", "https:")))
                    .isInstanceOf(IOException.class);
            assertNothingOpen(fetcher);
        }
    }

    private static void drip(OutputStream out, String text) throws IOException, InterruptedException {
        CountDownLatch pause = new CountDownLatch(1);
        for (int i = 0; i < 2000 && !pause.await(10, TimeUnit.MILLISECONDS); i++) {
            say(out, text);
        }
    }

    private static void endless(OutputStream out) throws IOException {
        byte[] text = "word ".repeat(2000).getBytes(StandardCharsets.ISO_8859_1);
        while (true) {
            out.write(text);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Content-Type: text/html|has more than 1048576 bytes",
                "Content-Type: text/html\\r\\nContent-Length: 104857600|has more than 1048576 bytes",
                "Content-Type: text/html\\r\\nContent-Length: 99999999999999|has more than 1048576 bytes",
                "Content-Type: video/mp4|not a text but video/mp4",
                "Content-Type: application/octet-stream|not a text but application/octet-stream",
                "Content-Type: application/pdf|not a text but application/pdf"
            })
    void whatDoesNotEndIsNotReadToItsEnd(String headers, String message) {
        assertThatThrownBy(() -> fetch(LIMITS, (path, out) -> {
                    say(out, "HTTP/1.1 200 OK\r\n" + headers.translateEscapes() + "\r\n\r\n");
                    endless(out);
                }))
                .hasMessage(message);
    }

    @Test
    void errorsAndRedirectsWithoutEndAreNotReadEither() {
        assertThatThrownBy(() -> fetch(LIMITS, (path, out) -> {
                    say(out, "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n");
                    endless(out);
                }))
                .hasMessage("status 404 Not Found");
        assertThatThrownBy(() -> fetch(LIMITS, (path, out) -> {
                    say(out, "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Type: text/html\r\n\r\n");
                    endless(out);
                }))
                .hasMessage("more than 4 redirects");
    }

    @Test
    void endlessHeadersEnd() {
        assertThatThrownBy(() -> fetch(LIMITS, (path, out) -> {
                    say(out, "HTTP/1.1 200 OK\r\n");
                    for (int i = 0; ; i++) {
                        say(out, "X-" + i + ": y\r\n");
                    }
                }))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("header count");
        assertThatThrownBy(() -> fetch(LIMITS, (path, out) -> {
                    say(out, "HTTP/1.1 200 OK\r\nX: ");
                    endless(out);
                }))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("line length");
    }

    private static byte[] gzip(int mebibytes) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            byte[] mebibyte = new byte[1 << 20];
            Arrays.fill(mebibyte, (byte) 'a');
            for (int i = 0; i < mebibytes; i++) {
                out.write(mebibyte);
            }
        }
        return bytes.toByteArray();
    }

    @Test
    void compressionDoesNotHideSize() throws IOException {
        byte[] bomb = gzip(100);
        assertThat(bomb.length).isLessThan(200_000);
        assertThatThrownBy(() -> fetch(LIMITS, (path, out) -> {
                    say(
                            out,
                            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: "
                                    + bomb.length + "\r\n\r\n");
                    out.write(bomb);
                }))
                .hasMessage("has more than 1048576 bytes");
        assertThatThrownBy(() -> fetch(LIMITS, (path, out) -> {
                    say(
                            out,
                            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\nno gzip at all");
                }))
                .isInstanceOf(IOException.class);
    }

    @Test
    void aLyingLengthIsAnError() {
        assertThatThrownBy(() -> fetch(
                        LIMITS,
                        (path, out) -> say(
                                out,
                                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5000\r\n\r\nshort")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("Premature end");
        assertThatThrownBy(() -> fetch(
                        LIMITS,
                        (path, out) -> say(
                                out, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: -7\r\n\r\nshort")))
                .isInstanceOf(IOException.class);
        assertThatThrownBy(
                        () -> fetch(
                                LIMITS,
                                (path, out) -> say(
                                        out,
                                        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nshort")))
                .isInstanceOf(IOException.class);
    }

    @Test
    void noWebServerIsAnError() {
        assertThatThrownBy(() -> fetch(LIMITS, (path, out) -> say(out, "SSH-2.0-OpenSSH\r\n")))
                .isInstanceOf(IOException.class);
        assertThatThrownBy(() -> fetch(LIMITS, (path, out) -> {})).isInstanceOf(IOException.class);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "text/html; charset=utf-8|UTF-8|Ä€|true",
                "text/html; charset=iso-8859-1|windows-1252|Ä€|true",
                "TEXT/HTML;Charset=\"ISO-8859-15\"|ISO-8859-15|Ä€|true",
                "text/html; charset=no-such-thing|UTF-8|Ä€|true",
                "text/html; charset=!!|windows-1252|Äh €|true",
                "text/html|UTF-8|Ä€|true",
                "text/html|windows-1252|Äh €|true",
                "text/html|UTF-16|Ä€|true",
                "text/html; charset=utf-16le|UTF-16LE|Ä€|true",
                "text/html|windows-1251|<meta charset=windows-1251>Ж|true",
                "text/html|Shift_JIS|<meta http-equiv=Content-Type content='text/html; charset=Shift_JIS'>日本|true",
                "text/html|UTF-8|<meta charset='utf-16'>Ä|true",
                "text/html|GB18030|<META CHARSET=\"gb2312\" />中|true",
                "application/xhtml+xml|ISO-8859-2|<?xml version='1.0' encoding='ISO-8859-2'?><p>ł</p>|true",
                "application/json|UTF-8|{\"a\": \"Ä\"}|false",
                "text/plain|windows-1252|<meta charset=windows-1251>Ä|false",
                "text/markdown|UTF-8|# Ä|false",
                "|UTF-8|<!-- c --> <!DOCTYPE html><p>Ä|true",
                "|UTF-8|just text|false"
            })
    void textIsReadInItsEncoding(@Nullable String type, String charset, String text, boolean html)
            throws IOException, InterruptedException {
        PageSource.Document document = fetch(LIMITS, (path, out) -> {
            say(out, "HTTP/1.1 200 OK\r\n" + (type == null ? "" : "Content-Type: " + type + "\r\n") + "\r\n");
            out.write(text.getBytes(Charset.forName(charset)));
        });
        assertThat(document.text()).isEqualTo(text);
        assertThat(document.html()).isEqualTo(html);
    }

    @Test
    void whatIsNoTextIsNotShown() {
        assertThatThrownBy(() -> fetch(LIMITS, (path, out) -> ok(out, "text/html", new byte[] {1, 2, 3, 0, 5})))
                .hasMessage("not a text, though it is said to be text/html");
        assertThatThrownBy(() -> fetch(LIMITS, (path, out) -> {
                    say(out, "HTTP/1.1 200 OK\r\n\r\n");
                    out.write(new byte[] {(byte) 0x89, 'P', 'N', 'G', 0, 0});
                }))
                .hasMessage("not a text, though it is said to be one of no type");
    }

    /** Interrupts a fetch once something has happened, and expects its end and no connection. */
    private static void interrupt(RawServer server, Fetcher fetcher, CountDownLatch when) throws Exception {
        AtomicReference<Throwable> end = new AtomicReference<>();
        Thread thread = Thread.ofPlatform().start(() -> {
            try {
                fetcher.fetch(server.url("/"));
            } catch (IOException | InterruptedException e) {
                end.set(e);
            }
        });
        assertThat(when.await(20, TimeUnit.SECONDS)).isTrue();
        thread.interrupt();
        assertThat(thread.join(Duration.ofSeconds(10))).isTrue();
        assertThat(end.get()).isInstanceOf(InterruptedException.class);
        assertNothingOpen(fetcher);
    }

    @Test
    void interruptedWhileTheNameIsLookedUp() throws Exception {
        CountDownLatch looking = new CountDownLatch(1);
        CountDownLatch answered = new CountDownLatch(1);
        try (RawServer server = new RawServer((path, out) -> ok(out, "x"));
                Fetcher fetcher = server.fetcher(LIMITS, false, host -> {
                    looking.countDown();
                    boolean interrupted = false;
                    while (true) { // as the operating system's look-up: it cannot be interrupted
                        try {
                            if (!answered.await(20, TimeUnit.SECONDS)) {
                                throw new IllegalStateException();
                            }
                            break;
                        } catch (InterruptedException e) {
                            interrupted = true;
                        }
                    }
                    if (interrupted) {
                        Thread.currentThread().interrupt();
                    }
                    return InetAddress.getAllByName("127.0.0.1");
                })) {
            AtomicReference<Throwable> end = new AtomicReference<>();
            Thread thread = Thread.ofPlatform().start(() -> {
                try {
                    fetcher.fetch(server.url("/"));
                } catch (IOException | InterruptedException e) {
                    end.set(e);
                }
            });
            assertThat(looking.await(20, TimeUnit.SECONDS)).isTrue();
            thread.interrupt();
            assertThat(thread.join(Duration.ofSeconds(10))).isTrue();
            assertThat(end.get()).isInstanceOf(InterruptedException.class);
            answered.countDown();
            assertNothingOpen(fetcher);
            assertThat(server.paths).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "HTTP/1.1 200 OK\r\nX: y\r\n", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nbody"})
    void interruptedWhileTheServerIsSilent(String before) throws Exception {
        for (boolean robots : new boolean[] {false, true}) {
            CountDownLatch said = new CountDownLatch(1);
            CountDownLatch never = new CountDownLatch(1);
            try (RawServer server = new RawServer((path, out) -> {
                        say(out, before);
                        said.countDown();
                        never.await(30, TimeUnit.SECONDS);
                    });
                    Fetcher fetcher = server.fetcher(LIMITS, robots)) {
                interrupt(server, fetcher, said);
                assertThat(server.gone.await(10, TimeUnit.SECONDS)).isTrue();
            }
            never.countDown();
        }
    }

    @Test
    void aClosedFetcherSaysSo() throws IOException {
        try (RawServer server = new RawServer((path, out) -> ok(out, "x"))) {
            Fetcher fetcher = server.fetcher(LIMITS, false);
            fetcher.close();
            assertThatThrownBy(() -> fetcher.fetch(server.url("/"))).isInstanceOf(IOException.class);
        }
    }

    private static void robots(RawServer.Page robots, String path, String expected) throws Exception {
        try (RawServer server = new RawServer((asked, out) -> {
                    if (asked.startsWith("/robots")) {
                        robots.answer(asked, out);
                    } else {
                        ok(out, "page");
                    }
                });
                Fetcher fetcher = server.fetcher(LIMITS, true)) {
            String said;
            try {
                said = fetcher.fetch(server.url(path)).text();
            } catch (IOException e) {
                said = String.valueOf(e.getMessage());
            }
            assertThat(said).contains(expected);
            assertThat(server.paths.contains(path)).isEqualTo(expected.equals("page"));
            assertNothingOpen(fetcher);
        }
    }

    @Test
    void robotsTxtIsObeyed() throws Exception {
        RawServer.Page some = (path, out) -> ok(out, "User-agent: *\nDisallow: /no\n");
        robots(some, "/yes", "page");
        robots(some, "/no/way", "robots.txt does not allow it");
        robots((path, out) -> say(out, "HTTP/1.1 404 Not Found\r\n\r\n"), "/x", "page");
        robots((path, out) -> say(out, "HTTP/1.1 403 Forbidden\r\n\r\n"), "/x", "page");
        robots(
                (path, out) -> say(out, "HTTP/1.1 503 Busy\r\n\r\n"),
                "/x",
                "/robots.txt cannot be read: status 503 Busy");
        robots((path, out) -> say(out, "rubbish"), "/x", "/robots.txt cannot be read");
        robots((path, out) -> say(out, "HTTP/1.1 302 F\r\nLocation: http://10.0.0.1/\r\n\r\n"), "/x", "not public");
        robots(
                (path, out) -> say(out, "HTTP/1.1 302 F\r\nLocation: /robots" + path.length() + "\r\n\r\n"),
                "/x",
                "page");
        robots(
                (path, out) -> {
                    if (path.equals("/robots2")) {
                        some.answer(path, out);
                    } else {
                        say(out, "HTTP/1.1 301 M\r\nLocation: /robots2\r\n\r\n");
                    }
                },
                "/no",
                "does not allow it");
        robots(
                (path, out) -> {
                    say(out, "HTTP/1.1 200 OK\r\n\r\nUser-agent: *\nDisallow: /no\n#");
                    endless(out);
                },
                "/no",
                "does not allow it");
        robots((path, out) -> ok(out, "#" + "x".repeat(512_000) + "\nUser-agent: *\nDisallow: /\n"), "/x", "page");
    }

    @Test
    void robotsTxtIsAskedForOnceAndOnlyIfWanted() throws IOException, InterruptedException {
        try (RawServer server = new RawServer((path, out) -> ok(out, "User-agent: *\nDisallow: /no"));
                Fetcher polite = server.fetcher(LIMITS, true);
                Fetcher other = server.fetcher(LIMITS, false)) {
            polite.fetch(server.url("/a"));
            polite.fetch(server.url("/b?x"));
            assertThatThrownBy(() -> polite.fetch(server.url("/no"))).hasMessageContaining("robots.txt");
            assertThat(server.paths).containsExactly("/robots.txt", "/a", "/b?x");
            other.fetch(server.url("/no"));
            assertThat(server.paths).endsWith("/no").hasSize(4);
        }
    }
}
