package dev.ossicle.cli;

import dev.ossicle.chat.ChatEvent;
import dev.ossicle.chat.ChatEvent.Done;
import dev.ossicle.chat.ChatEvent.Reading;
import dev.ossicle.chat.ChatEvent.Reasoning;
import dev.ossicle.chat.ChatEvent.Text;
import dev.ossicle.chat.ChatEvent.ToolCall;
import dev.ossicle.chat.ChatEvent.ToolResult;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.Consumer;

/** For programs: one JSON object a line, to standard output. */
final class JsonWriter implements Consumer<ChatEvent> {
    private final PrintWriter out;
    private final boolean hideReasoning;

    JsonWriter(PrintWriter out, boolean hideReasoning) {
        this.out = out;
        this.hideReasoning = hideReasoning;
    }

    @Override
    public void accept(ChatEvent event) {
        JsonObject.Builder json = JsonObject.builder();
        switch (event) {
            case Reading reading ->
                json.put("type", "reading").put("tokens", reading.tokens()).put("of", reading.promptTokens());
            case Reasoning reasoning -> {
                if (hideReasoning) {
                    return;
                }
                json.put("type", "reasoning").put("text", reasoning.text());
            }
            case Text text -> {
                json.put("type", "text").put("text", text.text()).put("preamble", text.preamble());
                if (text.source() != null) {
                    json.put(
                            "source",
                            JsonObject.builder()
                                    .put("title", text.source().title())
                                    .put("url", text.source().url())
                                    .build());
                }
            }
            case ChatEvent.Calling ignored -> {
                return; // it is told when it is complete
            }
            case ToolCall call ->
                json.put("type", "tool_call")
                        .put("id", call.id())
                        .put("name", call.name())
                        .put("arguments", call.arguments());
            case ToolResult result ->
                json.put("type", "tool_result")
                        .put("id", result.id())
                        .put("name", result.name())
                        .put("output", result.output())
                        .put("failed", result.failed());
            case Done done -> {
                var usage = done.usage();
                json.put("type", "done")
                        .put("finish", done.finish().name().toLowerCase(Locale.ROOT))
                        .put("prompt_tokens", usage.promptTokens())
                        .put("cached_tokens", usage.cachedTokens())
                        .put("completion_tokens", usage.completionTokens())
                        .put("reasoning_tokens", usage.reasoningTokens())
                        .put("prompt_seconds", usage.promptSeconds())
                        .put("completion_seconds", usage.completionSeconds())
                        .put(
                                "repairs",
                                Json.of(done.repairs().stream()
                                        .map(r -> Json.of(r.kind().name().toLowerCase(Locale.ROOT)))
                                        .toList()));
            }
        }
        out.println(json.build());
        out.flush();
    }
}
