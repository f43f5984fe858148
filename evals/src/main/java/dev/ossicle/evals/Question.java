package dev.ossicle.evals;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ossicle.harmony.ReasoningEffort;
import dev.ossicle.harmony.ToolDescription;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonBoolean;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import java.io.IOException;
import java.io.InputStream;
import java.time.LocalDate;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A conversation whose last answer is judged.
 *
 * @param family what kind of question it is
 * @param instructions of the developer; null if there are none
 * @param functions that the developer declares
 * @param python whether the built-in tool is offered
 */
record Question(
        String family,
        ReasoningEffort effort,
        LocalDate date,
        @Nullable String instructions,
        List<ToolDescription> functions,
        boolean python,
        List<Turn> turns) {
    /**
     * What the user says, and the right answer.
     *
     * @param call null if none is needed
     * @param answer after the call, if there is one
     */
    record Turn(String user, @Nullable Call call, String answer) {}

    /**
     * A call and what it is told.
     *
     * @param name of the function, or {@code python}
     */
    record Call(String name, String body, String result) {}

    /** Those for nano: a line of JSON each, in a resource. */
    static List<Question> nano() throws IOException {
        try (InputStream in = Question.class.getResourceAsStream("nano.jsonl")) {
            if (in == null) {
                throw new IOException("this build has no questions: nano.jsonl is missing");
            }
            return new String(in.readAllBytes(), UTF_8)
                    .lines()
                    .map(line -> parse((JsonObject) Json.parse(line)))
                    .toList();
        }
    }

    private static Question parse(JsonObject json) {
        String instructions = json.present("instructions") == null ? null : text(json, "instructions");
        return new Question(
                text(json, "family"),
                ReasoningEffort.valueOf(text(json, "effort").toUpperCase(Locale.ROOT)),
                LocalDate.parse(text(json, "date")),
                instructions,
                array(json, "functions").stream()
                        .map(each -> new ToolDescription(
                                text(each, "name"), text(each, "description"), each.get("parameters")))
                        .toList(),
                JsonBoolean.TRUE.equals(json.get("python")),
                array(json, "turns").stream().map(Question::turn).toList());
    }

    private static Turn turn(JsonObject json) {
        Call call = json.get("call") instanceof JsonObject object
                ? new Call(text(object, "name"), text(object, "body"), text(object, "result"))
                : null;
        return new Turn(text(json, "user"), call, text(json, "answer"));
    }

    private static String text(JsonObject json, String name) {
        if (json.get(name) instanceof JsonString string) {
            return string.value();
        }
        throw new IllegalArgumentException("a question has no text " + name + ": " + json);
    }

    private static List<JsonObject> array(JsonObject json, String name) {
        return json.get(name) instanceof JsonArray array
                ? array.elements().stream().map(JsonObject.class::cast).toList()
                : List.of();
    }
}
