package dev.ossicle.chat;

import static java.util.Objects.requireNonNull;

import dev.ossicle.harmony.ToolDescription;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A function that the model may call.
 *
 * <pre>{@code
 * Tool weather = Tool.of("get_weather", "The weather in a city", """
 *         {"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}""",
 *         arguments -> lookUp(arguments.get("city")));
 * }</pre>
 *
 * @param description what the model is told of the name, its purpose and its parameters
 */
public record Tool(ToolDescription description, Handler handler) {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]{1,64}");

    /** Runs a call, on a virtual thread of its own that is interrupted when nobody waits for it any more. */
    @FunctionalInterface
    public interface Handler {
        /**
         * @param arguments as the model gave them
         * @return what the model is told
         * @throws Exception whose message the model is told
         */
        String call(JsonObject arguments) throws Exception;
    }

    public Tool {
        requireNonNull(handler, "handler is null");
        if (!NAME.matcher(description.name()).matches()) {
            throw new IllegalArgumentException(
                    "function name \"" + description.name() + "\" must be 1 to 64 letters, digits, _ or -");
        }
    }

    /** @param parameters JSON Schema of an object; null if the function takes nothing */
    public static Tool of(String name, String description, @Nullable String parameters, Handler handler) {
        return new Tool(
                new ToolDescription(name, description, parameters == null ? null : Json.parse(parameters)), handler);
    }

    public String name() {
        return description.name();
    }
}
