package dev.ossicle.server.openai;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonString;
import dev.ossicle.server.http.Fields;
import java.util.Set;

/** The text of a message's content, which is a string or a list of parts. */
final class Texts {
    private static final Set<String> TEXT =
            Set.of("text", "input_text", "output_text", "summary_text", "reasoning_text");

    private Texts() {}

    /** @param name of the field; empty text if it is missing */
    static String of(Fields message, String name) {
        return switch (message.get(name)) {
            case null -> "";
            case JsonString string -> string.value();
            case JsonArray ignored -> {
                StringBuilder text = new StringBuilder();
                for (Fields part : message.objects(name)) {
                    String type = part.string("type", "text");
                    if (TEXT.contains(type)) {
                        text.append(part.requiredString("text"));
                    } else if (type.equals("refusal")) {
                        text.append(part.requiredString("refusal"));
                    } else {
                        throw part.bad(
                                "type", "content of type \"" + type + "\" is not supported: gpt-oss reads text only");
                    }
                }
                yield text.toString();
            }
            case Json other ->
                throw message.bad(
                        name, message.path(name) + " is " + other.kind() + ", must be a string or an array of parts");
        };
    }
}
