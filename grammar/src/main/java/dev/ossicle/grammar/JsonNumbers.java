package dev.ossicle.grammar;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Numbers as JSON writes them, within bounds. So that no model writes digits for ever, a number has at most
 * {@value #DIGITS} digits before the point (more where a bound has more), {@value #DIGITS} after it; with an exponent, which is 307 at most,
 * it has one digit before the point and so stays finite as a double. Where there are bounds it has no exponent.
 */
final class JsonNumbers {
    static final int DIGITS = 20;

    private final Expressions expressions;
    private final Expression digit;
    private final Expression zeros;
    private final Expression minus;

    JsonNumbers(Expressions expressions) {
        this.expressions = expressions;
        this.digit = digits('0', '9');
        this.zeros = expressions.repeat(expressions.literal("0"), 0, DIGITS);
        this.minus = expressions.literal("-");
    }

    /** What may be asked of a number; null for no bound. */
    record Bounds(
            @Nullable BigDecimal min,
            boolean aboveMin,
            @Nullable BigDecimal max,
            boolean belowMax) {
        static final Bounds NONE = new Bounds(null, false, null, false);
    }

    private Expression digits(int from, int to) {
        return from > to ? expressions.nothing : expressions.bytes(ByteSet.range(from, to));
    }

    private Expression digits(int min, int max, boolean anything) {
        return expressions.repeat(anything ? digit : expressions.literal("0"), min, max);
    }

    /** Any number. */
    Expression any() {
        Expression whole = expressions.choice(List.of(
                expressions.literal("0"),
                expressions.sequence(digits('1', '9'), expressions.repeat(digit, 0, DIGITS - 1))));
        Expression fraction = expressions.sequence(expressions.literal("."), expressions.repeat(digit, 1, DIGITS));
        Expression exponent = expressions.sequence(
                expressions.bytes(ByteSet.of('e').or(ByteSet.of('E'))),
                expressions.optional(expressions.bytes(ByteSet.of('+').or(ByteSet.of('-')))),
                expressions.choice(List.of(
                        expressions.repeat(digit, 1, 2),
                        expressions.sequence(digits('0', '2'), digit, digit),
                        expressions.sequence(expressions.literal("30"), digits('0', '7')))));
        return expressions.sequence(
                expressions.optional(minus),
                expressions.choice(List.of(
                        expressions.sequence(whole, expressions.optional(fraction)),
                        expressions.sequence(digit, expressions.optional(fraction), exponent))));
    }

    /** An integer without fraction or exponent, within bounds and, where a divisor is given, a multiple of it. */
    Expression integer(Bounds bounds, @Nullable Expression multiple) {
        BigInteger min = bounds.min == null ? null : ceiling(bounds.min, bounds.aboveMin);
        BigInteger max = bounds.max == null ? null : floor(bounds.max, bounds.belowMax);
        Expression negative = natural(
                max == null || max.signum() >= 0 ? BigInteger.ONE : max.negate(), min == null ? null : min.negate());
        Expression positive = natural(min == null ? BigInteger.ZERO : min.max(BigInteger.ZERO), max);
        Expression result = expressions.choice(List.of(positive, expressions.sequence(minus, negative)));
        return multiple == null ? result : expressions.both(result, multiple);
    }

    private static BigInteger ceiling(BigDecimal value, boolean above) {
        return above
                ? value.setScale(0, RoundingMode.FLOOR).toBigInteger().add(BigInteger.ONE)
                : value.setScale(0, RoundingMode.CEILING).toBigInteger();
    }

    private static BigInteger floor(BigDecimal value, boolean below) {
        return below
                ? value.setScale(0, RoundingMode.CEILING).toBigInteger().subtract(BigInteger.ONE)
                : value.setScale(0, RoundingMode.FLOOR).toBigInteger();
    }

    /** A natural number from {@code min}, at least 0, to {@code max}. */
    private Expression natural(BigInteger min, @Nullable BigInteger max) {
        String low = min.toString();
        String high = max == null ? "9".repeat(Math.max(DIGITS, low.length() + 1)) : max.toString();
        if (max != null && min.compareTo(max) > 0) {
            return expressions.nothing;
        }
        List<Expression> lengths = new ArrayList<>();
        for (int length = low.length(); length <= high.length(); length++) {
            String from = length == low.length() ? low : "1" + "0".repeat(length - 1);
            String to = length == high.length() ? high : "9".repeat(length);
            if (length > low.length() && length < high.length()) {
                // All numbers of the lengths between are alike.
                lengths.add(expressions.sequence(digits('1', '9'), digits(length - 1, high.length() - 2, true)));
                length = high.length() - 1;
            } else {
                lengths.add(between(from, to, 0));
            }
        }
        return expressions.choice(lengths);
    }

    /** Numbers of the same length, from their digit {@code at} on. */
    private Expression between(String from, String to, int at) {
        int left = from.length() - at;
        if (from.endsWith("0".repeat(left)) && to.endsWith("9".repeat(left))) {
            return digits(left, left, true);
        }
        char low = from.charAt(at);
        char high = to.charAt(at);
        if (low == high) {
            return expressions.sequence(digits(low, low), between(from, to, at + 1));
        }
        return expressions.choice(List.of(
                expressions.sequence(digits(low, low), between(from, "9".repeat(to.length()), at + 1)),
                expressions.sequence(digits(low + 1, high - 1), digits(left - 1, left - 1, true)),
                expressions.sequence(digits(high, high), between("0".repeat(from.length()), to, at + 1))));
    }

    /** A number within bounds, in decimal notation, and where given a multiple. */
    Expression number(Bounds bounds, @Nullable Expression multiple) {
        if (bounds.min == null && bounds.max == null && multiple == null) {
            return any();
        }
        BigDecimal min = bounds.min;
        BigDecimal max = bounds.max;
        List<Expression> signs = new ArrayList<>();
        if (max == null || max.signum() > 0 || max.signum() == 0 && !bounds.belowMax) {
            signs.add(
                    min == null || min.signum() < 0
                            ? magnitude(BigDecimal.ZERO, false, max, bounds.belowMax)
                            : magnitude(min, bounds.aboveMin, max, bounds.belowMax));
        }
        if (min == null || min.signum() < 0) {
            BigDecimal most = min == null ? null : min.negate();
            Expression magnitude = max == null || max.signum() >= 0
                    ? magnitude(BigDecimal.ZERO, true, most, bounds.aboveMin) // no negative zero
                    : magnitude(max.negate(), bounds.belowMax, most, bounds.aboveMin);
            signs.add(expressions.sequence(minus, magnitude));
        }
        Expression result = expressions.choice(signs);
        return multiple == null ? result : expressions.both(result, multiple);
    }

    /** A decimal number from {@code min}, at least 0, to {@code max}, with or without these two. */
    private Expression magnitude(BigDecimal min, boolean above, @Nullable BigDecimal max, boolean below) {
        BigInteger low = min.toBigInteger();
        String lowFraction = fraction(min);
        List<Expression> out = new ArrayList<>();
        Expression anyFraction = expressions.optional(
                expressions.sequence(expressions.literal("."), expressions.repeat(digit, 1, DIGITS)));
        Expression lowWhole = expressions.literal(low.toString());
        if (max == null) {
            out.add(expressions.sequence(lowWhole, atLeast(lowFraction, above)));
            out.add(expressions.sequence(natural(low.add(BigInteger.ONE), null), anyFraction));
            return expressions.choice(out);
        }
        BigInteger high = max.toBigInteger();
        String highFraction = fraction(max);
        int order = low.compareTo(high);
        if (order == 0) {
            out.add(expressions.sequence(
                    lowWhole, expressions.both(atLeast(lowFraction, above), atMost(highFraction, below))));
        } else if (order < 0) {
            out.add(expressions.sequence(lowWhole, atLeast(lowFraction, above)));
            out.add(expressions.sequence(natural(low.add(BigInteger.ONE), high.subtract(BigInteger.ONE)), anyFraction));
            out.add(expressions.sequence(expressions.literal(high.toString()), atMost(highFraction, below)));
        }
        return expressions.choice(out);
    }

    /** The digits after the point, without zeros at the end. */
    private static String fraction(BigDecimal value) {
        String plain = value.toPlainString();
        int point = plain.indexOf('.');
        return point < 0 ? "" : plain.substring(point + 1).replaceFirst("0+$", "");
    }

    /** A fraction, with its point or absent, that is at least {@code bound}, or above it. */
    private Expression atLeast(String bound, boolean above) {
        Expression some = expressions.sequence(zeros, digits('1', '9'), digits(0, DIGITS, true));
        Expression rest = above ? some : expressions.repeat(digit, 0, DIGITS);
        for (int i = bound.length() - 1; i >= 0; i--) {
            char c = bound.charAt(i);
            rest = expressions.choice(List.of(
                    expressions.sequence(digits(c, c), rest),
                    expressions.sequence(digits(c + 1, '9'), digits(0, DIGITS, true))));
        }
        if (bound.isEmpty() && !above) {
            return expressions.optional(
                    expressions.sequence(expressions.literal("."), expressions.repeat(digit, 1, DIGITS)));
        }
        return expressions.sequence(expressions.literal("."), rest);
    }

    /** A fraction, with its point or absent, that is at most {@code bound}, or below it. */
    private Expression atMost(String bound, boolean below) {
        if (bound.isEmpty()) {
            return below
                    ? expressions.nothing
                    : expressions.optional(expressions.sequence(expressions.literal("."), digits(1, DIGITS, false)));
        }
        Expression rest = below ? expressions.nothing : zeros;
        for (int i = bound.length() - 1; i >= 0; i--) {
            char c = bound.charAt(i);
            List<Expression> alternatives = new ArrayList<>(List.of(
                    expressions.sequence(digits(c, c), rest),
                    expressions.sequence(digits('0', c - 1), digits(0, DIGITS, true))));
            if (i > 0) {
                alternatives.add(expressions.empty); // digits other than zero are missing: less
            }
            rest = expressions.choice(alternatives);
        }
        return expressions.optional(expressions.sequence(expressions.literal("."), rest));
    }
}
