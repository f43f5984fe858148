package dev.ossicle.server.openai;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import dev.ossicle.server.http.Fields;
import org.jspecify.annotations.Nullable;

/** {@code response_format}, and {@code text.format} of the Responses API: what the answer must be. */
final class AnswerFormat {
    /** Any object. */
    private static final JsonObject OBJECT =
            JsonObject.builder().put("type", "object").build();

    private AnswerFormat() {}

    /** A JSON Schema; null for free text. */
    static @Nullable Json schema(@Nullable Fields format) {
        if (format == null) {
            return null;
        }
        String type = format.requiredString("type");
        return switch (type) {
            case "text" -> null;
            case "json_object" -> OBJECT;
            case "json_schema" -> {
                Fields inner = format.fields("json_schema"); // chat completions have it one level down
                Fields holder = inner == null ? format : inner;
                JsonObject schema = holder.jsonObject("schema");
                yield schema == null ? OBJECT : schema;
            }
            default ->
                throw format.bad(
                        "type", format.path("type") + " is \"" + type + "\", must be text, json_object or json_schema");
        };
    }
}
