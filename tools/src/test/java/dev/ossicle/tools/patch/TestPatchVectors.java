package dev.ossicle.tools.patch;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Against what OpenAI's script made of the same patches: patch_vectors.py beside the vectors. */
class TestPatchVectors {
    private static JsonArray vectors() throws IOException {
        try (InputStream file = TestPatchVectors.class.getResourceAsStream("patches.json")) {
            assertThat(file).as("patches.json, made by patch_vectors.py").isNotNull();
            return (JsonArray) Json.parse(new String(file.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    private static Map<String, String> files(JsonObject vector, String name) {
        Map<String, String> files = new TreeMap<>();
        ((JsonObject) requireNonNull(vector.get(name), name))
                .members()
                .forEach((path, text) -> files.put(path, ((JsonString) text).value()));
        return files;
    }

    @Test
    void everyPatchEndsAsTheScriptEndsIt() throws IOException, PatchException {
        int applied = 0;
        for (Json each : vectors().elements()) {
            JsonObject vector = (JsonObject) each;
            Map<String, String> files = files(vector, "files");
            String patch = ((JsonString) requireNonNull(vector.get("patch"))).value();
            Map<String, String> needed = new TreeMap<>(files);
            needed.keySet().retainAll(PatchParser.filesNeeded(patch));
            String what = "files " + vector.get("files") + "\n" + patch;
            if (vector.get("error") instanceof JsonString error) {
                assertThatThrownBy(() -> PatchParser.parse(patch, needed))
                        .as(what)
                        .isInstanceOf(PatchException.class)
                        .hasMessage(error.value());
            } else if (vector.get("missing") != null) {
                assertThatThrownBy(() -> PatchParser.parse(patch, needed))
                        .as(what)
                        .isInstanceOf(PatchException.class);
            } else {
                Patch parsed = PatchParser.parse(patch, needed);
                assertThat(apply(parsed, files)).as(what).isEqualTo(files(vector, "after"));
                assertThat(Json.of(parsed.fuzz())).as(what).isEqualTo(vector.get("fuzz"));
                applied++;
            }
        }
        assertThat(applied).isGreaterThan(350);
    }

    /** As the script does it, one change after the other. */
    private static Map<String, String> apply(Patch patch, Map<String, String> files) {
        Map<String, String> result = new TreeMap<>(files);
        for (FileChange change : patch.changes()) {
            switch (change) {
                case FileChange.Add add -> result.put(add.path(), add.content());
                case FileChange.Delete delete -> result.remove(delete.path());
                case FileChange.Update update -> {
                    result.put(update.target(), update.content());
                    if (update.moveTo() != null) {
                        result.remove(update.path());
                    }
                }
            }
        }
        return result;
    }
}
