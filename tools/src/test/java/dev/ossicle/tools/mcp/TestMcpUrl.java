package dev.ossicle.tools.mcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import dev.ossicle.tools.ToolOutput;
import dev.ossicle.tools.browser.AddressGuard;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Servers behind URLs, played by the JDK's own HTTP server. */
@Timeout(60)
class TestMcpUrl {
    private static final McpLimits LIMITS = McpLimits.DEFAULT.withMessage(1 << 20);

    private final HttpServer http;
    private final List<String> heard = new CopyOnWriteArrayList<>();
    private final CountDownLatch waiting = new CountDownLatch(1);
    private final CountDownLatch over = new CountDownLatch(1);
    private volatile String manner = "json";
    private @Nullable McpServer server;

    TestMcpUrl() throws IOException {
        http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        http.createContext("/mcp", this::answer);
        http.start();
    }

    @AfterEach
    void close() {
        over.countDown();
        if (server != null) {
            server.close();
        }
        http.stop(0);
    }

    private URI uri() {
        return URI.create("http://127.0.0.1:" + http.getAddress().getPort() + "/mcp");
    }

    private McpSession session(McpLimits limits) throws McpException, InterruptedException {
        McpServer opened =
                new McpServer("web", McpAddress.Url.trusted(uri(), Map.of("Authorization", "Bearer k")), limits);
        server = opened;
        return new McpSession(opened);
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            var headers = exchange.getRequestHeaders();
            if (exchange.getRequestMethod().equals("DELETE")) {
                heard.add("DELETE " + headers.getFirst("Mcp-Session-Id"));
                exchange.sendResponseHeaders(204, -1);
                return;
            }
            JsonObject message = (JsonObject) Json.parse(body);
            String method = message.get("method") instanceof JsonString name ? name.value() : "";
            heard.add(method + " " + headers.getFirst("Authorization") + " " + headers.getFirst("Mcp-Session-Id") + " "
                    + headers.getFirst("MCP-Protocol-Version"));
            switch (manner) {
                case "401" -> plain(exchange, 401, "no key");
                case "404" -> plain(exchange, 404, "Cannot POST");
                case "500" -> plain(exchange, 500, "oops");
                case "html" -> plain(exchange, 200, "<html>");
                case "redirect" -> {
                    exchange.getResponseHeaders().set("Location", "http://127.0.0.1:1/elsewhere");
                    exchange.sendResponseHeaders(307, -1);
                }
                default -> speak(exchange, method, message.get("id"));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void plain(HttpExchange exchange, int status, String text) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", "text/html");
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    private void speak(HttpExchange exchange, String method, @Nullable Json id)
            throws IOException, InterruptedException {
        if (id == null) {
            exchange.sendResponseHeaders(202, -1);
            return;
        }
        boolean call = method.equals("tools/call");
        String result = switch (method) {
            case "initialize" ->
                "{\"protocolVersion\": \"2025-03-26\", \"capabilities\": {\"tools\": {}}, \"serverInfo\": {\"name\": \"w\", \"version\": \"1\"}}";
            case "tools/list" ->
                "{\"tools\": [{\"name\": \"do\", \"inputSchema\": {\"type\": \"object\", \"properties\": {\"x\": {\"type\": \"string\"}}}}]}";
            default ->
                "{\"content\": [{\"type\": \"text\", \"text\": \""
                        + (manner.startsWith("huge") ? "h".repeat(2 << 20) : "done") + "\"}]}";
        };
        String json = "{\"jsonrpc\": \"2.0\", \"id\": " + id + ", \"result\": " + result + "}";
        exchange.getResponseHeaders().set("Mcp-Session-Id", "s1");
        if (call && manner.equals("forgets")) {
            exchange.sendResponseHeaders(404, -1);
            return;
        }
        boolean events = manner.contains("events") || manner.equals("open");
        exchange.getResponseHeaders().set("Content-Type", events ? "text/event-stream" : "application/json");
        exchange.sendResponseHeaders(200, 0);
        OutputStream out = exchange.getResponseBody();
        if (call && manner.equals("cut events")) {
            out.write("event: message\ndata: {\"jsonrpc\"".getBytes(StandardCharsets.UTF_8));
            return;
        }
        if (call && manner.equals("slow events")) {
            out.write(": soon\n\n".getBytes(StandardCharsets.UTF_8));
            out.flush();
            waiting.countDown();
            over.await();
            return;
        }
        String more = events
                ? ": hello\r\n\r\nid: 1\ndata:\n\nevent: message\ndata: {\"jsonrpc\": \"2.0\",\ndata: \"method\":"
                        + " \"notifications/progress\", \"params\": {\"progressToken\": 1, \"progress\": 0.5}}\n\n"
                        + "event: message\nid: 2\ndata: " + json + "\n\n"
                : json;
        out.write(more.getBytes(StandardCharsets.UTF_8));
        out.flush();
        if (manner.equals("open")) {
            over.await(); // the answer is there, and the stream stays
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"json", "events", "open"})
    void aCallIsAnswered(String how) throws Exception {
        manner = how;
        McpSession session = session(LIMITS);
        assertThat(session.call("web__do", "{\"x\": \"y\"}")).isEqualTo(ToolOutput.of("done"));
        assertThat(heard)
                .containsExactly(
                        "initialize Bearer k null null",
                        "notifications/initialized Bearer k s1 2025-03-26",
                        "tools/list Bearer k s1 2025-03-26",
                        "tools/call Bearer k s1 2025-03-26");
        if (server != null) {
            server.close();
        }
        assertThat(heard.getLast()).isEqualTo("DELETE s1");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "401      | answered with status 401 (it wants another key: see its authorization header): no key",
                "404      | answered with status 404 (is this the URL of its streamable HTTP?",
                "500      | answered with status 500: oops",
                "html     | answered with text/html instead of JSON or an event stream",
                "redirect | redirects to http://127.0.0.1:1/elsewhere, which is not followed",
            })
    void whatDoesNotBeginIsSaid(String how, String said) {
        manner = how;
        assertThatThrownBy(() -> session(LIMITS))
                .isInstanceOf(McpException.class)
                .hasMessageStartingWith("MCP server web ")
                .hasMessageContaining(said);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "huge        | sent a message of more than 1048576 bytes",
                "huge events | sent a message of more than 1048576 bytes",
                "cut events  | ended its answer before it was complete",
                "slow events | did not answer the call of do within 0.5 seconds",
                "forgets     | has forgotten this session",
                "500         | answered with status 500: oops",
            })
    void whatGoesWrongIsAnOutput(String how, String said) throws Exception {
        McpSession session = session(how.startsWith("slow") ? LIMITS.withCall(Duration.ofMillis(500)) : LIMITS);
        manner = how;
        ToolOutput output = session.call("web__do", "{}");
        assertThat(output.failed()).isTrue();
        assertThat(output.text()).startsWith("error: MCP server web ").contains(said);
        manner = "json";
        assertThat(session.call("web__do", "{}")).isEqualTo(ToolOutput.of("done"));
    }

