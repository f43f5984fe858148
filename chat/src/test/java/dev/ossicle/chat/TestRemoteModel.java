package dev.ossicle.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.ossicle.chat.ChatEvent.Done;
import dev.ossicle.chat.ChatEvent.Finish;
import dev.ossicle.chat.ChatEvent.Reasoning;
import dev.ossicle.chat.ChatEvent.Text;
import dev.ossicle.chat.ChatEvent.ToolCall;
import dev.ossicle.harmony.ReasoningEffort;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonObject;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Against recorded dialects: what vLLM, llama.cpp and OpenRouter send for such requests. */
@Timeout(60)
class TestRemoteModel {
    private record Reply(int status, String body, @Nullable CountDownLatch hold) {}

    private final Queue<Reply> replies = new ArrayDeque<>();
    private final List<JsonObject> requests = new ArrayList<>();
    private final List<String> keys = new ArrayList<>();
    private HttpServer server;

    @SuppressWarnings("NullAway.Init") // set before each test
    TestRemoteModel() {}

    @BeforeEach
    void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/v1/chat/completions", this::answer);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private void answer(HttpExchange exchange) throws IOException {
        requests.add(
                (JsonObject) Json.parse(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)));
        keys.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
        Reply reply = replies.remove();
        exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
        exchange.sendResponseHeaders(reply.status(), 0);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(reply.body().getBytes(StandardCharsets.UTF_8));
            out.flush();
            if (reply.hold() != null) {
                reply.hold().await();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private ChatModel model() {
        URI base = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/v1/");
        return ChatModel.remote(base, "gpt-oss-120b", "secret");
    }

    private void reply(String... chunks) {
        StringBuilder body = new StringBuilder(": ping\n\n");
        for (String chunk : chunks) {
            body.append("data: ").append(chunk).append("\n\n");
        }
        replies.add(new Reply(200, body.append("data: [DONE]\n\n").toString(), null));
    }

    private static String delta(String delta) {
        return "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":" + delta
                + ",\"finish_reason\":null}]}";
    }

    private static String finish(String reason) {
        return "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"" + reason + "\"}]}";
    }

    @Test
    void reasoningAndTextStreamApart() {
        reply(
                delta("{\"role\":\"assistant\",\"content\":\"\"}"),
                delta("{\"reasoning\":\"Think\"}"),
                delta("{\"reasoning_content\":\"ing.\"}"),
                delta("{\"content\":\"Hé\"}"),
                delta("{\"content\":\"llo\",\"reasoning\":null}"),
                finish("stop"),
                "{\"choices\":[],\"usage\":{\"prompt_tokens\":70,\"completion_tokens\":9,"
                        + "\"prompt_tokens_details\":{\"cached_tokens\":64},\"completion_tokens_details\":{\"reasoning_tokens\":4}}}");
        try (ChatModel model = model()) {
            assertThat(model.name()).isEqualTo("gpt-oss-120b at 127.0.0.1");
            List<ChatEvent> events = new ArrayList<>();
            model.chat()
                    .instructions("Be brief.")
                    .options(
                            ChatOptions.DEFAULT.withEffort(ReasoningEffort.HIGH).withSeed(7))
                    .ask("Hi")
                    .forEach(events::add);
            assertThat(events)
                    .startsWith(
                            new Reasoning("Think"),
                            new Reasoning("ing."),
                            new Text("Hé", false),
                            new Text("llo", false));
            Done done = (Done) events.getLast();
            assertThat(done.finish()).isEqualTo(Finish.STOP);
            assertThat(done.usage().promptTokens()).isEqualTo(70);
            assertThat(done.usage().cachedTokens()).isEqualTo(64);
            assertThat(done.usage().reasoningTokens()).isEqualTo(4);
        }
        JsonObject request = requests.getFirst();
        assertThat(request.get("model")).isEqualTo(Json.of("gpt-oss-120b"));
        assertThat(request.get("reasoning_effort")).isEqualTo(Json.of("high"));
        assertThat(request.get("seed")).isEqualTo(Json.of(7));
        assertThat(request.get("messages"))
                .hasToString(
                        "[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":\"Hi\"}]");
        assertThat(keys).containsExactly("Bearer secret");
    }

    @Test
    void callsInPiecesAndInParallelAreAnswered() {
        reply(
                delta("{\"reasoning\":\"Two.\"}"),
                delta(
                        "{\"tool_calls\":[{\"index\":0,\"id\":\"x\",\"type\":\"function\",\"function\":{\"name\":\"add\",\"arguments\":\"\"}}]}"),
                delta("{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\":\"}}]}"),
                delta("{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"1}\"}}]}"),
                delta(
                        "{\"tool_calls\":[{\"index\":1,\"id\":\"y\",\"function\":{\"name\":\"nope\",\"arguments\":\"{}\"}}]}"),
                finish("tool_calls"));
        reply(delta("{\"content\":\"Two.\"}"), finish("stop"));
        try (ChatModel model = model()) {
            Chat chat = model.chat().tools(Tool.of("add", "Adds one", null, arguments -> "got " + arguments));
            List<ChatEvent> events = new ArrayList<>();
            chat.ask("One and one?").forEach(events::add);
            assertThat(events.stream().filter(ToolCall.class::isInstance).map(e -> ((ToolCall) e).arguments()))
                    .containsExactly("{\"a\":1}", "{}");
        }
        JsonArray messages = (JsonArray) requests.get(1).get("messages");
        assertThat(String.valueOf(messages))
                .isEqualTo(
                        "[{\"role\":\"user\",\"content\":\"One and one?\"},"
                                + "{\"role\":\"assistant\",\"content\":\"\",\"reasoning\":\"Two.\",\"tool_calls\":["
                                + "{\"id\":\"call_0\",\"type\":\"function\",\"function\":{\"name\":\"add\",\"arguments\":\"{\\\"a\\\":1}\"}},"
                                + "{\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"nope\",\"arguments\":\"{}\"}}]},"
                                + "{\"role\":\"tool\",\"content\":\"got {\\\"a\\\":1}\",\"tool_call_id\":\"call_0\"},"
                                + "{\"role\":\"tool\",\"content\":\"error: there is no function nope; there are: add\",\"tool_call_id\":\"call_1\"}]");
        assertThat(String.valueOf(requests.get(0).get("tools"))).contains("\"name\":\"add\"");
    }

    @Test
    void whatAHostDoesWrongIsSaid() {
        replies.add(new Reply(401, "{\"error\":{\"message\":\"bad key\",\"type\":\"x\"}}", null));
        replies.add(new Reply(404, "<html>nothing</html>", null));
        replies.add(new Reply(200, "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}\n\n", null));
        replies.add(new Reply(200, "data: {oops\n\n", null));
        replies.add(new Reply(200, "data: {\"error\":{\"message\":\"overloaded\"}}\n\n", null));
        try (ChatModel model = model()) {
            for (String message : List.of(
                    "127.0.0.1 answered 401: bad key (is the key",
                    "127.0.0.1 answered 404: <html>nothing</html> (is the address",
                    "the connection to 127.0.0.1 ended before the answer did",
                    "127.0.0.1 sent what is not JSON",
                    "127.0.0.1 failed: overloaded")) {
                assertThatThrownBy(() -> model.chat().ask("Hi").text())
                        .isInstanceOf(ChatException.class)
                        .hasMessageContaining(message);
            }
        }
        server.stop(0);
        try (ChatModel model = model()) {
            assertThatThrownBy(() -> model.chat().ask("Hi").text())
                    .isInstanceOf(ChatException.class)
                    .hasMessageContaining("the connection to 127.0.0.1 failed");
        }
        assertThatThrownBy(() -> ChatModel.remote(URI.create("host/v1"), "m", null))
                .hasMessageContaining("expected https://host/v1");
    }

    @Test
    void cancellingEndsAStreamThatIsSilent() throws InterruptedException {
        CountDownLatch hold = new CountDownLatch(1);
        replies.add(new Reply(200, "data: " + delta("{\"content\":\"Hel\"}") + "\n\n", hold));
        try (ChatModel model = model()) {
            Answer answer = model.chat().ask("Hi");
            assertThat(answer.next()).isEqualTo(new Text("Hel", false));
            Thread.ofVirtual().start(answer::cancel);
            assertThat(answer.done().finish()).isEqualTo(Finish.CANCELLED);
        } finally {
            hold.countDown();
        }
    }
}
