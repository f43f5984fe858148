package dev.ossicle.grammar;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ossicle.grammar.Expression.Both;
import dev.ossicle.grammar.Expression.Bytes;
import dev.ossicle.grammar.Expression.Choice;
import dev.ossicle.grammar.Expression.Empty;
import dev.ossicle.grammar.Expression.Level;
import dev.ossicle.grammar.Expression.Literal;
import dev.ossicle.grammar.Expression.Multiple;
import dev.ossicle.grammar.Expression.Not;
import dev.ossicle.grammar.Expression.Nothing;
import dev.ossicle.grammar.Expression.Reference;
import dev.ossicle.grammar.Expression.Repeat;
import dev.ossicle.grammar.Expression.Rule;
import dev.ossicle.grammar.Expression.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Makes expressions, equal ones once, in a form that keeps the number of different ones small: alternatives that begin
 * alike share their beginning, which is what keeps an ambiguous grammar from multiplying. Not thread-safe.
 */
final class Expressions {
    /** What a child looks up in its parent: the parent gets no more expressions from then on. */
    private final @Nullable Expressions parent;

    private final Map<Object, Expression> known = new HashMap<>();
    private int nextId;

    final Expression nothing;
    final Expression empty;
    final Expression level;

    Expressions() {
        parent = null;
        nothing = intern("nothing", Nothing::new);
        empty = intern("empty", Empty::new);
        level = intern("level", Level::new);
    }

    /** Adds to {@code parent} without changing it, with ids from {@code firstId} on. */
    Expressions(Expressions parent, int firstId) {
        this.parent = parent;
        this.nextId = firstId;
        nothing = parent.nothing;
        empty = parent.empty;
        level = parent.level;
    }

    private record LiteralKey(byte[] text, int from) {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof LiteralKey key
                    && Arrays.equals(text, from, text.length, key.text, key.from, key.text.length);
        }

