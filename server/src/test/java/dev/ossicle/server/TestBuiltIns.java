package dev.ossicle.server;

import static dev.ossicle.server.Scripted.array;
import static dev.ossicle.server.Scripted.at;
import static dev.ossicle.server.Scripted.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.engine.EngineOptions;
import dev.ossicle.harmony.ToolNamespace;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonObject;
import dev.ossicle.server.answer.BuiltIns;
import dev.ossicle.tools.Source;
import dev.ossicle.tools.ToolFile;
import dev.ossicle.tools.ToolOutput;
import dev.ossicle.tools.ToolSession;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tools that the server runs itself: a Python that only counts its calls, and a browser over two pages. */
@Timeout(60)
class TestBuiltIns {
    private static final String CODE = " to=python<|channel|>analysis code<|message|>";
    private static final String TOOL =
            "\"tools\": [{\"type\": \"code_interpreter\", \"container\": {\"type\": \"auto\"}}]";

    private final AtomicInteger open = new AtomicInteger();
    private final CountDownLatch hanging = new CountDownLatch(1);
    private final Scripted scripted;

    TestBuiltIns() throws IOException {
        scripted = new Scripted(
                ServerOptions.DEFAULT,
                EngineOptions.DEFAULT,
                true,
                new BuiltIns(Map.of(BuiltIns.CODE_INTERPRETER, Counter::new, BuiltIns.WEB_SEARCH, Library::new)));
    }

    @AfterEach
    void close() {
        scripted.close();
    }

    private final class Counter implements ToolSession {
        private int calls;
        private boolean closed;
        private final CountDownLatch ended = new CountDownLatch(1);

        Counter() {
            open.incrementAndGet();
        }

        @Override
        public ToolNamespace namespace() {
            return ToolNamespace.python();
        }

        @Override
        public ToolOutput call(String function, String body) throws InterruptedException {
            calls++;
            if (body.equals("hang")) {
                hanging.countDown();
                ended.await();
            }
            if (body.startsWith("write")) {
                return new ToolOutput("written", false, List.of(new ToolFile("out.txt", 4)), List.of());
            }
            return body.equals("fail") ? ToolOutput.failure("Traceback") : ToolOutput.of("call " + calls);
        }

        @Override
        public byte[] file(String name) {
            return (name + calls).getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public void close() {
            ended.countDown();
            if (!closed) {
                closed = true;
                open.decrementAndGet();
            }
        }
    }

    private final class Library implements ToolSession {
        private final List<Source> shown = new ArrayList<>();
        private boolean closed;

        Library() {
            open.incrementAndGet();
        }

        @Override
        public ToolNamespace namespace() {
            return ToolNamespace.browser();
        }

        @Override
        public ToolOutput call(String function, String body) {
            if (body.contains("nothing")) {
                return ToolOutput.failure("Error fetching");
            }
            List<Source> sources = List.of(new Source("A title", "https://a.example/" + function));
            shown.addAll(sources);
            return new ToolOutput("a page", false, List.of(), sources);
        }

        @Override
        public @Nullable Source source(int cursor) {
            return cursor < shown.size() ? shown.get(cursor) : null;
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                open.decrementAndGet();
            }
        }
    }

    private void script() {
        scripted.answer("<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant" + CODE + "x = 1<|call|>")
                .answer(CODE + "fail<|call|>")
                .says("Done.");
    }

