package dev.ossicle.grammar;

import dev.ossicle.engine.BitMask;
import dev.ossicle.engine.TokenMask;
import dev.ossicle.grammar.Automaton.State;
import java.util.Set;

/** One generation's place in a grammar: a text of it, then an end token. */
final class GrammarMask implements TokenMask {
    private final TokenGrammar grammar;
    private final Set<Integer> endTokens;
    private State state;
    private int budget;
    private boolean ended;

    GrammarMask(TokenGrammar grammar, Set<Integer> endTokens, int budget) {
        if (endTokens.isEmpty()) {
            throw new IllegalArgumentException("no end token: the text could never end");
        }
        this.grammar = grammar;
        this.endTokens = Set.copyOf(endTokens);
        this.state = grammar.start();
        this.budget = Math.min(budget, TokenGrammar.UNLIMITED);
        if (state.cost + 1 > this.budget) {
            throw new IllegalArgumentException("a budget of " + budget
                    + " tokens is too small: the shortest text of the" + " grammar takes up to " + (state.cost + 1));
        }
    }

    @Override
    public void allowed(BitMask out) {
        if (ended) {
            out.clearAll();
            return;
        }
        grammar.allowed(state, budget - 1, out);
        if (state.complete) {
            endTokens.forEach(out::set);
        }
    }

    @Override
    public void accept(int token) {
        if (ended) {
            throw new IllegalArgumentException("token " + token + " after the end");
        }
        if (endTokens.contains(token)) {
            if (!state.complete) {
                throw new IllegalArgumentException("end token " + token + " was not allowed here");
            }
            ended = true;
        } else {
            state = grammar.after(state, token);
        }
        if (budget < TokenGrammar.UNLIMITED) {
            budget--;
        }
    }

    @Override
    public boolean mayEnd() {
        return ended;
    }
}
