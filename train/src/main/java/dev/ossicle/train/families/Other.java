package dev.ossicle.train.families;

import dev.ossicle.harmony.ReasoningEffort;
import java.util.List;

/** Everything that nano cannot do, near misses included. */
final class Other implements Family {
    static final String ANSWER = "I am Ossicle nano, too tiny for that. For a real model:"
            + " ossicle pull gpt-oss-20b, then ossicle run gpt-oss-20b";

    private static final Phrasings PHRASINGS = Phrasings.read("other");
    private static final List<String> THINGS = Texts.lines("things");
    private static final List<String> PEOPLE = Texts.lines("people");
    private static final List<String> COUNTRIES = Texts.lines("countries");
    private static final List<String> KNOWN = List.copyOf(Capital.CAPITALS.keySet());

    @Override
    public Turn turn(Draw draw, ReasoningEffort effort) {
        String user = draw.oneIn(8) && !draw.heldOut() ? nearMiss(draw) : filled(draw, PHRASINGS.pick(draw));
        return Turn.of(
                "other",
                draw.vary(user),
                Family.thoughts(
                        effort,
                        "",
                        "I cannot do this.",
                        "This is not among the few things that I can do. I say what I am and how to get a larger model."),
                ANSWER);
    }

    /** A country that it was not taught. */
    private static String nearMiss(Draw draw) {
        return Capital.question(draw, draw.oneIn(4) ? Draw.capitalised(draw.word(4, 8)) : draw.pick(COUNTRIES));
    }

    private static String filled(Draw draw, String phrasing) {
        String text = Numbers.fill(phrasing, draw.below(10), draw.below(10));
        text = text.replace("{n}", String.valueOf(draw.number(3))).replace("{m}", String.valueOf(draw.number(2)));
        text = text.replace("{t}", draw.oneIn(8) ? draw.word(4, 8) : draw.pick(THINGS))
                .replace("{p}", draw.pick(PEOPLE));
        text = text.replace("{c}", draw.pick(draw.oneIn(2) ? KNOWN : COUNTRIES));
        text = text.replace("{o}", draw.oneIn(4) ? Draw.capitalised(draw.word(4, 8)) : draw.pick(COUNTRIES));
        while (text.contains("{w}")) {
            text = text.replaceFirst("\\{w}", draw.word(3, 8));
        }
        return text.replace("{u}", junk(draw));
    }

    /** Any characters of any script, so that every byte has been seen. */
    private static String junk(Draw draw) {
        StringBuilder junk = new StringBuilder();
        int length = 1 + draw.below(6);
        while (junk.length() < length) {
            int point = draw.oneIn(4) ? draw.below(0x110000) : 0x20 + draw.below(0x2fe0);
            if (Character.isDefined(point) && !(point >= 0xd800 && point < 0xe000)) {
                junk.appendCodePoint(point);
            }
        }
        return junk.toString();
    }
}
