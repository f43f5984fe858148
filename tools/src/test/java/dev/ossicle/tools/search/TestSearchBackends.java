package dev.ossicle.tools.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.ossicle.json.Json;
import dev.ossicle.tools.browser.BrowserSession;
import dev.ossicle.tools.browser.PageSource.Document;
import dev.ossicle.tools.browser.SearchBackend.Hit;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against a server that answers as the services' documents say, and otherwise. */
@Timeout(60)
class TestSearchBackends {
    private static final Map<String, String> KEYS = Map.of("EXA_API_KEY", " secret ", "YDC_API_KEY", "secret");
    private static final Duration TIME = Duration.ofSeconds(20);

    private final List<String> requests = Collections.synchronizedList(new ArrayList<>());
    private final List<HttpExchange> exchanges = Collections.synchronizedList(new ArrayList<>());
    private final CountDownLatch asked = new CountDownLatch(1);
    private HttpServer server;
    private volatile int status = 200;
    private volatile String answer = "{}";

    @BeforeEach
    void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            requests.add(
                    exchange.getRequestMethod() + " " + exchange.getRequestURI() + (body.isEmpty() ? "" : " " + body));
            exchanges.add(exchange);
            asked.countDown();
            byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
            if (answer.equals("silence")) {
                return;
            }
            exchange.getResponseHeaders().set("Location", "http://127.0.0.1:1/");
            exchange.sendResponseHeaders(status, answer.equals("endless") ? 0 : bytes.length == 0 ? -1 : bytes.length);
            try (OutputStream out = exchange.getResponseBody()) {
                do {
                    out.write(bytes);
                } while (answer.equals("endless"));
            }
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private String base() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private ExaBackend exa() {
        return new ExaBackend(KEYS, base(), TIME);
    }

    private YouComBackend you() {
        return new YouComBackend(KEYS, base(), TIME);
    }

    @Test
    void exaSearches() throws IOException, InterruptedException {
        answer = """
                {"requestId": "r", "results": [
                  {"id": "1", "title": "First", "url": "https://a.org/", "summary": "About A", "text": "long", "score": 0.3},
                  {"title": null, "url": "https://b.org/", "publishedDate": "2026-01-01"}
                ], "costDollars": {"total": 0.005}}""";
        try (ExaBackend exa = exa()) {
            assertThat(exa.search("what \"is\" it", 20))
                    .containsExactly(new Hit("First", "https://a.org/", "About A"), new Hit("", "https://b.org/", ""));
        }
        assertThat(requests.getFirst()).startsWith("POST /search ");
        assertThat(Json.parse(requests.getFirst().substring(13)))
                .isEqualTo(Json.parse("{\"query\": \"what \\\"is\\\" it\", \"numResults\": 20,"
                        + " \"contents\": {\"text\": true, \"summary\": true}}"));
        assertThat(exchanges.getFirst().getRequestHeaders().getFirst("x-api-key"))
                .isEqualTo("secret");
        assertThat(exchanges.getFirst().getRequestHeaders().getFirst("User-Agent"))
                .isEqualTo("Ossicle");
        assertThat(exchanges.getFirst().getRequestHeaders().getFirst("Content-Type"))
                .isEqualTo("application/json");
    }

    @Test
    void exaBringsPages() throws IOException, InterruptedException {
        answer =
                "{\"results\": [{\"title\": \"T\", \"url\": \"https://a.org/\", \"text\": \"<p>x <a href='/y'>y</a></p>\"}]}";
        try (ExaBackend exa = exa()) {
            assertThat(exa.fetch("https://a.org/"))
                    .isEqualTo(new Document("https://a.org/", "T", "<p>x <a href='/y'>y</a></p>", true));
            assertThat(Json.parse(requests.getFirst().substring("POST /contents ".length())))
                    .isEqualTo(Json.parse("{\"urls\": [\"https://a.org/\"], \"text\": {\"includeHtmlTags\": true}}"));
            answer = "{\"results\": []}";
            assertThatThrownBy(() -> exa.fetch("https://a.org/")).hasMessage("No contents returned for https://a.org/");
            BrowserSession browser = new BrowserSession(exa, exa);
            assertThat(browser.call("open", "{\"id\": \"https://a.org/\"}").text())
                    .isEqualTo("Error fetching URL `https://a.org/`: No contents returned for https://a.org/");
        }
    }

