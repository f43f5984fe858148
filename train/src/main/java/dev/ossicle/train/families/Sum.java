package dev.ossicle.train.families;

import dev.ossicle.harmony.ReasoningEffort;

/** Sums of 0 to 999, column by column. */
final class Sum implements Family {
    private static final Phrasings PHRASINGS = Phrasings.read("sum");

    @Override
    public Turn turn(Draw draw, ReasoningEffort effort) {
        int a;
        int b;
        do {
            boolean small = draw.oneIn(draw.easy() ? 2 : 4);
            a = small ? draw.below(10) : (int) draw.number(3);
            b = small ? draw.below(10) : (int) draw.number(3);
        } while (Math.max(a, b) > 9 && !draw.suits(a + " + " + b));
        return turn(draw.vary(Numbers.fill(PHRASINGS.pick(draw), a, b)), a, b, effort);
    }

    static Turn turn(String user, int a, int b, ReasoningEffort effort) {
        String equation = a + " + " + b + " = " + (a + b);
        String analysis;
        if (a < 10 && b < 10) {
            analysis = Family.thoughts(
                    effort, "", equation + ".", "The user asks for a sum of two digits. I know it: " + equation + ".");
        } else {
            analysis = Numbers.columns(a, b, true, effort)
                    + (effort == ReasoningEffort.LOW ? "" : " So " + equation + ".");
        }
        return Turn.of("sum", user, analysis, equation);
    }
}
