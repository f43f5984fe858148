package dev.ossicle.server;

import static dev.ossicle.server.Scripted.array;
import static dev.ossicle.server.Scripted.at;
import static dev.ossicle.server.Scripted.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.engine.EngineOptions;
import dev.ossicle.harmony.HarmonyEncoding;
import dev.ossicle.harmony.Message;
import dev.ossicle.harmony.ParseMode;
import dev.ossicle.harmony.Role;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every odd output of docs/harmony.md through every dialect, streamed and not: no text is lost, and the order is right. */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TestOddOutputs {
    private static final HarmonyEncoding HARMONY = new HarmonyEncoding(Scripted.TOKENIZER);

    /** What a dialect delivered. */
    private record Delivered(String reasoning, String content, List<String> calls) {}

    private Scripted scripted;

    @SuppressWarnings("NullAway.Init")
    TestOddOutputs() {}

    @BeforeAll
    void start() throws IOException {
        scripted = new Scripted(ServerOptions.DEFAULT, EngineOptions.DEFAULT, false);
    }

    @AfterAll
    void close() {
        scripted.close();
    }

    static Stream<String> outputs() throws IOException {
        return Stream.concat(
                Files.readAllLines(Path.of("../docs/harmony.md")).stream()
                        .filter(line -> line.startsWith("    in   "))
                        .map(line -> line.substring(9).replace("⏎", "\n")),
                Stream.of(
                        "", // nothing at all
                        "<|return|>",
                        "<|channel|>analysis<|message|>Only thought.<|return|>",
                        "<|channel|>commentary<|message|>I will look.<|end|><|start|>assistant<|channel|>final<|message|>4",
                        "<|channel|>commentary to=functions.unknown <|constrain|>json<|message|>{\"a\": 1}<|call|>",
                        "<|channel|>commentary to=functions.f <|constrain|>json<|message|>{\"a\": <|call|>",
                        "<|channel|>final<|message|>first<|end|><|start|>assistant<|channel|>analysis<|message|>then<|end|>"
                                + "<|start|>assistant<|channel|>final<|message|>second<|return|>"));
    }

    @ParameterizedTest
    @MethodSource("outputs")
    void nothingIsLost(String output) throws Exception {
        int[] tokens = Scripted.tokens(output);
        scripted.runner.author(prompt -> tokens);
        Delivered expected = expected(tokens);
        assertThat(chat(output)).as("chat").isEqualTo(expected);
        assertThat(chatStream(output)).as("chat stream").isEqualTo(expected);
        assertThat(responses(output)).as("responses").isEqualTo(expected);
        assertThat(responsesStream(output)).as("responses stream").isEqualTo(expected);
        assertThat(messages(output)).as("messages").isEqualTo(objects(expected));
        assertThat(messagesStream(output)).as("messages stream").isEqualTo(expected);
        assertThat(ollama(output)).as("ollama").isEqualTo(objects(expected));
        assertThat(ollamaStream(output)).as("ollama stream").isEqualTo(objects(expected));
    }

    /** By the parser, which has its own tests: what is said up to the end of the turn. */
    private static Delivered expected(int[] tokens) {
        Set<Integer> stops = HARMONY.stopTokensForAssistantActions();
        int end = 0;
        while (end < tokens.length && !stops.contains(tokens[end])) {
            end++;
        }
        int[] turn = Arrays.copyOf(tokens, Math.min(tokens.length, end + 1));
        if (end == tokens.length) {
            // The script goes on with what a model without opinions draws first of all: zeros, until it may no more.
            turn = Arrays.copyOf(turn, MAX_TOKENS);
        }
        StringBuilder reasoning = new StringBuilder();
        StringBuilder content = new StringBuilder();
        List<String> calls = new ArrayList<>();
        boolean preamble = false;
        for (Message message :
                HARMONY.parse(turn, Role.ASSISTANT, ParseMode.TOTAL).messages()) {
            String recipient = message.recipient();
            if (recipient != null && List.of("functions.f", "functions.query").contains(recipient)) {
                calls.add(recipient.substring("functions.".length()) + " " + message.text());
            } else if (recipient == null && Message.ANALYSIS.equals(message.channel())) {
                reasoning.append(message.text());
            } else if (!message.text().isEmpty()) {
                boolean isPreamble = recipient == null && Message.COMMENTARY.equals(message.channel());
                content.append(preamble && !isPreamble ? "\n\n" : "").append(message.text());
                preamble = isPreamble;
            }
        }
        return new Delivered(reasoning.toString(), content.toString(), calls);
    }

    private static final int MAX_TOKENS = 120;

    /** Two of the dialects have arguments as objects. */
    private static Delivered objects(Delivered delivered) {
        List<String> calls = delivered.calls.stream()
                .map(call -> {
                    String arguments = call.substring(call.indexOf(' ') + 1);
                    Json json;
                    try {
                        json = arguments.isBlank() ? JsonObject.EMPTY : Json.parse(arguments);
                    } catch (RuntimeException e) {
                        json = JsonObject.builder().put("_raw", arguments).build();
                    }
                    return call.substring(0, call.indexOf(' ') + 1) + json;
                })
                .toList();
        return new Delivered(delivered.reasoning, delivered.content, calls);
    }

    private static String tools(String form) {
        return Stream.of("f", "query")
                .map(form::formatted)
                .reduce((a, b) -> a + ", " + b)
                .orElseThrow();
    }

    private static String ask(String more, String form) {
        return """
                {"model": "gpt-oss", "messages": [{"role": "user", "content": "Go"}], "temperature": 0, "tools": [%s], %s}""".formatted(tools(form), more);
    }

    private static final String CHAT_TOOL = "{\"type\": \"function\", \"function\": {\"name\": \"%s\"}}";

    private Delivered chat(String output) throws Exception {
        Json message =
                at(scripted.ok("/v1/chat/completions", ask("\"max_tokens\": 120", CHAT_TOOL)), "choices", 0, "message");
        List<String> calls = new ArrayList<>();
        if (at(message, "tool_calls") instanceof JsonArray array) {
            for (Json call : array.elements()) {
                calls.add(text(call, "function", "name") + " " + text(call, "function", "arguments"));
            }
        }
        assertThat(text(message, "reasoning")).as(output).isEqualTo(text(message, "reasoning_content"));
        return new Delivered(text(message, "reasoning"), text(message, "content"), calls);
    }

    private Delivered chatStream(String output) throws Exception {
        StringBuilder reasoning = new StringBuilder();
        StringBuilder content = new StringBuilder();
        List<StringBuilder> calls = new ArrayList<>();
        List<Json> events =
                scripted.events("/v1/chat/completions", ask("\"max_tokens\": 120, \"stream\": true", CHAT_TOOL));
        for (Json event : events) {
            Json delta = at(event, "choices", 0, "delta");
            reasoning.append(text(delta, "reasoning"));
            content.append(text(delta, "content"));
            Json call = at(delta, "tool_calls", 0);
            if (call != null) {
                if (!text(call, "id").isEmpty()) {
                    assertThat(at(call, "index")).as(output).isEqualTo(Json.of(calls.size()));
                    calls.add(new StringBuilder(text(call, "function", "name")).append(' '));
                }
                calls.getLast().append(text(call, "function", "arguments"));
            }
        }
        return new Delivered(
                reasoning.toString(),
                content.toString(),
                calls.stream().map(StringBuilder::toString).toList());
    }

    private static String respond(String more) {
        return """
                {"model": "gpt-oss", "input": "Go", "temperature": 0, "max_output_tokens": 120, "tools": [%s]%s}""".formatted(tools("{\"type\": \"function\", \"name\": \"%s\"}"), more);
    }

    private static Delivered delivered(Json response) {
        StringBuilder reasoning = new StringBuilder();
        StringBuilder content = new StringBuilder();
        List<String> calls = new ArrayList<>();
        boolean preamble = false;
        if (at(response, "output") instanceof JsonArray output) {
            for (Json item : output.elements()) {
                switch (text(item, "type")) {
                    case "reasoning" -> reasoning.append(text(item, "content", 0, "text"));
                    case "function_call" -> calls.add(text(item, "name") + " " + text(item, "arguments"));
                    default -> {
                        boolean isPreamble = text(item, "phase").equals("commentary");
                        content.append(text(item, "content", 0, "text"));
                        preamble = isPreamble;
                    }
                }
            }
        }
        return new Delivered(reasoning.toString(), content.toString(), calls);
    }

    private Delivered responses(String output) throws Exception {
        JsonObject response = scripted.ok("/v1/responses", respond(""));
        assertThat(text(response, "status")).as(output).isIn("completed", "incomplete");
        return delivered(response);
    }

    /** The events tell a story of their own, which must be that of the response at their end. */
    private Delivered responsesStream(String output) throws Exception {
        List<Json> events = scripted.events("/v1/responses", respond(", \"stream\": true"));
        EventOrder order = new EventOrder();
        events.forEach(order::take);
        Json response = order.response();
        Delivered whole = delivered(response);
        assertThat(order.reasoning.toString()).as(output).isEqualTo(whole.reasoning);
        assertThat(order.content.toString()).as(output).isEqualTo(whole.content);
        return whole;
    }

    private static final String ANTHROPIC_TOOL = "{\"name\": \"%s\", \"input_schema\": {\"type\": \"object\"}}";

    private Delivered messages(String output) throws Exception {
        Json message = scripted.ok(
                "/v1/messages", ask("\"max_tokens\": 120, \"thinking\": {\"type\": \"adaptive\"}", ANTHROPIC_TOOL));
        StringBuilder reasoning = new StringBuilder();
        StringBuilder content = new StringBuilder();
        List<String> calls = new ArrayList<>();
        for (Json block : array(message, "content")) {
            switch (text(block, "type")) {
                case "thinking" -> reasoning.append(text(block, "thinking"));
                case "tool_use" -> calls.add(text(block, "name") + " " + at(block, "input"));
                default -> content.append(text(block, "text"));
            }
        }
        assertThat(text(message, "stop_reason")).as(output).isIn("end_turn", "tool_use", "max_tokens");
        return new Delivered(reasoning.toString(), content.toString(), calls);
    }

    private Delivered messagesStream(String output) throws Exception {
        List<Json> events = scripted.events(
                "/v1/messages",
                ask("\"max_tokens\": 120, \"stream\": true, \"thinking\": {\"type\": \"adaptive\"}", ANTHROPIC_TOOL));
        StringBuilder reasoning = new StringBuilder();
        StringBuilder content = new StringBuilder();
        List<StringBuilder> calls = new ArrayList<>();
        boolean open = false;
        int index = 0;
        assertThat(text(events.getFirst(), "type")).isEqualTo("message_start");
        assertThat(text(events.getLast(), "type")).isEqualTo("message_stop");
        for (Json event : events) {
            switch (text(event, "type")) {
                case "content_block_start" -> {
                    assertThat(open).as(output).isFalse();
                    open = true;
                    assertThat(at(event, "index")).isEqualTo(Json.of(index));
                    if (text(event, "content_block", "type").equals("tool_use")) {
                        calls.add(new StringBuilder(text(event, "content_block", "name")).append(' '));
                    }
                }
                case "content_block_delta" -> {
                    assertThat(open).as(output).isTrue();
                    reasoning.append(text(event, "delta", "thinking"));
                    content.append(text(event, "delta", "text"));
                    if (text(event, "delta", "type").equals("input_json_delta")) {
                        calls.getLast().append(text(event, "delta", "partial_json"));
                    }
                }
                case "content_block_stop" -> {
                    open = false;
                    index++;
                }
                default -> assertThat(open).as(output).isFalse();
            }
        }
        return new Delivered(
                reasoning.toString(),
                content.toString(),
                calls.stream().map(StringBuilder::toString).toList());
    }

    private static String ollamaAsk(String more) {
        return """
                {"model": "gpt-oss", "messages": [{"role": "user", "content": "Go"}], "tools": [%s],
                 "options": {"temperature": 0, "num_predict": 120}%s}""".formatted(tools(CHAT_TOOL), more);
    }

    private Delivered ollama(String output) throws Exception {
        return ollama(List.of(scripted.ok("/api/chat", ollamaAsk(", \"stream\": false"))), output);
    }

    private Delivered ollamaStream(String output) throws Exception {
        return ollama(scripted.events("/api/chat", ollamaAsk("")), output);
    }

    private static Delivered ollama(List<Json> lines, String output) {
        StringBuilder reasoning = new StringBuilder();
        StringBuilder content = new StringBuilder();
        List<String> calls = new ArrayList<>();
        for (Json line : lines) {
            Json message = at(line, "message");
            reasoning.append(text(message, "thinking"));
            content.append(text(message, "content"));
            if (at(message, "tool_calls") instanceof JsonArray array) {
                for (Json call : array.elements()) {
                    calls.add(text(call, "function", "name") + " " + at(call, "function", "arguments"));
                }
            }
        }
        assertThat(at(lines.getLast(), "done")).as(output).hasToString("true");
        return new Delivered(reasoning.toString(), content.toString(), calls);
    }

    @Test
    void repairsAreCounted() throws Exception {
        scripted.runner.author(prompt -> Scripted.tokens("<|channel|>final<|message|><|message|>4<|return|>"));
        scripted.ok("/v1/chat/completions", ask("\"max_tokens\": 9", CHAT_TOOL));
        assertThat(scripted.get("/metrics").body())
                .containsPattern("ossicle_harmony_repairs_total\\{kind=\"stray_token\"} [1-9]");
    }
}