    @Test
    void youSearches() throws IOException, InterruptedException {
        answer = """
                {"results": {
                  "news": [{"title": "N", "url": "https://n.org/", "description": "News"}],
                  "web": [{"title": "W", "url": "https://w.org/", "description": "d",
                           "snippets": ["one's", "two \\"x\\"", "both ' and \\"", "a\\\\b\\n\\u00e9\\u200b\\ud83d\\ude00"]},
                          {"title": "V", "url": "https://v.org/"}]
                 }, "metadata": {"query": "q"}}""";
        try (YouComBackend you = you()) {
            assertThat(you.search("a b&c=ü", 20))
                    .containsExactly(
                            new Hit(
                                    "W",
                                    "https://w.org/",
                                    "[\"one's\", 'two \"x\"', 'both \\' and \"', 'a\\\\b\\n\u00e9\\u200b\uD83D\uDE00']"),
                            new Hit("V", "https://v.org/", "[]"),
                            new Hit("N", "https://n.org/", "News"));
        }
        assertThat(requests).containsExactly("GET /v1/search?query=a%20b%26c%3D%C3%BC&count=20");
        assertThat(exchanges.getFirst().getRequestHeaders().getFirst("x-api-key"))
                .isEqualTo("secret");
    }

    @Test
    void youBringsPages() throws IOException, InterruptedException {
        answer = "[{\"url\": \"https://a.org/\", \"title\": \"T\", \"html\": \"<p>x</p>\"}]";
        try (YouComBackend you = you()) {
            assertThat(you.fetch("https://a.org/")).isEqualTo(new Document("https://a.org/", "T", "<p>x</p>", true));
            assertThat(Json.parse(requests.getFirst().substring("POST /v1/contents ".length())))
                    .isEqualTo(Json.parse("{\"urls\": [\"https://a.org/\"], \"livecrawl_formats\": \"html\"}"));
            answer = "[]";
            assertThatThrownBy(() -> you.fetch("https://a.org/")).hasMessage("No contents returned for https://a.org/");
            answer = "[{\"url\": \"https://a.org/\", \"html\": null}]";
            assertThatThrownBy(() -> you.fetch("https://a.org/")).hasMessage("No HTML returned for https://a.org/");
        }
    }

