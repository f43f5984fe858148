package dev.ossicle.server;

import static dev.ossicle.server.Scripted.at;
import static dev.ossicle.server.Scripted.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonNull;
import dev.ossicle.json.JsonObject;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class TestChatCompletions {
    private static final String PATH = "/v1/chat/completions";
    private static final String WEATHER = """
            [{"type": "function", "function": {"name": "get_weather", "description": "The weather.", "parameters":
              {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]""";

    private final Scripted scripted;

    TestChatCompletions() throws IOException {
        scripted = new Scripted();
    }

    @AfterEach
    void close() {
        scripted.close();
    }

    private static String ask(String more) {
        return """
                {"model": "gpt-oss-20b", "messages": [{"role": "user", "content": "Hello"}]%s}""".formatted(more);
    }

    @Test
    void answers() throws Exception {
        JsonObject answer = scripted.says("Hi!").ok(PATH, ask(""));
        assertThat(text(answer, "object")).isEqualTo("chat.completion");
        assertThat(text(answer, "choices", 0, "message", "content")).isEqualTo("Hi!");
        assertThat(text(answer, "choices", 0, "message", "reasoning")).isEqualTo("Hm.");
        assertThat(text(answer, "choices", 0, "message", "reasoning_content")).isEqualTo("Hm.");
        assertThat(text(answer, "choices", 0, "finish_reason")).isEqualTo("stop");
        assertThat(at(answer, "usage", "prompt_tokens"))
                .isEqualTo(Json.of(scripted.runner.prompts().getFirst().length));
        assertThat(at(answer, "usage", "completion_tokens_details", "reasoning_tokens"))
                .isNotEqualTo(Json.of(0));
        assertThat(scripted.prompt(0)).contains("Reasoning: medium").contains("<|start|>user<|message|>Hello<|end|>");
    }

    @Test
    void streams() throws Exception {
        List<Json> events = scripted.says("Hi!")
                .events(PATH, ask(", \"stream\": true, \"stream_options\": {\"include_usage\": true}"));
        assertThat(text(events.getFirst(), "choices", 0, "delta", "role")).isEqualTo("assistant");
        assertThat(joined(events, "reasoning")).isEqualTo("Hm.");
        assertThat(joined(events, "content")).isEqualTo("Hi!");
        assertThat(events.getLast()).isEqualTo(Json.of("[DONE]"));
        Json usage = events.get(events.size() - 2);
        assertThat(at(usage, "choices")).hasToString("[]");
        assertThat(at(usage, "usage", "total_tokens")).isNotNull();
        Json finish = events.get(events.size() - 3);
        assertThat(text(finish, "choices", 0, "finish_reason")).isEqualTo("stop");
        assertThat(at(finish, "choices", 0, "delta")).hasToString("{}");
        assertThat(at(finish, "usage")).isEqualTo(JsonNull.NULL);
        assertThat(events.stream().map(event -> text(event, "id")).distinct()).hasSize(2); // and that of [DONE]
    }

    private static String joined(List<Json> events, String field) {
        StringBuilder text = new StringBuilder();
        events.forEach(event -> text.append(text(event, "choices", 0, "delta", field)));
        return text.toString();
    }

    @Test
    void callsFunctions() throws Exception {
        JsonObject answer =
                scripted.calls("get_weather", "{\"city\": \"Rome\"}").ok(PATH, ask(", \"tools\": " + WEATHER));
        assertThat(text(answer, "choices", 0, "finish_reason")).isEqualTo("tool_calls");
        Json message = at(answer, "choices", 0, "message");
        assertThat(at(message, "content")).isEqualTo(JsonNull.NULL);
        assertThat(text(message, "tool_calls", 0, "function", "name")).isEqualTo("get_weather");
        assertThat(text(message, "tool_calls", 0, "function", "arguments")).isEqualTo("{\"city\": \"Rome\"}");

        // The client sends the result and has forgotten what was thought: it is put back.
        String id = text(message, "tool_calls", 0, "id");
        scripted.says("Sunny.").ok(PATH, """
                        {"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": null,
                         "tool_calls": [{"id": "%s", "type": "function", "function": {"name": "get_weather",
                         "arguments": "{}"}}]}, {"role": "tool", "tool_call_id": "%s", "content": "25 degrees"}],
                         "tools": %s}""".formatted(id, id, WEATHER));
        assertThat(scripted.prompt(1))
                .contains("<|channel|>analysis<|message|>I need it.<|end|><|start|>assistant to=functions.get_weather")
                .contains(
                        "<|start|>functions.get_weather to=assistant<|channel|>commentary<|message|>25 degrees<|end|>");
    }

    @Test
    void streamsCalls() throws Exception {
        List<Json> events = scripted.calls("get_weather", "{\"city\": \"Rome\"}")
                .events(PATH, ask(", \"stream\": true, \"tools\": " + WEATHER));
        StringBuilder arguments = new StringBuilder();
        int names = 0;
        for (Json event : events) {
            Json call = at(event, "choices", 0, "delta", "tool_calls", 0);
            arguments.append(text(call, "function", "arguments"));
            names += text(call, "function", "name").isEmpty() ? 0 : 1;
        }
        assertThat(arguments).hasToString("{\"city\": \"Rome\"}");
        assertThat(names).isEqualTo(1);
        assertThat(text(events.get(events.size() - 2), "choices", 0, "finish_reason"))
                .isEqualTo("tool_calls");
    }

    @Test
    void toolChoiceIsObeyed() throws Exception {
        // The model would rather answer, and may not.
        JsonObject forced = scripted.says("No.")
                .ok(
                        PATH,
                        ask(", \"max_tokens\": 300, \"temperature\": 0, \"tool_choice\": "
                                + "{\"type\": \"function\", \"function\": {\"name\": \"get_weather\"}}, \"tools\": "
                                + WEATHER));
        assertThat(text(forced, "choices", 0, "message", "content")).doesNotContain("No.");
        // It would rather call, and may not.
        JsonObject none = scripted.calls("get_weather", "{}")
                .ok(PATH, ask(", \"max_tokens\": 300, \"tool_choice\": \"none\", \"tools\": " + WEATHER));
        assertThat(at(none, "choices", 0, "message", "tool_calls")).isNull();
        assertThat(scripted.prompt(1)).contains("get_weather");
    }

    @Test
    void effortAndStopAndLength() throws Exception {
        JsonObject answer =
                scripted.says("one two three").ok(PATH, ask(", \"reasoning_effort\": \"high\", \"stop\": [\"two\"]"));
        assertThat(text(answer, "choices", 0, "message", "content")).isEqualTo("one ");
        assertThat(text(answer, "choices", 0, "finish_reason")).isEqualTo("stop");
        assertThat(scripted.prompt(0)).contains("Reasoning: high");

        JsonObject cut = scripted.says("Hi!").ok(PATH, ask(", \"max_completion_tokens\": 5"));
        assertThat(text(cut, "choices", 0, "finish_reason")).isEqualTo("length");
        JsonObject hidden = scripted.says("Hi!").ok(PATH, ask(", \"reasoning\": {\"exclude\": true}"));
        assertThat(at(hidden, "choices", 0, "message", "reasoning")).isNull();
    }

    @Test
    void severalChoicesAndLogprobs() throws Exception {
        scripted.runner.author(prompt -> Scripted.tokens("<|channel|>final<|message|>Hé<|return|>"));
        JsonObject answer = scripted.ok(PATH, ask(", \"n\": 3, \"logprobs\": true, \"top_logprobs\": 2"));
        for (int i = 0; i < 3; i++) {
            assertThat(text(answer, "choices", i, "message", "content")).isEqualTo("Hé");
            assertThat(text(answer, "choices", i, "logprobs", "content", 0, "token"))
                    .isEqualTo("H");
            // é has two tokens here, and both are told
            assertThat(at(answer, "choices", i, "logprobs", "content", 2, "bytes"))
                    .hasToString("[169]");
            assertThat(at(answer, "choices", i, "logprobs", "content", 3)).isNull();
            assertThat(at(answer, "choices", i, "logprobs", "content", 1, "top_logprobs", 1))
                    .isNotNull();
        }
        List<Json> events = scripted.events(PATH, ask(", \"n\": 2, \"stream\": true"));
        for (int index = 0; index < 2; index++) {
            StringBuilder text = new StringBuilder();
            for (Json event : events) {
                if (Json.of(index).equals(at(event, "choices", 0, "index"))) {
                    text.append(text(event, "choices", 0, "delta", "content"));
                }
            }
            assertThat(text).hasToString("Hé");
        }
    }

    @Test
    void schemasAreObeyed() throws Exception {
        String schema = """
                , "max_tokens": 2000, "response_format": {"type": "json_schema", "json_schema": {"name": "a", "strict": true,
                "schema": {"type": "object", "properties": {"x": {"enum": ["yes"]}}, "required": ["x"]}}}""";
        JsonObject answer = scripted.says("{\"x\": \"yes\"}").ok(PATH, ask(schema));
        assertThat(text(answer, "choices", 0, "message", "content")).isEqualTo("{\"x\": \"yes\"}");
        // A model that has no mind to obey does so too.
        JsonObject forced =
                scripted.answer("<|channel|>final<|message|>no<|return|>").ok(PATH, ask(schema));
        assertThat(text(forced, "choices", 0, "message", "content")).matches("\\{ ?\"x\": ?\"yes\" ?}");
        var refused = scripted.post(PATH, ask("""
                        , "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema":
                        {"type": "object", "properties": {"x": {"not": {}}}}}}"""));
        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(refused.body()).contains("response_format").contains("$.properties.x");
    }

    @Test
    void badRequestsNameTheField() throws Exception {
        refuse("{", "not JSON", null);
        refuse("[]", "must be a JSON object", null);
        refuse("{}", "messages", "messages");
        refuse(ask(", \"temperature\": 3"), "between 0 and 2", "temperature");
        refuse(ask(", \"temperature\": \"hot\""), "must be a number", "temperature");
        refuse(ask(", \"n\": 0"), "whole number", "n");
        refuse(ask(", \"max_tokens\": 0"), "max_tokens", "max_tokens");
        refuse(ask(", \"tool_choice\": \"required\""), "no tools", "tool_choice");
        refuse(ask(", \"tools\": [{\"type\": \"function\"}]"), "missing", "tools[0].function");
        refuse(ask(", \"functions\": [{}]"), "use tools", "functions");
        refuse(ask(", \"logit_bias\": {\"999999\": 1}"), "token ids", "logit_bias");
        refuse(ask(", \"reasoning_effort\": \"much\""), "low, medium or high", "reasoning_effort");
        refuse("{\"messages\": [{\"role\": \"wizard\", \"content\": \"\"}]}", "must be system", "messages[0].role");
        refuse(
                "{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"image_url\"}]}]}",
                "reads text only",
                "messages[0].content[0].type");
        refuse(
                "{\"messages\": [{\"role\": \"tool\", \"tool_call_id\": \"x\", \"content\": \"\"}]}",
                "no call before it",
                "messages[0].tool_call_id");
        refuse(ask("").replace("Hello", "x".repeat(70_000)), "70", "messages");
        var unknown = scripted.post(PATH, ask("").replace("gpt-oss-20b", "gpt-5"));
        assertThat(unknown.statusCode()).isEqualTo(404);
        assertThat(text(Json.parse(unknown.body()), "error", "code")).isEqualTo("model_not_found");
    }

    private void refuse(String body, String message, @Nullable String param) throws Exception {
        var response = scripted.post(PATH, body);
        assertThat(response.statusCode())
                .as(body.length() > 200 ? "long" : body)
                .isEqualTo(400);
        Json error = at(Json.parse(response.body()), "error");
        assertThat(text(error, "message")).contains(message);
        assertThat(text(error, "type")).isEqualTo("invalid_request_error");
        assertThat(at(error, "param")).isEqualTo(param == null ? JsonNull.NULL : Json.of(param));
    }
}