    @Test
    void anInterruptedCallIsCancelled() throws Exception {
        McpSession session = session(LIMITS);
        manner = "slow events";
        Thread caller = Thread.ofVirtual().start(() -> {
            try {
                session.call("web__do", "{}");
            } catch (InterruptedException e) {
                // as it should be
            }
        });
        waiting.await();
        caller.interrupt();
        caller.join();
        while (!heard.getLast().startsWith("notifications/cancelled")) {
            Thread.onSpinWait();
        }
    }

    /** An address of this machine, of its network, of a cloud's metadata: none is connected to if a request names it. */
    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254", "[fd00::1]", "0.0.0.0"})
    void theGuardIsAskedForEveryConnection(String host) {
        URI inside = URI.create("http://" + host + ":" + http.getAddress().getPort() + "/mcp");
        McpServer guarded = new McpServer("theirs", new McpAddress.Url(inside, Map.of(), new AddressGuard()), LIMITS);
        assertThatThrownBy(guarded::tools).hasMessageContaining("not public");
        assertThat(heard).isEmpty();
        guarded.close();
    }

    @Test
    void addressesAreChecked() {
        for (String bad : List.of("ftp://a.org/", "mcp", "http:///x", "https://user:secret@a.org/")) {
            assertThatThrownBy(() -> McpAddress.Url.trusted(URI.create(bad), Map.of()))
                    .hasMessageContaining("is no URL of an MCP server");
        }
        assertThatThrownBy(() -> McpAddress.Url.trusted(uri(), Map.of("X", "secret\r\nHost: evil")))
                .hasMessage("\"X\" is no header that can be sent");
    }
}