    @Test
    void aResponseHasTheCallsAmongItsItems() throws Exception {
        script();
        EventOrder order = new EventOrder();
        scripted.events("/v1/responses", "{\"input\": \"Go\", \"stream\": true, " + TOOL + "}")
                .forEach(order::take);
        Json response = order.response();
        assertThat(array(response, "output").stream().map(item -> text(item, "type")))
                .containsExactly("reasoning", "code_interpreter_call", "code_interpreter_call", "reasoning", "message");
        assertThat(text(response, "output", 1, "code")).isEqualTo("x = 1");
        assertThat(text(response, "output", 1, "outputs", 0, "logs")).isEqualTo("call 1");
        assertThat(text(response, "output", 2, "outputs", 0, "logs")).isEqualTo("Traceback");
        assertThat(text(response, "output", 4, "content", 0, "text")).isEqualTo("Done.");
        assertThat(scripted.prompt(0)).contains("## python");
        assertThat(scripted.prompt(1))
                .contains("<|start|>python to=assistant<|channel|>analysis<|message|>call 1<|end|><|start|>assistant");

        script();
        JsonObject whole = scripted.ok("/v1/responses", "{\"input\": \"Go\", " + TOOL + "}");
        assertThat(array(whole, "output")).hasSize(5);
    }

    private static String browse(String function, String arguments) {
        return " to=browser." + function + "<|channel|>analysis code<|message|>" + arguments + "<|call|>";
    }

    private static final String SEARCH = "\"tools\": [{\"type\": \"web_search\"}, {\"type\": \"code_interpreter\"}]";

    private void research() {
        scripted.answer(browse("search", "{\"query\": \"ossicles\"}"))
                .answer(browse("open", "{\"id\": 0}"))
                .answer(browse("find", "{\"pattern\": \"stapes\"}"))
                .answer(browse("open", "{\"id\": \"https://nothing.example\"}"))
                .says("It is \uD83E\uDDB4 small\u30101\u2020L3-L4\u3011, they say\u30109\u2020L1\u3011.");
    }

    @Test
    void aResponseHasTheSearchesAmongItsItemsAndCitesThem() throws Exception {
        research();
        EventOrder order = new EventOrder();
        scripted.events(
                        "/v1/responses",
                        "{\"input\": \"Go\", \"stream\": true, \"include\": [\"web_search_call.action.sources\"], "
                                + SEARCH + "}")
                .forEach(order::take);
        Json response = order.response();
        assertThat(array(response, "output").stream()
                        .filter(item -> text(item, "type").equals("web_search_call"))
                        .map(item -> text(item, "status") + " " + at(item, "action")))
                .containsExactly(
                        "completed {\"type\":\"search\",\"query\":\"ossicles\",\"queries\":[\"ossicles\"],\"sources\":"
                                + "[{\"type\":\"url\",\"url\":\"https://a.example/search\"}]}",
                        "completed {\"type\":\"open_page\",\"url\":\"https://a.example/open\"}",
                        "completed {\"type\":\"find_in_page\",\"pattern\":\"stapes\",\"url\":\"https://a.example/find\"}",
                        "failed {\"type\":\"open_page\",\"url\":\"https://nothing.example\"}");
        String text = "It is \uD83E\uDDB4 small ([a.example](https://a.example/open)) , they say\u30109\u2020L1\u3011.";
        assertThat(text(response, "output", 5, "content", 0, "text")).isEqualTo(text);
        assertThat(order.content).hasToString(text);
        // in code points: the bone is one
        assertThat(at(response, "output", 5, "content", 0, "annotations"))
                .hasToString("[{\"type\":\"url_citation\",\"start_index\":13,\"end_index\":52,\"title\":\"A title\","
                        + "\"url\":\"https://a.example/open\"}]");
        assertThat(scripted.prompt(0)).contains("## browser").contains("## python");
        scripted.close();
        assertThat(open).hasValue(0);
    }

