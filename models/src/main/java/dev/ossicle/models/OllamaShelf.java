package dev.ossicle.models;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import dev.ossicle.models.FoundModel.Format;
import dev.ossicle.models.FoundModel.Source;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/**
 * Ollama's models: {@code manifests/HOST/OWNER/NAME/TAG}, a JSON file whose layer of the type {@code ...image.model} names a GGUF file
 * in {@code blobs/} by its digest. Newer versions keep {@code manifests-v2/} beside it.
 */
record OllamaShelf(List<Path> roots) implements Shelf {
    private static final String MODEL_LAYER = "application/vnd.ollama.image.model";

    static OllamaShelf of(Environment environment) {
        Optional<Path> own = environment.path("OLLAMA_MODELS");
        Path users = environment.home().resolve(Path.of(".ollama", "models"));
        // As a service on Linux it has a user of its own.
        return new OllamaShelf(
                own.isPresent()
                        ? List.of(own.get())
                        : environment.isWindows()
                                ? List.of(users)
                                : List.of(users, Path.of("/usr/share/ollama/.ollama/models")));
    }

    @Override
    public List<Path> folders() {
        return roots;
    }

    @Override
    public List<FoundModel> models() {
        Map<String, FoundModel> byName = new LinkedHashMap<>();
        for (Path root : roots) {
            for (String folder : List.of("manifests-v2", "manifests")) {
                Path manifests = root.resolve(folder);
                for (Path manifest : Folders.files(manifests, 5)) {
                    String name = name(manifests.relativize(manifest));
                    model(name, root, manifest).ifPresent(model -> byName.putIfAbsent(name, model));
                }
            }
        }
        return new ArrayList<>(byName.values());
    }

    private static Optional<FoundModel> model(String name, Path root, Path file) {
        JsonObject manifest = Peek.json(file);
        if (manifest == null || !(manifest.get("layers") instanceof JsonArray layers)) {
            return Optional.empty();
        }
        for (Json layer : layers.elements()) {
            if (layer instanceof JsonObject object
                    && object.get("mediaType") instanceof JsonString type
                    && type.value().equals(MODEL_LAYER)
                    && object.get("digest") instanceof JsonString digest
                    && digest.value().matches("sha256[:-][0-9a-f]{64}")) {
                Path blob = root.resolve("blobs").resolve(digest.value().replace(':', '-'));
                if (!Files.exists(blob)) {
                    return name.contains("gpt-oss")
                            ? Optional.of(new FoundModel(
                                    name,
                                    Source.OLLAMA,
                                    blob,
                                    Format.GGUF,
                                    0,
                                    Instant.EPOCH,
                                    "incomplete: " + Folders.name(blob) + " missing"))
                            : Optional.empty();
                }
                return Peek.gguf(name, Source.OLLAMA, blob);
            }
        }
        return Optional.empty();
    }

    /** As {@code ollama list} says it: the usual host and owner are left out. */
    private static String name(Path manifest) {
        List<String> parts = new ArrayList<>(StreamSupport.stream(manifest.spliterator(), false)
                .map(Path::toString)
                .toList());
        String tag = parts.removeLast();
        if (!parts.isEmpty()
                && (parts.getFirst().equals("registry.ollama.ai")
                        || parts.getFirst().equals("ollama.com"))) {
            parts.removeFirst();
            if (!parts.isEmpty() && parts.getFirst().equals("library")) {
                parts.removeFirst();
            }
        }
        return parts.stream().collect(Collectors.joining("/")) + ":" + tag;
    }
}
