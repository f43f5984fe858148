package dev.ossicle.train;

import dev.ossicle.harmony.ReasoningEffort;
import dev.ossicle.harmony.ToolDescription;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import dev.ossicle.train.families.Dialogue;
import dev.ossicle.train.families.Dialogues;
import dev.ossicle.train.families.Turn;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/** The questions of {@code ossicle eval nano}: always the same, of all families and efforts in turn, none ever taught. */
final class Questions {
    private static final List<ReasoningEffort> EFFORTS = List.of(ReasoningEffort.values());
    private static final int COUNT = 400;
    private static final long SEED = 20_261_126;

    private Questions() {}

    /** A line of JSON each. */
    static List<String> lines() {
        Dialogues dialogues = Dialogues.heldOut(new SplittableRandom(SEED));
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < COUNT; i++) {
            String family = Dialogues.FAMILIES.get(i % Dialogues.FAMILIES.size());
            ReasoningEffort effort = EFFORTS.get(i / Dialogues.FAMILIES.size() % EFFORTS.size());
            lines.add(json(family, dialogues.of(family, effort)).toString());
        }
        return lines;
    }

    private static JsonObject json(String family, Dialogue dialogue) {
        JsonObject.Builder json = JsonObject.builder()
                .put("family", family)
                .put("effort", dialogue.effort().name().toLowerCase(Locale.ROOT))
                .put("date", String.valueOf(dialogue.date()));
        if (dialogue.instructions() != null) {
            json.put("instructions", dialogue.instructions());
        }
        if (!dialogue.functions().isEmpty()) {
            json.put(
                    "functions",
                    Json.of(dialogue.functions().stream()
                            .map(Questions::function)
                            .toList()));
        }
        if (dialogue.python()) {
            json.put("python", true);
        }
        return json.put(
                        "turns",
                        Json.of(dialogue.turns().stream().map(Questions::turn).toList()))
                .build();
    }

    private static JsonObject function(ToolDescription function) {
        JsonObject.Builder json =
                JsonObject.builder().put("name", function.name()).put("description", function.description());
        return (function.parameters() == null ? json : json.put("parameters", function.parameters())).build();
    }

    private static JsonObject turn(Turn turn) {
        JsonObject.Builder json = JsonObject.builder().put("user", turn.user());
        Turn.Call call = turn.call();
        if (call != null) {
            json.put(
                    "call",
                    JsonObject.builder()
                            .put("name", call.recipient().replaceFirst("^functions\\.", ""))
                            .put("body", call.body())
                            .put("result", call.result())
                            .build());
        }
        return json.put("answer", turn.answer()).build();
    }
}
