package dev.ossicle.grammar;

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
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A grammar's states and the steps between them, found as they are asked for and remembered.
 *
 * <p>A state is the expression of all that may still follow; the step for a byte is its derivative (Brzozowski:
 * Derivatives of regular expressions, 1964), extended to context-free rules by opening a rule where it stands: since no
 * rule begins with itself that ends, and what follows a rule stays behind it in the sequence, as on a stack.
 *
 * <p>From every state some text leads to the end: where none does there is no state. Not thread-safe.
 */
final class Automaton {
    /** The cost of what cannot be completed. */
    static final int NEVER = 1 << 28;

    /** The cost where it was not worth finding out: a budget this large is as good as none. */
    static final int UNKNOWN = 1 << 20;

    /** Steps of the search for the shortest text of an intersection. */
    private static final int SEARCH = 20_000;

    /** States after which all are forgotten, to be found again. */
    private static final int MAX_STATES = 100_000;

    /** A place in the grammar, which more text can reach the end from. */
    static final class State {
        final Expression expression;

        /** A number of tokens that is enough to reach the end from here. */
        final int cost;

        /** Whether the text may end here. */
        final boolean complete;

        private final @Nullable State[] next;

        private State(Expression expression, int cost, int classes) {
            this.expression = expression;
            this.cost = cost;
            this.complete = expression.nullable();
            this.next = new State[classes];
        }
    }

    private final Expressions grammarExpressions;
    private final Function<byte[], int[]> literalCosts;

    /** Of each byte: bytes that no expression tells apart are of one class, and {@link #members} has one of them. */
    private final int[] classOf = new int[256];

    private final int[] members;
    private final Map<Rule, Integer> ruleCosts = new IdentityHashMap<>();
    private final Map<byte[], int[]> costsOfLiterals = new IdentityHashMap<>();
    private final State dead;

    private Expressions expressions;
    private final Map<Expression, State> states = new HashMap<>();
    private final Map<Expression, Integer> costs = new HashMap<>();
    private final Map<Expression, @Nullable Expression[]> regularSteps = new HashMap<>();

    /**
     * @param rules that the root can reach
     * @param literalCosts of a text, for each of its suffixes, how many tokens make it
     */
    Automaton(Expressions grammarExpressions, List<Rule> rules, Function<byte[], int[]> literalCosts) {
        this.grammarExpressions = grammarExpressions;
        this.literalCosts = literalCosts;
        this.expressions = new Expressions(grammarExpressions, grammarExpressions.nextId());
        this.members = findClasses();
        this.dead = new State(expressions.nothing, NEVER, 0);
        findRuleCosts(rules);
    }

    private int[] findClasses() {
        Set<ByteSet> sets = new HashSet<>();
        for (Expression expression : grammarExpressions.all()) {
            if (expression instanceof Bytes bytes) {
                sets.add(bytes.set);
            } else if (expression instanceof Literal literal && literal.from == 0) {
                for (byte value : literal.text) {
                    sets.add(ByteSet.of(value & 255));
                }
            } else if (expression instanceof Multiple) {
                for (char c : "-.0123456789".toCharArray()) {
                    sets.add(ByteSet.of(c));
                }
            }
        }
        int count = 1;
        for (ByteSet set : sets) {
            int[] split = new int[256];
            Arrays.fill(split, -1);
            int[] outside = new int[256];
            for (int value = 0; value < 256; value++) {
                if (!set.contains(value)) {
                    outside[classOf[value]]++;
                }
            }
            for (int value = 0; value < 256; value++) {
                int old = classOf[value];
                if (set.contains(value) && outside[old] > 0) {
                    if (split[old] < 0) {
                        split[old] = count++;
                    }
                    classOf[value] = split[old];
                }
            }
        }
        int[] result = new int[count];
        for (int value = 0; value < 256; value++) {
            result[classOf[value]] = value;
        }
        return result;
    }

