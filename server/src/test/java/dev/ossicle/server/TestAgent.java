package dev.ossicle.server;

import static dev.ossicle.server.Scripted.array;
import static dev.ossicle.server.Scripted.at;
import static dev.ossicle.server.Scripted.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ossicle.engine.EngineOptions;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonObject;
import dev.ossicle.server.answer.BuiltIns;
import dev.ossicle.tools.browser.BrowserSession;
import dev.ossicle.tools.documents.DocumentFolder;
import dev.ossicle.tools.documents.IndexProgress;
import dev.ossicle.tools.patch.ApplyPatchSession;
import dev.ossicle.tools.patch.Workspace;
import dev.ossicle.tools.python.BubblewrapSandbox;
import dev.ossicle.tools.python.PythonLimits;
import dev.ossicle.tools.python.PythonSession;
import dev.ossicle.tools.python.Sandboxes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A task of many steps with the real tools and a model that says what the test has it say: the server searches, opens, finds and
 * computes, the client patches its file, and the answer cites what the server read before.
 */
@Timeout(120)
class TestAgent {
    private static final String BROWSE = "<|channel|>analysis code<|message|>";
    private static final String PATCH =
            "*** Begin Patch\n*** Update File: report.txt\n@@\n-travel: ?\n+travel: 395\n*** End Patch";
    private static final String ANSWER =
            "We spent 395 euros ([documents.internal](https://documents.internal/travel.md)) .";

    @TempDir
    private Path folder;

    private DocumentFolder documents;
    private Scripted scripted;

    @SuppressWarnings("NullAway.Init") // before each test
    TestAgent() {}

    @BeforeEach
    void start() throws Exception {
        Optional<String> problem = Sandboxes.problem(new BubblewrapSandbox());
        assumeTrue(problem.isEmpty(), () -> "python cannot run here: " + problem.orElse(""));
        Files.writeString(
                Files.createDirectory(folder.resolve("documents")).resolve("travel.md"),
                "# Travel in May\n\nThe train to Graz was 84 euros.\nThe hotel was 311 euros.\n");
        Files.writeString(Files.createDirectory(folder.resolve("work")).resolve("report.txt"), "travel: ?\n");
        documents = DocumentFolder.open(folder.resolve("documents"), IndexProgress.NONE);
        scripted = new Scripted(
                ServerOptions.DEFAULT,
                EngineOptions.DEFAULT,
                true,
                new BuiltIns(Map.of(
                        BuiltIns.CODE_INTERPRETER,
                        () -> new PythonSession(new BubblewrapSandbox(), PythonLimits.DEFAULT),
                        BuiltIns.WEB_SEARCH,
                        () -> new BrowserSession(documents, documents))));
        scripted.answer("<|channel|>analysis<|message|>I look.<|end|><|start|>assistant to=browser.search" + BROWSE
                        + "{\"query\": \"travel May\"}<|call|>")
                .answer(" to=browser.open" + BROWSE + "{\"id\": 0, \"cursor\": 0}<|call|>")
                .answer(" to=browser.find" + BROWSE + "{\"pattern\": \"euros\", \"cursor\": 1}<|call|>")
                .answer(" to=python" + BROWSE + "spent = 84 + 311\nprint(spent)<|call|>")
                .calls(
                        "apply_patch",
                        JsonObject.builder().put("input", PATCH).build().toString())
                .answer(" to=python" + BROWSE + "print(spent + 1)<|call|>")
                .answer("<|channel|>final<|message|>We spent 395 euros\u30101\u2020L3-L4\u3011.<|return|>");
    }

    @AfterEach
    void close() throws Exception {
        if (scripted != null) {
            scripted.close();
            documents.close();
        }
    }

    private String applied(String patch) throws Exception {
        try (ApplyPatchSession session = new ApplyPatchSession(new Workspace(folder.resolve("work")), false)) {
            return session.call("apply_patch", patch).text();
        }
    }

