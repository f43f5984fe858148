package dev.ossicle.cli;

import dev.ossicle.engine.GenerationEvent.Done;
import dev.ossicle.json.JsonObject;
import java.io.PrintWriter;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** For programs: one JSON object a line, to standard output. */
final class JsonAnswerWriter implements AnswerWriter {
    private final PrintWriter out;
    private final boolean hideReasoning;

    JsonAnswerWriter(PrintWriter out, boolean hideReasoning) {
        this.out = out;
        this.hideReasoning = hideReasoning;
    }

    @Override
    public void text(String channel, @Nullable String recipient, String text) {
        JsonObject.Builder event = JsonObject.builder();
        if (recipient != null) {
            event.put("type", "tool_call").put("recipient", recipient);
        } else if (channel.equals("analysis")) {
            if (hideReasoning) {
                return;
            }
            event.put("type", "reasoning");
        } else {
            event.put("type", "text").put("channel", channel);
        }
        print(event.put("text", text));
    }

    @Override
    public void endOfMessage() {
        print(JsonObject.builder().put("type", "end_of_message"));
    }

    @Override
    public void end(Done done) {
        var timings = done.timings();
        print(JsonObject.builder()
                .put("type", "done")
                .put("finish", done.finish().name().toLowerCase(Locale.ROOT))
                .put("prompt_tokens", timings.promptTokens())
                .put("completion_tokens", timings.tokens())
                .put("prompt_seconds", timings.promptNanos() * 1e-9)
                .put("completion_seconds", timings.decodeNanos() * 1e-9));
    }

    private void print(JsonObject.Builder event) {
        out.println(event.build());
        out.flush();
    }
}
