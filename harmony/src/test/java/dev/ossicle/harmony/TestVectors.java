package dev.ossicle.harmony;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonNull;
import dev.ossicle.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What OpenAI's own library answered. */
class TestVectors {
    private static final HarmonyProtocol PROTOCOL = new HarmonyProtocol(HarmonyEncoding.gptOss());

    @Test
    void all599Hold() throws IOException {
        List<String> lines = lines("vectors.jsonl.gz");
        assertThat(lines).hasSize(599);
        for (int i = 0; i < lines.size(); i++) {
            check(lines.get(i), i);
        }
    }

    static List<String> lines(String resource) throws IOException {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                new GZIPInputStream(Objects.requireNonNull(TestVectors.class.getResourceAsStream(resource), resource)),
                StandardCharsets.UTF_8))) {
            return reader.lines().toList();
        }
    }

    static void check(String line, int number) {
        JsonObject vector = (JsonObject) Json.parse(line);
        Map<String, Json> request = new LinkedHashMap<>(vector.members());
        Json expected = request.remove("expect");
        boolean fails = request.remove("error") != null;
        String op = String.valueOf(vector.get("op"));
        JsonObject answer =
                (JsonObject) Json.parse(PROTOCOL.answer(Json.of(request).toString()));
        String what = "vector " + number + ": " + line;
        if (fails) {
            assertThat(answer.members()).as(what).containsOnlyKeys("error");
            return;
        }
        Json found = answer.get(
                switch (op) {
                    case "\"parse\"" -> "messages";
                    case "\"decode\"" -> "text";
                    default -> "tokens";
                });
        assertThat(bare(found)).as(what + "\nanswer: " + answer).isEqualTo(bare(expected));
    }

    /** Without members that are null. */
    private static @Nullable Json bare(@Nullable Json value) {
        return switch (value) {
            case null -> null;
            case JsonObject object -> {
                JsonObject.Builder bare = JsonObject.builder();
                object.members().forEach((name, member) -> {
                    if (!(member instanceof JsonNull)) {
                        bare.put(name, Objects.requireNonNull(bare(member)));
                    }
                });
                yield bare.build();
            }
            case JsonArray array ->
                Json.of(array.elements().stream()
                        .map(element -> Objects.requireNonNull(bare(element)))
                        .toList());
            default -> value;
        };
    }
}
