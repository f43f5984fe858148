package dev.ossicle.grammar;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A language over bytes, as a tree. Equal ones are one object (see {@link Expressions}), so that a grammar's position, which
 * is what may still follow, is found again when it recurs. A {@link Sequence} leans to the right: it is the automaton's
 * stack, with the innermost thing on top.
 *
 * <p>Immutable; what is remembered in it ({@link #nullable}, {@link #first}) is the same whoever finds it.
 */
abstract sealed class Expression {
    /** Repeats without a bound. */
    static final int UNBOUNDED = Integer.MAX_VALUE;

    final int id;

    /** Containers that are open: the most {@link Level}s below one another. */
    final int nesting;

    /** 0 while unknown, 1 no, 2 yes. */
    private byte nullable;

    private @Nullable ByteSet first;

    private Expression(int id, int nesting) {
        this.id = id;
        this.nesting = nesting;
    }

    /** Whether the empty text is in it. */
    final boolean nullable() {
        if (nullable == 0) {
            nullable = (byte) (findNullable() ? 2 : 1);
        }
        return nullable == 2;
    }

    /** Every byte that a text in it begins with, and perhaps some more. */
    final ByteSet first() {
        ByteSet found = first;
        if (found == null) {
            found = findFirst();
            first = found;
        }
        return found;
    }

    abstract boolean findNullable();

    abstract ByteSet findFirst();

    /** The tree as text: the same for the same tree in another grammar. References are not followed. */
    abstract void describe(StringBuilder out);

    /** No text at all. */
    static final class Nothing extends Expression {
        Nothing(int id) {
            super(id, 0);
        }

        @Override
        boolean findNullable() {
            return false;
        }

        @Override
        ByteSet findFirst() {
            return ByteSet.NONE;
        }

        @Override
        void describe(StringBuilder out) {
            out.append('0');
        }
    }

    /** The empty text. */
    static final class Empty extends Expression {
        Empty(int id) {
            super(id, 0);
        }

        @Override
        boolean findNullable() {
            return true;
        }

        @Override
        ByteSet findFirst() {
            return ByteSet.NONE;
        }

        @Override
        void describe(StringBuilder out) {
            out.append('1');
        }
    }

    /** The empty text too; in a sequence it says that a container ends here, so that depth can be counted. */
    static final class Level extends Expression {
        Level(int id) {
            super(id, 1);
        }

        @Override
        boolean findNullable() {
            return true;
        }

        @Override
        ByteSet findFirst() {
            return ByteSet.NONE;
        }

        @Override
        void describe(StringBuilder out) {
            out.append('L');
        }
    }

    /** One byte of a set, which is not empty. */
    static final class Bytes extends Expression {
        final ByteSet set;

        Bytes(int id, ByteSet set) {
            super(id, 0);
            this.set = set;
        }

        @Override
        boolean findNullable() {
            return false;
        }

        @Override
        ByteSet findFirst() {
            return set;
        }

        @Override
        void describe(StringBuilder out) {
            out.append('[').append(set).append(']');
        }
    }

    /** A given text, or what is left of it. */
    static final class Literal extends Expression {
        final byte[] text;
        final int from;

        Literal(int id, byte[] text, int from) {
            super(id, 0);
            this.text = text;
            this.from = from;
        }

        @Override
        boolean findNullable() {
            return false;
        }

        @Override
        ByteSet findFirst() {
            return ByteSet.of(text[from] & 255);
        }

        @Override
        void describe(StringBuilder out) {
            out.append('"').append(Arrays.toString(Arrays.copyOfRange(text, from, text.length)));
        }
    }

    /** One after the other; the head is no sequence. */
    static final class Sequence extends Expression {
        final Expression head;
        final Expression tail;

        Sequence(int id, Expression head, Expression tail) {
            super(id, (head instanceof Level ? 1 : 0) + tail.nesting);
            this.head = head;
            this.tail = tail;
        }

        @Override
        boolean findNullable() {
            return head.nullable() && tail.nullable();
        }

        @Override
        ByteSet findFirst() {
            return head.nullable() ? head.first().or(tail.first()) : head.first();
        }

        @Override
        void describe(StringBuilder out) {
            out.append('(');
            head.describe(out);
            out.append(' ');
            tail.describe(out);
            out.append(')');
        }
    }

    /** One of several, no two of which begin with the same head. */
    static final class Choice extends Expression {
        final List<Expression> alternatives;

        Choice(int id, List<Expression> alternatives) {
            super(id, alternatives.stream().mapToInt(e -> e.nesting).max().orElse(0));
            this.alternatives = alternatives;
        }

        @Override
        boolean findNullable() {
            for (Expression alternative : alternatives) {
                if (alternative.nullable()) {
                    return true;
                }
            }
            return false;
        }

        @Override
        ByteSet findFirst() {
            ByteSet result = ByteSet.NONE;
            for (Expression alternative : alternatives) {
                result = result.or(alternative.first());
            }
            return result;
        }

        @Override
        void describe(StringBuilder out) {
            out.append('{');
            alternatives.stream()
                    .map(e -> {
                        StringBuilder one = new StringBuilder();
                        e.describe(one);
                        return one.toString();
                    })
                    .sorted() // ids, which order them here, differ from grammar to grammar
                    .forEach(text -> out.append(text).append('|'));
            out.append('}');
        }
    }

    /** {@code min} to {@code max} times. */
    static final class Repeat extends Expression {
        final Expression body;
        final int min;
        final int max;

        Repeat(int id, Expression body, int min, int max) {
            super(id, 0);
            this.body = body;
            this.min = min;
            this.max = max;
        }

        @Override
        boolean findNullable() {
            return min == 0 || body.nullable();
        }

        @Override
        ByteSet findFirst() {
            return body.first();
        }

        @Override
        void describe(StringBuilder out) {
            body.describe(out);
            out.append('*').append(min).append(',').append(max);
        }
    }

    /** What a rule says: the way to recursion. */
    static final class Reference extends Expression {
        final Rule rule;

        Reference(int id, Rule rule) {
            super(id, 0);
            this.rule = rule;
        }

        @Override
        boolean findNullable() {
            return rule.nullable;
        }

        @Override
        ByteSet findFirst() {
            return rule.body().first();
        }

        @Override
        void describe(StringBuilder out) {
            out.append('<').append(rule.name).append('>');
        }
    }

    /** A name for an expression that may refer to itself. */
    static final class Rule {
        final String name;
        private @Nullable Expression body;

        /** Found when the grammar is complete. */
        boolean nullable;

        Rule(String name) {
            this.name = name;
        }

        void define(Expression expression) {
            body = expression;
        }

        boolean defined() {
            return body != null;
        }

        Expression body() {
            if (body == null) {
                throw new IllegalStateException("rule " + name + " has no body");
            }
            return body;
        }
    }

    /** What two regular languages have in common. */
    static final class Both extends Expression {
        final Expression left;
        final Expression right;

        Both(int id, Expression left, Expression right) {
            super(id, 0);
            this.left = left;
            this.right = right;
        }

        @Override
        boolean findNullable() {
            return left.nullable() && right.nullable();
        }

        @Override
        ByteSet findFirst() {
            return left.first().and(right.first());
        }

        @Override
        void describe(StringBuilder out) {
            left.describe(out);
            out.append('&');
            right.describe(out);
        }
    }

    /** Every sequence of bytes that is not in a regular language: of use in a {@link Both} only. */
    static final class Not extends Expression {
        final Expression body;

        Not(int id, Expression body) {
            super(id, 0);
            this.body = body;
        }

        @Override
        boolean findNullable() {
            return !body.nullable();
        }

        @Override
        ByteSet findFirst() {
            return ByteSet.range(0, 255);
        }

        @Override
        void describe(StringBuilder out) {
            out.append('!');
            body.describe(out);
        }
    }

    /**
     * Decimal numbers {@code -?[0-9]*(\.[0-9]+)?} that a divisor divides, as a counter modulo.
     *
     * <p>The number is a multiple of {@code divisor / 10^places}, and so has no more than that many digits other than
     * zero after the point; more than that many are not taken at all.
     */
    static final class Multiple extends Expression {
        final int divisor;
        final int places;
        final int remainder;

        /** Digits after the point so far; -1 before the point, -2 before the sign. */
        final int fraction;

        Multiple(int id, int divisor, int places, int remainder, int fraction) {
            super(id, 0);
            this.divisor = divisor;
            this.places = places;
            this.remainder = remainder;
            this.fraction = fraction;
        }

        @Override
        boolean findNullable() {
            if (fraction == -2 || fraction == 0) {
                return false;
            }
            long value = remainder;
            for (int i = Math.max(fraction, 0); i < places; i++) {
                value = value * 10 % divisor;
            }
            return value % divisor == 0;
        }

        @Override
        ByteSet findFirst() {
            ByteSet result = fraction < places ? ByteSet.range('0', '9') : ByteSet.NONE;
            if (fraction == -2) {
                result = result.or(ByteSet.of('-'));
            } else if (fraction == -1 && places > 0) {
                result = result.or(ByteSet.of('.'));
            }
            return result;
        }

        @Override
        void describe(StringBuilder out) {
            out.append('%').append(divisor).append('/').append(places);
            out.append(':').append(remainder).append(':').append(fraction);
        }
    }
}