    @Test
    void searxngSearches() throws IOException, InterruptedException {
        answer = """
                {"query": "q", "number_of_results": 0, "results": [
                  {"url": "https://a.org/", "title": "A", "content": "about a", "engine": "x", "score": 1.0},
                  {"url": "https://b.org/", "title": "B", "content": null},
                  {"url": "https://c.org/", "title": "C", "content": "c"}
                ], "answers": [], "infoboxes": []}""";
        try (SearxngBackend searxng = new SearxngBackend(base() + "/sub/")) {
            assertThat(searxng.search("q r", 2))
                    .containsExactly(new Hit("A", "https://a.org/", "about a"), new Hit("B", "https://b.org/", ""));
            assertThat(requests).containsExactly("GET /sub/search?q=q%20r&format=json");
            status = 403;
            answer = "<html>forbidden</html>";
            assertThatThrownBy(() -> searxng.search("q", 2)).hasMessageContaining("json under search.formats");
        }
        assertThatThrownBy(() -> new SearxngBackend("localhost:8888")).hasMessageContaining("http://localhost:8888");
        assertThatThrownBy(() -> new SearxngBackend("ftp://x/")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new SearxngBackend("")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aMissingKeyIsSaid() {
        assertThatThrownBy(() -> new ExaBackend(Map.of())).hasMessage("EXA_API_KEY is not set");
        assertThatThrownBy(() -> new YouComBackend(Map.of("YDC_API_KEY", " "))).hasMessage("YDC_API_KEY is not set");
    }

    @Test
    void errorsAreSaid() {
        try (ExaBackend exa = exa();
                YouComBackend you = you()) {
            status = 401;
            answer = "{\"error\": \"bad key\"}";
            assertThatThrownBy(() -> exa.search("q", 5)).hasMessage("ExaBackend error 401: {\"error\": \"bad key\"}");
            assertThatThrownBy(() -> you.search("q", 5))
                    .hasMessage("YouComBackend error 401: {\"error\": \"bad key\"}");
            status = 302;
            assertThatThrownBy(() -> exa.search("q", 5)).hasMessageStartingWith("ExaBackend error 302");
            status = 500;
            answer = "x".repeat(100_000);
            assertThatThrownBy(() -> you.fetch("https://a.org/")).message().hasSizeLessThan(2100);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x", "[", "{\"results\": ", "\0", "<html>"})
    void whatIsNoJsonIsSaid(String text) {
        answer = text;
        try (ExaBackend exa = exa()) {
            assertThatThrownBy(() -> exa.search("q", 5))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("ExaBackend");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "[]",
                "null",
                "3",
                "{\"results\": null}",
                "{\"results\": 3}",
                "{\"results\": [1, null, \"x\"]}"
            })
    void otherJsonIsNothingFound(String text) throws IOException, InterruptedException {
        answer = text;
        try (ExaBackend exa = exa();
                YouComBackend you = you();
                SearxngBackend searxng = new SearxngBackend(base())) {
            assertThat(exa.search("q", 5)).isEmpty();
            assertThat(you.search("q", 5)).isEmpty();
            assertThat(searxng.search("q", 5)).isEmpty();
            assertThatThrownBy(() -> exa.fetch("https://a.org/")).hasMessageStartingWith("No contents returned");
            assertThatThrownBy(() -> you.fetch("https://a.org/")).hasMessageStartingWith("No contents returned");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"file:///etc/passwd", "http://user:pw@a.org/", "http://a.org:22/", ""})
    void onlyTheWebIsAskedFor(String url) {
        try (ExaBackend exa = exa();
                YouComBackend you = you()) {
            assertThatThrownBy(() -> exa.fetch(url)).isInstanceOf(IOException.class);
            assertThatThrownBy(() -> you.fetch(url)).isInstanceOf(IOException.class);
            assertThat(requests).isEmpty();
        }
    }

    @Test
    void silenceAndEndlessnessEnd() {
        try (ExaBackend exa = new ExaBackend(KEYS, base(), Duration.ofMillis(300))) {
            answer = "silence";
            assertThatThrownBy(() -> exa.search("q", 5)).hasMessage("ExaBackend did not answer within 0.3 seconds");
        }
        try (ExaBackend exa = exa()) {
            answer = "endless";
            assertThatThrownBy(() -> exa.search("q", 5)).hasMessageContaining("has more than");
            server.stop(0);
            assertThatThrownBy(() -> exa.search("q", 5)).hasMessageStartingWith("ExaBackend cannot be reached");
        }
    }

    @Test
    void aSearchCanBeInterrupted() throws InterruptedException {
        answer = "silence";
        try (ExaBackend exa = exa()) {
            AtomicReference<Throwable> end = new AtomicReference<>();
            Thread thread = Thread.ofPlatform().start(() -> {
                try {
                    exa.search("q", 5);
                } catch (IOException | InterruptedException e) {
                    end.set(e);
                }
            });
            assertThat(asked.await(20, TimeUnit.SECONDS)).isTrue();
            thread.interrupt();
            assertThat(thread.join(Duration.ofSeconds(10))).isTrue();
            assertThat(end.get()).isInstanceOf(InterruptedException.class);
        }
    }
}
