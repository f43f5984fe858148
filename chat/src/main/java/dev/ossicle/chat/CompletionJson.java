package dev.ossicle.chat;

import dev.ossicle.engine.Sampling;
import dev.ossicle.harmony.Message;
import dev.ossicle.harmony.ToolDescription;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A request in OpenAI's chat completions dialect. */
final class CompletionJson {
    private CompletionJson() {}

    static JsonObject request(String model, ChatRequest request, List<Message> history, int maxTokens) {
        Sampling sampling = request.options().sampling();
        JsonObject.Builder body = JsonObject.builder()
                .put("model", model)
                .put("messages", messages(request.instructions(), history))
                .put("stream", true)
                .put(
                        "stream_options",
                        JsonObject.builder().put("include_usage", true).build())
                .put("reasoning_effort", request.options().effort().name().toLowerCase(Locale.ROOT))
                .put("temperature", sampling.temperature())
                .put("top_p", sampling.topP());
        if (maxTokens != Integer.MAX_VALUE) {
            body.put("max_completion_tokens", maxTokens);
        }
        if (request.options().seeded()) {
            body.put("seed", sampling.seed());
        }
        if (!request.functions().isEmpty()) {
            body.put(
                    "tools",
                    Json.of(request.functions().stream()
                            .map(CompletionJson::function)
                            .toList()));
        }
        if (request.answerSchema() != null) {
            JsonObject schema = JsonObject.builder()
                    .put("name", "answer")
                    .put("strict", true)
                    .put("schema", request.answerSchema())
                    .build();
            body.put(
                    "response_format",
                    JsonObject.builder()
                            .put("type", "json_schema")
                            .put("json_schema", schema)
                            .build());
        }
        return body.build();
    }

    private static Json function(ToolDescription function) {
        JsonObject.Builder description =
                JsonObject.builder().put("name", function.name()).put("description", function.description());
        if (function.parameters() != null) {
            description.put("parameters", function.parameters());
        }
        return JsonObject.builder()
                .put("type", "function")
                .put("function", description.build())
                .build();
    }

    /**
     * Harmony's messages as this dialect has them: what the assistant thought, said and called in one go is one message. Calls
     * are numbered through, and each result answers the oldest open call of its function.
     */
    private static Json messages(@Nullable String instructions, List<Message> history) {
        List<Json> messages = new ArrayList<>();
        if (instructions != null) {
            messages.add(message("system", instructions).build());
        }
        Spoken spoken = new Spoken();
        List<String> openCalls = new ArrayList<>(); // "id name"
        int calls = 0;
        for (Message message : history) {
            switch (message.role()) {
                case ASSISTANT -> {
                    if (message.recipient() != null) {
                        String name = ToolRunner.functionName(message.recipient());
                        String id = "call_" + calls++;
                        openCalls.add(id + " " + name);
                        spoken.calls.add(call(id, name, message.text()));
                    } else if (Message.ANALYSIS.equals(message.channel())) {
                        spoken.reasoning.append(message.text());
                    } else {
                        spoken.text.append(message.text());
                    }
                }
                case TOOL -> {
                    spoken.flush(messages);
                    String name = ToolRunner.functionName(message.name() == null ? "" : message.name());
                    String id = openCalls.stream()
                            .filter(c -> c.endsWith(" " + name))
                            .findFirst()
                            .orElseThrow(() -> new ChatException("the result of " + name + " answers no call"));
                    openCalls.remove(id);
                    messages.add(message("tool", message.text())
                            .put("tool_call_id", id.substring(0, id.indexOf(' ')))
                            .build());
                }
                case USER, SYSTEM, DEVELOPER -> {
                    spoken.flush(messages);
                    messages.add(message(message.role().name().toLowerCase(Locale.ROOT), message.text())
                            .build());
                }
            }
        }
        spoken.flush(messages);
        return Json.of(messages);
    }

    private static JsonObject.Builder message(String role, String content) {
        return JsonObject.builder().put("role", role).put("content", content);
    }

    private static Json call(String id, String name, String arguments) {
        return JsonObject.builder()
                .put("id", id)
                .put("type", "function")
                .put(
                        "function",
                        JsonObject.builder()
                                .put("name", name)
                                .put("arguments", arguments)
                                .build())
                .build();
    }

    /** What the assistant said since the last message of another. */
    private static final class Spoken {
        final StringBuilder reasoning = new StringBuilder();
        final StringBuilder text = new StringBuilder();
        final List<Json> calls = new ArrayList<>();

        void flush(List<Json> messages) {
            if (reasoning.isEmpty() && text.isEmpty() && calls.isEmpty()) {
                return;
            }
            JsonObject.Builder message = message("assistant", text.toString());
            if (!reasoning.isEmpty()) {
                message.put("reasoning", reasoning.toString());
            }
            if (!calls.isEmpty()) {
                message.put("tool_calls", Json.of(calls));
            }
            messages.add(message.build());
            reasoning.setLength(0);
            text.setLength(0);
            calls.clear();
        }
    }
}
