package dev.ossicle.server;

import static dev.ossicle.server.Scripted.array;
import static dev.ossicle.server.Scripted.at;
import static dev.ossicle.server.Scripted.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.engine.EngineOptions;
import dev.ossicle.harmony.ToolNamespace;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import dev.ossicle.server.answer.BuiltIns;
import dev.ossicle.tools.ToolOutput;
import dev.ossicle.tools.ToolSession;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Python that the server runs itself, here one that only counts its calls. */
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
                new BuiltIns(Map.of(BuiltIns.CODE_INTERPRETER, Counter::new)));
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
            return body.equals("fail") ? ToolOutput.failure("Traceback") : ToolOutput.of("call " + calls);
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
        assertThat(open).hasValue(0);

        script();
        JsonObject whole = scripted.ok("/v1/responses", "{\"input\": \"Go\", " + TOOL + "}");
        assertThat(array(whole, "output")).hasSize(5);
    }

    @Test
    void aChatGetsTheAnswer() throws Exception {
        script();
        JsonObject answer = scripted.ok(
                "/v1/chat/completions", "{\"messages\": [{\"role\": \"user\", \"content\": \"Go\"}], " + TOOL + "}");
        assertThat(text(answer, "choices", 0, "message", "content")).isEqualTo("Done.");
        assertThat(text(answer, "choices", 0, "finish_reason")).isEqualTo("stop");
        assertThat(open).hasValue(0);
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