    /** From above: the cost of each rule falls until none changes. */
    private void findRuleCosts(List<Rule> rules) {
        rules.forEach(rule -> ruleCosts.put(rule, NEVER));
        boolean changed = true;
        List<Rule> order = rules;
        while (changed) {
            changed = false;
            order = order.reversed(); // whichever way they depend on each other, every other round follows it
            for (Rule rule : order) {
                Map<Expression, Integer> known = new HashMap<>();
                int cost = findCost(rule.body(), known);
                if (cost < ruleCosts.getOrDefault(rule, NEVER)) {
                    ruleCosts.put(rule, cost);
                    changed = true;
                }
            }
        }
    }

    /** Makes what states consist of. */
    Expressions expressions() {
        return expressions;
    }

    /** The state in which {@code expression} must follow. */
    State state(Expression expression) {
        State found = states.get(expression);
        if (found == null) {
            int cost = cost(expression);
            found = cost >= NEVER ? dead : new State(expression, cost, members.length);
            states.put(expression, found);
        }
        return found;
    }

    boolean isDead(State state) {
        return state == dead;
    }

    /** The state after one more byte; {@link #isDead} where it may not come. */
    State next(State state, int value) {
        int index = classOf[value];
        State next = state.next[index];
        if (next == null) {
            next = state(derivative(state.expression, value));
            state.next[index] = next;
        }
        return next;
    }

    /** To be called where no state is in the middle of being found: forgets them if there are too many. */
    void trim() {
        if (states.size() > MAX_STATES || expressions.size() > 4 * MAX_STATES) {
            expressions = new Expressions(grammarExpressions, expressions.nextId());
            states.clear();
            costs.clear();
            regularSteps.clear();
        }
    }

    private Expression derivative(Expression expression, int value) {
        Expressions.Collector out = expressions.new Collector();
        derive(expression, value, expressions.empty, out);
        return out.choice();
    }

    /** Adds what may follow, after {@code value} and before {@code tail}, where {@code expression} has to come. */
    private void derive(Expression expression, int value, Expression tail, Expressions.Collector out) {
        Expression at = expression;
        while (at.first().contains(value)) {
            switch (at) {
                case Nothing ignored -> {
                    return;
                }
                case Empty ignored -> {
                    return;
                }
                case Level ignored -> {
                    return;
                }
                case Bytes ignored -> {
                    out.add(tail);
                    return;
                }
                case Literal literal -> {
                    out.add(expressions.sequence(expressions.literal(literal.text, literal.from + 1), tail));
                    return;
                }
                case Repeat repeat -> {
                    Expression more = expressions.repeat(
                            repeat.body,
                            Math.max(repeat.min - 1, 0),
                            repeat.max == Expression.UNBOUNDED ? repeat.max : repeat.max - 1);
                    derive(repeat.body, value, expressions.sequence(more, tail), out);
                    return;
                }
                case Both ignored -> {
                    addRegular(at, value, tail, out);
                    return;
                }
                case Not ignored -> {
                    addRegular(at, value, tail, out);
                    return;
                }
                case Multiple ignored -> {
                    addRegular(at, value, tail, out);
                    return;
                }
                case Reference reference -> at = reference.rule.body();
                case Choice choice -> {
                    for (Expression alternative : choice.alternatives) {
                        if (alternative.first().contains(value)) {
                            derive(alternative, value, tail, out);
                        }
                    }
                    return;
                }
                case Sequence sequence -> {
                    if (sequence.head.first().contains(value)) {
                        derive(sequence.head, value, expressions.sequence(sequence.tail, tail), out);
                    }
                    if (!sequence.head.nullable()) {
                        return;
                    }
                    at = sequence.tail;
                }
            }
        }
    }

    private void addRegular(Expression expression, int value, Expression tail, Expressions.Collector out) {
        Expression next = regularStep(expression, value);
        if (next != expressions.nothing && cost(next) < NEVER) {
            out.add(expressions.sequence(next, tail));
        }
    }