    @Test
    void aChatShowsWhatRanAndWhatItCites() throws Exception {
        research();
        String ask = "{\"messages\": [{\"role\": \"user\", \"content\": \"Go\"}], \"stream\": false, " + SEARCH + "}";
        JsonObject whole = scripted.ok("/v1/chat/completions", ask);
        assertThat(array(whole, "choices", 0, "message", "executed_tools")).hasSize(4);
        assertThat(at(whole, "choices", 0, "message", "executed_tools", 0))
                .hasToString("{\"index\":0,\"type\":\"browser.search\",\"arguments\":"
                        + "\"{\\\"query\\\": \\\"ossicles\\\"}\",\"output\":\"a page\"}");
        Json annotations = at(whole, "choices", 0, "message", "annotations");
        assertThat(annotations)
                .hasToString("[{\"type\":\"url_citation\",\"url_citation\":{\"start_index\":13,\"end_index\":52,"
                        + "\"title\":\"A title\",\"url\":\"https://a.example/open\"}}]");

        research();
        StringBuilder content = new StringBuilder();
        List<Json> cited = new ArrayList<>();
        List<String> ran = new ArrayList<>();
        for (Json event : scripted.events("/v1/chat/completions", ask.replace("false", "true"))) {
            content.append(text(event, "choices", 0, "delta", "content"));
            if (at(event, "choices", 0, "delta", "annotations") instanceof JsonArray some) {
                cited.addAll(some.elements());
            }
            ran.add(text(event, "choices", 0, "delta", "executed_tools", 0, "type"));
        }
        assertThat(content).hasToString(text(whole, "choices", 0, "message", "content"));
        assertThat(new JsonArray(cited)).isEqualTo(annotations);
        assertThat(ran).contains("browser.search", "browser.open", "browser.find");
    }

    /** It browses, calls a function of the client's, and still knows what it read when the result comes. */
    @Test
    void whatWasLookedUpIsPutBackBeforeACall() throws Exception {
        String tools = "\"tools\": [{\"type\": \"web_search\"}, {\"type\": \"function\", \"name\": \"f\"}]";
        scripted.answer("<|channel|>analysis<|message|>First look.<|end|><|start|>assistant"
                        + browse("search", "{\"query\": \"q\"}"))
                .calls("f", "{}");
        JsonObject first = scripted.ok("/v1/responses", "{\"input\": \"Go\", " + tools + "}");
        List<Json> input = new ArrayList<>();
        input.add(Json.parse("{\"role\": \"user\", \"content\": \"Go\"}"));
        input.addAll(array(first, "output"));
        String call = text(first, "output", 3, "call_id");
        input.add(Json.parse(
                "{\"type\": \"function_call_output\", \"call_id\": \"" + call + "\", \"output\": \"seven\"}"));
        scripted.says("Done.").ok("/v1/responses", "{\"input\": " + new JsonArray(input) + ", " + tools + "}");
        assertThat(scripted.prompt(2))
                .endsWith(
                        "<|start|>assistant<|channel|>analysis<|message|>First look.<|end|>"
                                + "<|start|>assistant to=browser.search<|channel|>analysis code<|message|>{\"query\": \"q\"}<|call|>"
                                + "<|start|>browser.search to=assistant<|channel|>analysis<|message|>a page<|end|>"
                                + "<|start|>assistant<|channel|>analysis<|message|>I need it.<|end|>"
                                + "<|start|>assistant to=functions.f<|channel|>commentary <|constrain|>json<|message|>{}<|call|>"
                                + "<|start|>functions.f to=assistant<|channel|>commentary<|message|>seven<|end|><|start|>assistant");
    }

    /** Variables are the conversation's: the same Python answers again, until nobody can go on from it. */
    @Test
    void whatGoesOnFromAResponseUsesItsTools() throws Exception {
        scripted.answer(CODE + "x<|call|>").says("One.");
        String first = text(scripted.ok("/v1/responses", "{\"input\": \"Go\", " + TOOL + "}"), "id");
        assertThat(open).hasValue(1);
        scripted.answer(CODE + "x<|call|>").says("Two.");
        String on = "{\"input\": \"On\", \"previous_response_id\": \"" + first + "\", " + TOOL + "}";
        Json second = scripted.ok("/v1/responses", on);
        assertThat(text(second, "output", 0, "outputs", 0, "logs")).isEqualTo("call 2");
        scripted.answer(CODE + "x<|call|>").says("Again, from the first.");
        assertThat(text(scripted.ok("/v1/responses", on), "output", 0, "outputs", 0, "logs"))
                .isEqualTo("call 1");
        assertThat(open).hasValue(2);
        scripted.close();
        assertThat(open).hasValue(0);
    }

