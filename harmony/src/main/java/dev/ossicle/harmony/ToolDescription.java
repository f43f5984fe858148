package dev.ossicle.harmony;

import static java.util.Objects.requireNonNull;

import dev.ossicle.json.Json;
import org.jspecify.annotations.Nullable;

/**
 * A function that the model may call.
 *
 * @param parameters a JSON Schema whose members keep their order; null if it takes none
 */
public record ToolDescription(
        String name, String description, @Nullable Json parameters) {
    public ToolDescription {
        requireNonNull(name, "name is null");
        requireNonNull(description, "description is null");
    }
}
