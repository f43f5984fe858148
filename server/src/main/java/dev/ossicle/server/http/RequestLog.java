package dev.ossicle.server.http;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A line for each request: when, which, how it ended, tokens and times. What was said is not in it.
 *
 * @param lines takes them
 * @param json whether a line is a JSON object
 * @param prompts whether what was asked is in it after all
 */
public record RequestLog(Consumer<String> lines, boolean json, boolean prompts) {
    /** No log. */
    public static final RequestLog NONE = new RequestLog(line -> {}, false, false);

    void request(Exchange exchange, String method, String path, long nanos) {
        if (lines == NONE.lines) {
            return;
        }
        String time = Instant.now().truncatedTo(ChronoUnit.MILLIS).toString();
        // A path comes from outside, and a line must stay one.
        String plainPath = path.replaceAll("[^\\x21-\\x7e]", "?");
        double seconds = Math.round(nanos * 1e-6) / 1000.0;
        if (json) {
            JsonObject.Builder line = JsonObject.builder()
                    .put("time", time)
                    .put("request", exchange.id())
                    .put("method", method)
                    .put("path", plainPath)
                    .put("status", exchange.status())
                    .put("seconds", seconds);
            exchange.notes().forEach((name, value) -> line.put(name, value(value)));
            if (prompts) {
                line.put("body", exchange.bodyText());
            }
            lines.accept(line.build().toString());
            return;
        }
        StringBuilder line = new StringBuilder(time)
                .append(' ')
                .append(method)
                .append(' ')
                .append(plainPath)
                .append(' ')
                .append(exchange.status())
                .append(String.format(Locale.ROOT, " %.3fs", seconds));
        for (Map.Entry<String, Object> note : exchange.notes().entrySet()) {
            line.append(' ').append(note.getKey()).append('=').append(note.getValue());
        }
        line.append(' ').append(exchange.id());
        if (prompts) {
            line.append(' ').append(Json.of(exchange.bodyText())); // JSON has no line breaks
        }
        lines.accept(line.toString());
    }

    private static Json value(Object value) {
        return value instanceof Number number ? Json.of(number.longValue()) : Json.of(value.toString());
    }
}
