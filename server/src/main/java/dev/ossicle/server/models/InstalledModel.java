package dev.ossicle.server.models;

import dev.ossicle.chat.LocalModel;
import java.time.Instant;
import java.util.List;
import java.util.function.Supplier;

/**
 * A model that can be loaded.
 *
 * @param name as it is listed
 * @param aliases other names that it answers to
 * @param bytes of its weights
 * @param parameters how many numbers it has; 0 if unknown
 * @param context positions
 * @param quantization as Ollama names it: "MXFP4"
 * @param open loads it; takes its time
 */
public record InstalledModel(
        String name,
        List<String> aliases,
        long bytes,
        Instant modified,
        long parameters,
        int context,
        String quantization,
        Supplier<LocalModel> open) {
    public InstalledModel {
        aliases = List.copyOf(aliases);
    }

    boolean answersTo(String asked) {
        return name.equalsIgnoreCase(asked)
                || (name + ":latest").equalsIgnoreCase(asked)
                || aliases.stream().anyMatch(alias -> alias.equalsIgnoreCase(asked));
    }
}