    /** The derivative of a regular expression, with no look at whether it can be completed. */
    private Expression regularStep(Expression expression, int value) {
        @Nullable Expression[] steps = regularSteps.computeIfAbsent(expression, e -> new Expression[members.length]);
        int index = classOf[value];
        Expression found = steps[index];
        if (found == null) {
            found = switch (expression) {
                case Both both -> expressions.both(regularStep(both.left, value), regularStep(both.right, value));
                case Not not -> expressions.not(regularStep(not.body, value));
                case Multiple multiple -> step(multiple, value);
                default -> derivative(expression, value);
            };
            steps[index] = found;
        }
        return found;
    }

    private Expression step(Multiple at, int value) {
        if (!at.first().contains(value)) {
            return expressions.nothing;
        }
        if (value == '-') {
            return expressions.multiple(at.divisor, at.places, 0, -1);
        }
        if (value == '.') {
            return at.fraction == -1
                    ? expressions.multiple(at.divisor, at.places, at.remainder, 0)
                    : expressions.nothing;
        }
        int remainder = (at.remainder * 10 + value - '0') % at.divisor;
        return expressions.multiple(at.divisor, at.places, remainder, at.fraction < 0 ? -1 : at.fraction + 1);
    }

    /** A number of tokens that is enough for some text of the expression: {@link #NEVER} if it has none. */
    int cost(Expression expression) {
        return findCost(expression, costs);
    }

    private int findCost(Expression expression, Map<Expression, Integer> known) {
        Integer found = known.get(expression);
        if (found != null) {
            return found;
        }
        int cost = switch (expression) {
            case Nothing ignored -> NEVER;
            case Empty ignored -> 0;
            case Level ignored -> 0;
            case Bytes ignored -> 1;
            case Literal literal -> costsOfLiterals.computeIfAbsent(literal.text, literalCosts)[literal.from];
            case Sequence sequence -> {
                int head = findCost(sequence.head, known);
                yield Math.min(NEVER, head + findCost(sequence.tail, known));
            }
            case Choice choice -> {
                int least = NEVER;
                for (Expression alternative : choice.alternatives) {
                    least = Math.min(least, findCost(alternative, known));
                }
                yield least;
            }
            case Repeat repeat ->
                repeat.min == 0 ? 0 : (int) Math.min(NEVER, (long) repeat.min * findCost(repeat.body, known));
            case Reference reference -> ruleCosts.getOrDefault(reference.rule, NEVER);
            case Both ignored -> search(expression);
            case Not ignored -> search(expression);
            case Multiple ignored -> search(expression);
        };
        known.put(expression, cost);
        return cost;
    }

    /** The length of the shortest text of a regular expression, one token a byte, by breadth-first search. */
    private int search(Expression start) {
        Integer found = costs.get(start);
        if (found != null) {
            return found;
        }
        Map<Expression, Expression> cameFrom = new HashMap<>();
        ArrayDeque<Expression> queue = new ArrayDeque<>();
        cameFrom.put(start, start);
        queue.add(start);
        while (!queue.isEmpty()) {
            Expression at = queue.remove();
            if (at.nullable()) {
                int cost = 0;
                for (Expression e = at; e != start; e = cameFrom.getOrDefault(e, start)) {
                    costs.put(e, cost++);
                }
                costs.put(start, cost);
                return cost;
            }
            for (int value : members) {
                if (at.first().contains(value)) {
                    Expression next = regularStep(at, value);
                    if (next != expressions.nothing && cameFrom.putIfAbsent(next, at) == null) {
                        queue.add(next);
                    }
                }
            }
            if (cameFrom.size() > SEARCH) {
                costs.put(start, UNKNOWN);
                return UNKNOWN;
            }
        }
        cameFrom.keySet().forEach(e -> costs.put(e, NEVER));
        return NEVER;
    }
}