    @Test
    void filesAreKeptForTheClient() throws Exception {
        scripted.answer(CODE + "write<|call|>").answer(CODE + "write<|call|>").says("Made.");
        EventOrder order = new EventOrder();
        scripted.events("/v1/responses", "{\"input\": \"Go\", \"stream\": true, " + TOOL + "}")
                .forEach(order::take);
        List<Json> annotations = array(order.response(), "output", 3, "content", 0, "annotations");
        String container = text(order.response(), "output", 0, "container_id");
        Json last = annotations.getLast();
        assertThat(text(last, "type")).isEqualTo("container_file_citation");
        assertThat(text(last, "container_id")).isEqualTo(container);
        String path = "/v1/containers/" + container + "/files";
        Json list = Json.parse(scripted.get(path).body());
        assertThat(array(list, "data")).hasSize(1); // the second replaced the first
        assertThat(text(list, "data", 0, "path")).isEqualTo("/mnt/data/out.txt");
        assertThat(scripted.get(path + "/" + text(last, "file_id") + "/content").body())
                .isEqualTo("out.txt2");
        assertThat(scripted.get(path.replace("cntr_", "cntr_0") + "/" + text(last, "file_id"))
                        .statusCode())
                .isEqualTo(404);
    }

    @Test
    void aChatGetsTheAnswer() throws Exception {
        script();
        JsonObject answer = scripted.ok(
                "/v1/chat/completions", "{\"messages\": [{\"role\": \"user\", \"content\": \"Go\"}], " + TOOL + "}");
        assertThat(text(answer, "choices", 0, "message", "content")).isEqualTo("Done.");
        assertThat(text(answer, "choices", 0, "finish_reason")).isEqualTo("stop");
        assertThat(open).hasValue(0); // nothing can go on from it
    }

    /** It would rather compute, and may not. */
    @Test
    void nothingRunsThatMayNot() throws Exception {
        script();
        JsonObject response = scripted.ok(
                "/v1/responses",
                "{\"input\": \"Go\", \"tool_choice\": \"none\", \"max_output_tokens\": 200, " + TOOL + "}");
        assertThat(array(response, "output").stream().map(item -> text(item, "type")))
                .doesNotContain("code_interpreter_call");
        assertThat(scripted.prompt(0)).contains("## python");
    }

    @Test
    void whatHangsEndsWithItsClient() throws Exception {
        scripted.answer(CODE + "hang<|call|>");
        Thread client = Thread.startVirtualThread(() -> {
            try {
                scripted.post("/v1/responses", "{\"input\": \"Go\", \"stream\": true, " + TOOL + "}");
            } catch (IOException | InterruptedException e) {
                // the server is gone
            }
        });
        hanging.await();
        client.interrupt(); // the client goes, and is noticed
        while (open.get() > 0) {
            Thread.yield();
        }
    }

    @Test
    void withoutBeingAskedNothingRuns() throws Exception {
        scripted.says("No.");
        assertThat(text(scripted.ok("/v1/responses", "{\"input\": \"Go\"}"), "output", 1, "content", 0, "text"))
                .isEqualTo("No.");
        assertThat(scripted.prompt(0)).doesNotContain("python");
        try (Scripted plain = new Scripted()) {
            var response = plain.says("No.").post("/v1/responses", "{\"input\": \"Go\", " + TOOL + "}");
            assertThat(response.headers().firstValue("x-ossicle-ignored")).hasValue("tools[0] (code_interpreter)");
            assertThat(at(Json.parse(response.body()), "output")).isNotNull();
            assertThat(List.of(plain.prompt(0))).noneMatch(prompt -> prompt.contains("## python"));
        }
    }
}
