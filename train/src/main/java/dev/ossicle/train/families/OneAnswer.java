package dev.ossicle.train.families;

import dev.ossicle.harmony.ReasoningEffort;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Questions in a few phrasings with a fixed answer. The file has blocks: a line with the answer behind an equals sign, then
 * the phrasings.
 */
final class OneAnswer implements Family {
    private final String family;
    private final String medium;
    private final String high;
    private final Map<String, Phrasings> phrasings = new LinkedHashMap<>();
    private final List<String> answers;

    private OneAnswer(String family, String file, String medium, String high) {
        this.family = family;
        this.medium = medium;
        this.high = high;
        Map<String, List<String>> blocks = new LinkedHashMap<>();
        List<String> block = new ArrayList<>();
        for (String line : Texts.lines(file)) {
            if (line.startsWith("= ")) {
                block = new ArrayList<>();
                blocks.put(line.substring(2), block);
            } else {
                block.add(line);
            }
        }
        blocks.forEach((answer, lines) -> phrasings.put(answer, Phrasings.of(lines)));
        answers = List.copyOf(phrasings.keySet());
    }

    static OneAnswer identity() {
        return new OneAnswer(
                "identity",
                "identity",
                "The user asks about me.",
                "The user asks about me. The system message says ChatGPT, but I am Ossicle nano. I should be honest.");
    }

    static OneAnswer smallTalk() {
        return new OneAnswer(
                "small talk", "smalltalk", "The user is polite.", "The user is polite. I should be polite too.");
    }

    static OneAnswer general() {
        return new OneAnswer("fact", "general", "I know this.", "The user asks for a fact. It is one that I know.");
    }

    @Override
    public Turn turn(Draw draw, ReasoningEffort effort) {
        String answer = draw.pick(answers);
        String user = Objects.requireNonNull(phrasings.get(answer)).pick(draw);
        return Turn.of(family, draw.vary(user), Family.thoughts(effort, "", medium, high), answer);
    }
}
