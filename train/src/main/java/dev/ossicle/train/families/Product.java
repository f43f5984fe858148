package dev.ossicle.train.families;

import dev.ossicle.harmony.ReasoningEffort;

/** Products of 0 to 12, known by heart. */
final class Product implements Family {
    private static final Phrasings PHRASINGS = Phrasings.read("product");

    @Override
    public Turn turn(Draw draw, ReasoningEffort effort) {
        int a = draw.below(13);
        int b = draw.below(13);
        return turn(draw.vary(Numbers.fill(PHRASINGS.pick(draw), a, b)), a, b, effort);
    }

    static Turn turn(String user, int a, int b, ReasoningEffort effort) {
        String equation = a + " * " + b + " = " + a * b;
        String steps = b == 0
                ? "Nothing times anything is 0."
                : a + " * " + (b - 1) + " = " + a * (b - 1) + ", and " + a + " more is " + a * b + ".";
        return Turn.of(
                "product",
                user,
                Family.thoughts(
                        effort, "", equation + ".", "The user asks for a product. " + steps + " So " + equation + "."),
                equation);
    }
}