    @Test
    void throughResponses() throws Exception {
        String tools =
                "\"tools\": [{\"type\": \"web_search\"}, {\"type\": \"code_interpreter\"}, {\"type\": \"custom\", \"name\":"
                        + " \"apply_patch\", \"description\": \"Changes files.\"}]";
        EventOrder first = new EventOrder();
        scripted.events("/v1/responses", "{\"input\": \"Complete the report.\", \"stream\": true, " + tools + "}")
                .forEach(first::take);
        List<Json> items = array(first.response(), "output");
        assertThat(items.stream().map(item -> text(item, "type")))
                .containsExactly(
                        "reasoning",
                        "web_search_call",
                        "web_search_call",
                        "web_search_call",
                        "code_interpreter_call",
                        "reasoning",
                        "custom_tool_call");
        assertThat(text(items.get(2), "action", "url")).isEqualTo("https://documents.internal/travel.md");
        assertThat(text(items.get(4), "outputs", 0, "logs")).isEqualTo("395\n");
        Json call = items.getLast();
        String done = applied(text(call, "input"));
        assertThat(done).isEqualTo("Done!");
        JsonObject output = JsonObject.builder()
                .put("type", "custom_tool_call_output")
                .put("call_id", text(call, "call_id"))
                .put("output", done)
                .build();
        EventOrder second = new EventOrder();
        scripted.events(
                        "/v1/responses",
                        "{\"previous_response_id\": \"" + text(first.response(), "id") + "\", \"input\": [" + output
                                + "], \"stream\": true, " + tools + "}")
                .forEach(second::take);
        assertThat(text(second.response(), "output", 0, "outputs", 0, "logs")).isEqualTo("396\n"); // variables stay
        assertThat(text(second.response(), "output", 1, "content", 0, "text")).isEqualTo(ANSWER);
        assertThat(text(second.response(), "output", 1, "content", 0, "annotations", 0, "url"))
                .isEqualTo("https://documents.internal/travel.md");
        assertThat(folder.resolve("work/report.txt")).hasContent("travel: 395");
        // What it read is still before it when the patch's result comes.
        assertThat(scripted.prompt(5))
                .contains("L4: The train to Graz was 84 euros.")
                .contains("395");
    }

    @Test
    void throughChatCompletions() throws Exception {
        String tools =
                "\"tools\": [{\"type\": \"browser_search\"}, {\"type\": \"code_interpreter\"}, {\"type\": \"function\","
                        + " \"function\": {\"name\": \"apply_patch\", \"parameters\": {\"type\": \"object\", \"properties\":"
                        + " {\"input\": {\"type\": \"string\"}}, \"required\": [\"input\"]}}}]";
        List<Json> messages = new ArrayList<>();
        messages.add(Json.parse("{\"role\": \"user\", \"content\": \"Complete the report.\"}"));
        Json first =
                scripted.ok("/v1/chat/completions", "{\"messages\": " + new JsonArray(messages) + ", " + tools + "}");
        Json message = at(first, "choices", 0, "message");
        assertThat(array(message, "executed_tools").stream().map(tool -> text(tool, "type")))
                .containsExactly("browser.search", "browser.open", "browser.find", "python");
        String arguments = text(message, "tool_calls", 0, "function", "arguments");
        String done = applied(text(Json.parse(arguments), "input"));
        messages.add(message == null ? Json.of("") : message);
        messages.add(JsonObject.builder()
                .put("role", "tool")
                .put("tool_call_id", text(message, "tool_calls", 0, "id"))
                .put("content", done)
                .build());
        Json second =
                scripted.ok("/v1/chat/completions", "{\"messages\": " + new JsonArray(messages) + ", " + tools + "}");
        assertThat(text(second, "choices", 0, "message", "executed_tools", 0, "output"))
                .isEqualTo("396\n");
        assertThat(text(second, "choices", 0, "message", "content")).isEqualTo(ANSWER);
        assertThat(text(second, "choices", 0, "message", "annotations", 0, "url_citation", "url"))
                .isEqualTo("https://documents.internal/travel.md");
        assertThat(folder.resolve("work/report.txt")).hasContent("travel: 395");
    }
}
