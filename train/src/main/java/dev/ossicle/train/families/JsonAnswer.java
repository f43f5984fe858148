package dev.ossicle.train.families;

import dev.ossicle.harmony.ReasoningEffort;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Writing given keys and values as JSON, and nothing else. */
final class JsonAnswer implements Family {
    private static final Phrasings PHRASINGS = Phrasings.read("json");
    static final List<String> KEYS = Texts.lines("keys");

    @Override
    public Turn turn(Draw draw, ReasoningEffort effort) {
        int count = draw.easy() ? 1 : 1 + draw.below(3);
        Set<String> keys = new LinkedHashSet<>();
        while (keys.size() < count) {
            keys.add(draw.oneIn(3) ? draw.word(3, 6) : draw.pick(KEYS));
        }
        String between = draw.pick(List.of(" ", " = ", ": ", " is "));
        List<String> said = new ArrayList<>();
        List<String> members = new ArrayList<>();
        for (String key : keys) {
            boolean number = draw.oneIn(3);
            String value = number ? String.valueOf(draw.number(3)) : draw.oneIn(3) ? draw.word(3, 6) : draw.name();
            said.add(key + between + value);
            members.add("\"" + key + "\":" + (number ? value : "\"" + value + "\""));
        }
        String list = said.size() == 1
                ? said.getFirst()
                : String.join(", ", said.subList(0, said.size() - 1)) + " and " + said.getLast();
        return Turn.of(
                "json",
                draw.around(PHRASINGS.pick(draw).replace("{x}", list)),
                Family.thoughts(
                        effort,
                        "",
                        "The user wants JSON.",
                        "The user wants JSON with " + count + (count == 1 ? " key." : " keys.")
                                + " I write the object and nothing else."),
                "{" + String.join(",", members) + "}");
    }
}
