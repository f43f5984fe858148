package dev.ossicle.grammar;

import dev.ossicle.engine.BitMask;
import dev.ossicle.engine.TokenMask;
import dev.ossicle.grammar.Automaton.State;
import dev.ossicle.grammar.Expression.Choice;
import dev.ossicle.grammar.Expression.Reference;
import dev.ossicle.grammar.Expression.Repeat;
import dev.ossicle.grammar.Expression.Sequence;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A grammar over the tokens of one vocabulary. Masks are found as they are needed and kept while they are in use, so it
 * pays to share one among generations that obey the same grammar. Thread-safe.
 */
public final class TokenGrammar {
    /** A budget that never runs out. */
    public static final int UNLIMITED = Automaton.UNKNOWN * 2;

    /** Containers within containers, after which they have to be closed again: some parsers take no more than 128. */
    static final int MAX_NESTING = 64;

    /** Masks kept: of a vocabulary of 201 088 tokens, 25 kB each. */
    private static final int MAX_MASKS = 256;

    private record Mask(BitMask allowed, int worst) {}

    private final TokenTrie trie;
    private final Automaton automaton;
    private final State start;

    private final Map<State, Mask> masks = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<State, Mask> eldest) {
            return size() > MAX_MASKS;
        }
    };

    TokenGrammar(Grammar grammar, TokenTrie trie) {
        int missing = trie.missingByte();
        if (missing >= 0) {
            throw new IllegalArgumentException(
                    "the vocabulary has no token for the single byte %02X: it cannot be held to a grammar"
                            .formatted(missing));
        }
        this.trie = trie;
        this.automaton = grammar.automaton(trie::literalCosts);
        this.start = automaton.state(grammar.root());
    }

    /** A number of tokens that is enough for some text of the grammar, its end token not counted. */
    public int minTokens() {
        return start.cost;
    }

    /** The size of the masks. */
    public int vocabulary() {
        return trie.vocabulary();
    }

    /**
     * A mask for one generation that consists of a text of the grammar and one of the end tokens.
     *
     * @param endTokens such as {@code <|return|>}: allowed where the text may end, and where nothing else may come the only
     *     ones
     * @param budget tokens that may be generated, the end token among them: when they run short, the text is brought to
     *     its end; {@link #UNLIMITED} for no bound
     * @throws IllegalArgumentException if the budget may be too small for any text of the grammar
     */
    public TokenMask newMask(Set<Integer> endTokens, int budget) {
        return new GrammarMask(this, endTokens, budget);
    }

    State start() {
        return start;
    }

    /**
     * Makes {@code out} the ordinary tokens that may come.
     *
     * @param left how many tokens the text may have from here on
     */
    synchronized void allowed(State state, int left, BitMask out) {
        int limit = left - 1;
        if (state.expression.nesting > MAX_NESTING) {
            limit = Math.min(limit, state.cost - 1);
        }
        Mask mask = masks.get(state);
        if (mask == null) {
            BitMask allowed = new BitMask(trie.vocabulary());
            mask = new Mask(allowed, fill(state, Automaton.NEVER, allowed));
            masks.put(state, mask);
        }
        if (mask.worst <= limit) {
            out.copyFrom(mask.allowed);
        } else {
            fill(state, limit, out);
        }
    }

    /**
     * The state after a token.
     *
     * @throws IllegalArgumentException if it was not allowed
     */
    synchronized State after(State state, int token) {
        automaton.trim();
        State at = state;
        for (byte value : trie.bytes(token)) {
            at = automaton.next(at, value & 255);
            if (automaton.isDead(at)) {
                throw new IllegalArgumentException("token " + token + " was not allowed here");
            }
        }
        return at;
    }

    /** Makes {@code out} the tokens after which {@code limit} more are enough; returns how many the worst of them needs. */
    private int fill(State state, int limit, BitMask out) {
        out.clearAll();
        List<Expression> others = new ArrayList<>();
        int worst = split(state.expression, limit, out, others);
        return others.isEmpty()
                ? worst
                : Math.max(worst, walk(automaton.state(automaton.expressions().choice(others)), limit, out));
    }

    /** Takes those alternatives that a {@link Partition} knows, and leaves the others. */
    private int split(Expression expression, int limit, BitMask out, List<Expression> others) {
        if (expression.first().size() < Partition.WIDE) {
            others.add(expression);
            return 0;
        }
        Expression head = expression instanceof Sequence sequence ? sequence.head : expression;
        Expression tail = expression instanceof Sequence sequence ? sequence.tail : automaton.expressions().empty;
        if (head instanceof Choice choice) {
            int worst = 0;
            for (Expression alternative : choice.alternatives) {
                worst = Math.max(worst, split(automaton.expressions().sequence(alternative, tail), limit, out, others));
            }
            return worst;
        }
        if (head instanceof Reference reference) {
            return split(automaton.expressions().sequence(reference.rule.body(), tail), limit, out, others);
        }
        if (head instanceof Repeat repeat
                && Partition.worthwhile(repeat.body)
                && !repeat.body.first().intersects(tail.first())) {
            StringBuilder description = new StringBuilder();
            repeat.body.describe(description);
            Partition partition =
                    trie.partition(description.toString(), d -> new Partition(trie, automaton, repeat.body));
            if (partition.usable) {
                int worst = stay(repeat, partition, automaton.cost(tail), limit, out);
                State after = automaton.state(tail);
                for (int value = 0; value < 256; value++) {
                    if (tail.first().contains(value)) {
                        worst = Math.max(worst, leave(repeat, after, partition.leaving(value), limit, out));
                    }
                }
                return worst;
            }
        }
        others.add(expression);
        return 0;
    }

    /** Adds the tokens that go on with the repetition: near the limit, only those that leave nothing to be finished. */
    private int stay(Repeat repeat, Partition partition, int tail, int limit, BitMask out) {
        int unit = automaton.cost(repeat.body);
        long worst = partition.unfinished() + (long) repeat.min * unit + tail;
        if (worst <= limit) {
            partition.addInside(repeat.max, out);
            return (int) worst;
        }
        if (tail <= limit) {
            partition.addWhole(Math.max(repeat.min - (limit - tail) / unit, 1), repeat.max, out);
        }
        return limit;
    }

    /** Adds the tokens that end the repetition and go on in what follows it. */
    private int leave(Repeat repeat, State tail, Partition.Leaving leaving, int limit, BitMask out) {
        int worst = 0;
        ByteTrie ends = leaving.trie;
        State[] path = new State[ends.height + 1];
        path[0] = tail;
        int node = 0;
        while (node < ends.size()) {
            State next = automaton.next(path[ends.depths[node] - 1], ends.values[node] & 255);
            if (automaton.isDead(next)) {
                node = ends.ends[node];
                continue;
            }
            int key = ends.keys[node];
            if (key >= 0 && next.cost <= limit) {
                for (int i = leaving.starts[key]; i < leaving.starts[key + 1]; i++) {
                    if (leaving.units[i] >= repeat.min && leaving.units[i] <= repeat.max) {
                        out.set(leaving.tokens[i]);
                        worst = Math.max(worst, next.cost);
                    }
                }
            }
            path[ends.depths[node]] = next;
            node++;
        }
        return worst;
    }

    /** Adds the tokens whose bytes can be followed. */
    private int walk(State from, int limit, BitMask out) {
        int worst = 0;
        ByteTrie tokens = trie.trie;
        State[] path = new State[tokens.height + 1];
        path[0] = from;
        int node = 0;
        while (node < tokens.size()) {
            State next = automaton.next(path[tokens.depths[node] - 1], tokens.values[node] & 255);
            if (automaton.isDead(next)) {
                node = tokens.ends[node];
                continue;
            }
            int token = trie.token(node);
            if (token >= 0 && next.cost <= limit) {
                out.set(token);
                worst = Math.max(worst, next.cost);
            }
            path[tokens.depths[node]] = next;
            node++;
        }
        return worst;
    }
}
