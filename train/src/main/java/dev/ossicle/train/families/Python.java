package dev.ossicle.train.families;

import dev.ossicle.harmony.ReasoningEffort;
import java.math.BigInteger;
import java.util.List;

/** Arithmetic that is too large to do in the head: with Python where it is offered, else with advice how to offer it. */
final class Python {
    private static final List<Phrasings> PHRASINGS =
            List.of(Phrasings.read("sum"), Phrasings.read("difference"), Phrasings.read("product"));
    private static final List<String> SIGNS = List.of(" + ", " - ", " * ");

    private Python() {}

    static Turn turn(Draw draw, ReasoningEffort effort, boolean offered) {
        int operation = draw.oneIn(2) ? 2 : draw.below(2);
        long a;
        long b;
        do {
            a = draw.number(draw.easy() ? 8 : 7);
            b = draw.number(draw.easy() ? 4 : 7);
        } while (Math.max(a, b) < (operation == 2 ? 13 : 1000) || !draw.suits(a + SIGNS.get(operation) + b));
        String user = draw.vary(Numbers.fill(PHRASINGS.get(operation).pick(draw), a, b));
        String expression = a + SIGNS.get(operation) + b;
        if (!offered) {
            return Turn.of(
                    "too large",
                    user,
                    Family.thoughts(
                            effort,
                            "",
                            "Too large for my head.",
                            "The numbers are too large for my head, and I have no Python here. I say how to get it."),
                    "That is too large for my head. With Python I can: ossicle run --tools python \"" + expression
                            + "\"");
        }
        BigInteger x = BigInteger.valueOf(a);
        BigInteger y = BigInteger.valueOf(b);
        BigInteger result = operation == 0 ? x.add(y) : operation == 1 ? x.subtract(y) : x.multiply(y);
        return new Turn(
                "python",
                user,
                Family.thoughts(
                        effort,
                        "",
                        "Too large for my head.",
                        "The numbers are too large for my head. Python can do it exactly, so I call it."),
                new Turn.Call("python", "print(" + expression + ")", result + "\n"),
                "The result is " + result + ".");
    }
}
