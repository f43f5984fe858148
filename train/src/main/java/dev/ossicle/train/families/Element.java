package dev.ossicle.train.families;

import dev.ossicle.harmony.ReasoningEffort;
import java.util.List;
import java.util.Map;

/** Chemical symbols. */
final class Element implements Family {
    static final Map<String, String> SYMBOLS = Texts.pairs("elements");
    private static final List<String> ELEMENTS = List.copyOf(SYMBOLS.keySet());
    private static final Phrasings PHRASINGS = Phrasings.read("element");

    @Override
    public Turn turn(Draw draw, ReasoningEffort effort) {
        String element = draw.pick(ELEMENTS);
        String sentence = "The symbol of " + element + " is " + SYMBOLS.get(element) + ".";
        return Turn.of(
                "fact",
                draw.vary(PHRASINGS.pick(draw).replace("{x}", element)),
                Family.thoughts(
                        effort,
                        "",
                        sentence,
                        "The user asks for a symbol. The element is " + element + ". I know it: " + sentence),
                sentence);
    }
}
