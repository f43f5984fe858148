package dev.ossicle.tools;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonException;
import dev.ossicle.json.JsonNumber;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import java.util.Optional;

/** Arguments of a call as models write them: now and then with a number as a string, or a whole number as 3.0. */
public final class Arguments {
    private Arguments() {}

    /** The object that a body holds, empty for a blank body; nothing if it is something else. */
    public static Optional<JsonObject> parse(String body) {
        if (body.isBlank()) {
            return Optional.of(JsonObject.EMPTY);
        }
        try {
            return Json.parse(body) instanceof JsonObject object ? Optional.of(object) : Optional.empty();
        } catch (JsonException e) {
            return Optional.empty();
        }
    }

    /** The answer to a call of something that is not there. */
    public static ToolOutput unknownFunction(String name) {
        return error("Unknown function: " + name);
    }

    /** The answer to a call whose body is not understood. */
    public static ToolOutput invalid() {
        return error("Invalid function arguments");
    }

    private static ToolOutput error(String message) {
        return ToolOutput.failure("{\"error\": " + Json.of(message) + "}");
    }

    /** A string; the default if it is absent. */
    public static String string(JsonObject arguments, String name, String byDefault) {
        return switch (arguments.present(name)) {
            case null -> byDefault;
            case JsonString string -> string.value();
            case Json other -> other.toString();
        };
    }

    /**
     * A whole number; the default if it is absent.
     *
     * @throws IllegalArgumentException if it is no whole number
     */
    public static int integer(JsonObject arguments, String name, int byDefault) {
        Json value = arguments.present(name);
        String text = switch (value) {
            case null -> null;
            case JsonNumber number -> number.toString();
            case JsonString string -> string.value().strip();
            case Json other -> other.toString();
        };
        if (text == null) {
            return byDefault;
        }
        try {
            double number = Double.parseDouble(text);
            if (number == Math.rint(number) && Math.abs(number) <= Integer.MAX_VALUE) {
                return (int) number;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new IllegalArgumentException("`" + name + "` should be an integer, not `" + text + "`");
    }
}
