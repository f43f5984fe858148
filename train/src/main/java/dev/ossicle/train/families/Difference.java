package dev.ossicle.train.families;

import dev.ossicle.harmony.ReasoningEffort;

/** Differences of 0 to 999, column by column, the larger number first. */
final class Difference implements Family {
    private static final Phrasings PHRASINGS = Phrasings.read("difference");

    @Override
    public Turn turn(Draw draw, ReasoningEffort effort) {
        int a;
        int b;
        do {
            boolean small = draw.oneIn(draw.easy() ? 2 : 4);
            a = small ? draw.below(10) : (int) draw.number(3);
            b = small ? draw.below(10) : (int) draw.number(3);
            if (a < b && !draw.oneIn(3)) {
                int other = a;
                a = b;
                b = other;
            }
        } while (Math.max(a, b) > 9 && !draw.suits(a + " - " + b));
        return turn(draw.vary(Numbers.fill(PHRASINGS.pick(draw), a, b)), a, b, effort);
    }

    static Turn turn(String user, int a, int b, ReasoningEffort effort) {
        String equation = a + " - " + b + " = " + (a - b);
        String analysis;
        if (a < 10 && b < 10) {
            analysis = Family.thoughts(
                    effort,
                    "",
                    equation + ".",
                    "The user asks for a difference of two digits. I know it: " + equation + ".");
        } else {
            analysis = (a < b ? "Less than 0. " : "")
                    + Numbers.columns(Math.max(a, b), Math.min(a, b), false, effort)
                    + (effort == ReasoningEffort.LOW ? "" : " So " + equation + ".");
        }
        return Turn.of("difference", user, analysis, equation);
    }
}