        @Override
        public int hashCode() {
            int hash = 1;
            for (int i = from; i < text.length; i++) {
                hash = 31 * hash + text[i];
            }
            return hash;
        }
    }

    private record SequenceKey(int head, int tail) {}

    private record RepeatKey(int body, int min, int max) {}

    private record BothKey(int left, int right) {}

    private record NotKey(int body) {}

    private record MultipleKey(int divisor, int places, int remainder, int fraction) {}

    private Expression intern(Object key, IntFunction<Expression> make) {
        Expression found = parent == null ? null : parent.known.get(key);
        if (found == null) {
            found = known.get(key);
        }
        if (found == null) {
            found = make.apply(nextId++);
            known.put(key, found);
        }
        return found;
    }

    /** How many were made here. */
    int size() {
        return known.size();
    }

    /** The id that the next one would get. */
    int nextId() {
        return nextId;
    }

    Collection<Expression> all() {
        return known.values();
    }

    Expression bytes(ByteSet set) {
        return set.isEmpty() ? nothing : intern(set, id -> new Bytes(id, set));
    }

    Expression literal(String text) {
        return literal(text.getBytes(UTF_8), 0);
    }

    Expression literal(byte[] text, int from) {
        return from == text.length ? empty : intern(new LiteralKey(text, from), id -> new Literal(id, text, from));
    }

    Expression reference(Rule rule) {
        return intern(rule, id -> new Reference(id, rule));
    }

    Expression optional(Expression body) {
        return choice(List.of(body, empty));
    }

    Expression repeat(Expression body, int min, int max) {
        if (max == 0 || body == empty) {
            return empty;
        }
        if (body == nothing) {
            return min == 0 ? empty : nothing;
        }
        if (min == 1 && max == 1) {
            return body;
        }
        return intern(new RepeatKey(body.id, min, max), id -> new Repeat(id, body, min, max));
    }

    Expression sequence(Expression... parts) {
        return sequence(List.of(parts));
    }

    Expression sequence(List<Expression> parts) {
        Expression result = empty;
        for (int i = parts.size() - 1; i >= 0; i--) {
            result = sequence(parts.get(i), result);
        }
        return result;
    }

    Expression sequence(Expression head, Expression tail) {
        if (head == nothing || tail == nothing) {
            return nothing;
        }
        if (head == empty) {
            return tail;
        }
        if (tail == empty) {
            return head;
        }
        if (!(head instanceof Sequence)) {
            return pair(head, tail);
        }
        List<Expression> heads = new ArrayList<>();
        Expression rest = head;
        while (rest instanceof Sequence sequence) {
            heads.add(sequence.head);
            rest = sequence.tail;
        }
        Expression result = pair(rest, tail);
        for (int i = heads.size() - 1; i >= 0; i--) {
            result = pair(heads.get(i), result);
        }
        return result;
    }

    private Expression pair(Expression head, Expression tail) {
        return intern(new SequenceKey(head.id, tail.id), id -> new Sequence(id, head, tail));
    }

    Expression choice(List<Expression> alternatives) {
        Collector collector = new Collector();
        alternatives.forEach(collector::add);
        return collector.choice();
    }

    Expression both(Expression left, Expression right) {
        if (left == nothing || right == nothing) {
            return nothing;
        }
        if (left == right || isEverything(right)) {
            return left;
        }
        if (isEverything(left)) {
            return right;
        }
        if (left == empty || right == empty) {
            return left.nullable() && right.nullable() ? empty : nothing;
        }
        if (left instanceof Bytes l && right instanceof Bytes r) {
            return bytes(l.set.and(r.set));
        }
        return left.id < right.id
                ? intern(new BothKey(left.id, right.id), id -> new Both(id, left, right))
                : intern(new BothKey(right.id, left.id), id -> new Both(id, right, left));
    }

    private boolean isEverything(Expression expression) {
        return expression instanceof Not not && not.body == nothing;
    }

    Expression not(Expression body) {
        return body instanceof Not not ? not.body : intern(new NotKey(body.id), id -> new Not(id, body));
    }

    /** See {@link Multiple}. */
    Expression multiple(int divisor, int places) {
        return multiple(divisor, places, 0, -2);
    }

    Expression multiple(int divisor, int places, int remainder, int fraction) {
        return intern(
                new MultipleKey(divisor, places, remainder, fraction),
                id -> new Multiple(id, divisor, places, remainder, fraction));
    }

    /** Collects alternatives by their heads. */
    final class Collector {
        private final Map<Expression, Expression> tails = new LinkedHashMap<>();

        void add(Expression expression) {
            switch (expression) {
                case Nothing ignored -> {}
                case Choice choice -> choice.alternatives.forEach(this::add);
                case Sequence sequence -> {
                    if (sequence.head == level) {
                        add(sequence.tail);
                    } else {
                        merge(sequence.head, sequence.tail);
                    }
                }
                case Level ignored -> merge(empty, empty);
                case Empty ignored -> merge(empty, empty);
                case Bytes ignored -> merge(expression, empty);
                case Literal ignored -> merge(expression, empty);
                case Repeat ignored -> merge(expression, empty);
                case Reference ignored -> merge(expression, empty);
                case Both ignored -> merge(expression, empty);
                case Not ignored -> merge(expression, empty);
                case Multiple ignored -> merge(expression, empty);
            }
        }

        private void merge(Expression head, Expression tail) {
            tails.merge(head, tail, (a, b) -> a == b ? a : Expressions.this.choice(List.of(a, b)));
        }

        Expression choice() {
            if (tails.isEmpty()) {
                return nothing;
            }
            List<Expression> alternatives = new ArrayList<>(tails.size());
            tails.forEach((head, tail) -> alternatives.add(tail == empty ? head : pair(head, tail)));
            if (alternatives.size() == 1) {
                return alternatives.getFirst();
            }
            alternatives.sort(Comparator.comparingInt(e -> e.id));
            List<Expression> key = List.copyOf(alternatives);
            return intern(key, id -> new Choice(id, key));
        }
    }
}
