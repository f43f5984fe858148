package dev.ossicle.train.families;

import dev.ossicle.harmony.ReasoningEffort;
import java.util.List;
import java.util.Map;

/** Capitals of countries. */
final class Capital implements Family {
    static final Map<String, String> CAPITALS = Texts.pairs("capitals");
    private static final List<String> COUNTRIES = List.copyOf(CAPITALS.keySet());
    private static final Phrasings PHRASINGS = Phrasings.read("capital");

    @Override
    public Turn turn(Draw draw, ReasoningEffort effort) {
        String country = draw.pick(COUNTRIES);
        return turn(draw.vary(PHRASINGS.pick(draw).replace("{x}", country)), country, effort);
    }

    static String question(Draw draw, String country) {
        return PHRASINGS.pick(draw).replace("{x}", country);
    }

    static Turn turn(String user, String country, ReasoningEffort effort) {
        String sentence = "The capital of " + country + " is " + CAPITALS.get(country) + ".";
        return Turn.of(
                "fact",
                user,
                Family.thoughts(
                        effort,
                        "",
                        sentence,
                        "The user asks for a capital. The country is " + country + ". I know it: " + sentence),
                sentence);
    }
}
