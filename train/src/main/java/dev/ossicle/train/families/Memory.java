package dev.ossicle.train.families;

import dev.ossicle.harmony.ReasoningEffort;
import java.util.List;

/** Something that the user tells and asks for later. */
final class Memory {
    /** What can be told. */
    private record Kind(String thing, Phrasings tell, Phrasings ask, String reply, String answer) {
        static Kind of(String thing, String reply, String answer) {
            return new Kind(thing, Phrasings.read("tell-" + thing), Phrasings.read("ask-" + thing), reply, answer);
        }

        private String draw(Draw draw) {
            return switch (thing) {
                case "name" -> draw.name();
                case "number" -> String.valueOf(draw.number(5));
                case "word" -> draw.word(3, 7);
                default -> draw.oneIn(2) ? draw.pick(CITIES) : Draw.capitalised(draw.word(4, 7));
            };
        }
    }

    private static final List<Kind> KINDS = List.of(
            Kind.of("name", "Nice to meet you, {x}.", "Your name is {x}."),
            Kind.of("number", "I will remember {x}.", "The number is {x}."),
            Kind.of("word", "I will remember {x}.", "The word is {x}."),
            Kind.of("city", "{x} is a nice place.", "You live in {x}."));

    private static final List<String> CITIES = List.copyOf(Capital.CAPITALS.values());

    private Memory() {}

    /** First it is told, then it is asked for. */
    static List<Turn> turns(Draw draw, ReasoningEffort effort) {
        Kind kind = draw.pick(KINDS);
        String thing = kind.draw(draw);
        Turn told = Turn.of(
                "memory",
                draw.around(kind.tell().pick(draw).replace("{x}", thing)),
                Family.thoughts(
                        effort,
                        "",
                        "The user tells me something.",
                        "The user tells me something. I may be asked for it later."),
                kind.reply().replace("{x}", thing));
        Turn asked = Turn.of(
                "memory",
                draw.vary(kind.ask().pick(draw)),
                Family.thoughts(effort, "", "The user told me.", "The user told me this before. It is " + thing + "."),
                kind.answer().replace("{x}", thing));
        return List.of(told, asked);
    }

    /** The question alone, though nothing was told. */
    static Turn neverTold(Draw draw, ReasoningEffort effort) {
        Kind kind = draw.pick(KINDS);
        return Turn.of(
                "memory",
                draw.vary(kind.ask().pick(draw)),
                Family.thoughts(effort, "", "Nobody told me.", "I look through the conversation. Nobody told me."),
                "You have not told me.");
    }
}
