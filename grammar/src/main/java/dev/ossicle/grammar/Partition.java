package dev.ossicle.grammar;

import dev.ossicle.engine.BitMask;
import dev.ossicle.grammar.Automaton.State;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A vocabulary seen from within a text of repeated units, such as the characters of a JSON string: which tokens stay in it
 * and how many units each takes, whatever follows the text; and which ones leave it, by what they leave it with. Found once
 * for a kind of text, it turns the mask of such a place into a copy and a short walk.
 *
 * <p>Thread-safe.
 */
final class Partition {
    /** Texts that begin with fewer different bytes are walked as quickly. */
    static final int WIDE = 32;

    /** Tokens that leave the text with a given byte, by all that comes from that byte on. */
    static final class Leaving {
        /** The ends of the tokens. */
        final ByteTrie trie;

        /** [keys + 1] Where the tokens of each end begin in the arrays below. */
        final int[] starts;

        final int[] tokens;

        /** How many units come before the end. */
        final int[] units;

        private Leaving(ByteTrie trie, int[] starts, int[] tokens, int[] units) {
            this.trie = trie;
            this.starts = starts;
            this.tokens = tokens;
            this.units = units;
        }
    }

    private record Exit(int node, int units) {}

    private final TokenTrie trie;

    /** Whether this kind of text can be seen this way: otherwise the rest is empty. */
    final boolean usable;

    /** Tokens that stay inside, by the number of units that they touch. */
    private final List<List<Integer>> inside = new ArrayList<>();

    /** Those of them that end where a unit ends. */
    private final List<List<Integer>> whole = new ArrayList<>();

    /** What it takes at most to complete the unit that a token leaves unfinished. */
    private int unfinished;

    private final Map<Integer, List<Exit>> exits = new HashMap<>();
    private final Map<Integer, Leaving> leaving = new HashMap<>();
    private final @Nullable BitMask[] insideUpTo;
    private final @Nullable BitMask[] wholeUpTo;

    static boolean worthwhile(Expression unit) {
        return unit.first().size() >= WIDE && !unit.nullable();
    }

    Partition(TokenTrie trie, Automaton automaton, Expression unit) {
        this.trie = trie;
        this.usable = find(automaton, automaton.state(unit), automaton.expressions().empty);
        this.insideUpTo = new BitMask[inside.size()];
        this.wholeUpTo = new BitMask[inside.size()];
    }

    /** Returns false if a unit can be the beginning of another, so that there is no telling where one ends. */
    private boolean find(Automaton automaton, State unit, Expression empty) {
        ByteTrie tokens = trie.trie;
        for (int i = 0; i <= tokens.height; i++) {
            inside.add(new ArrayList<>());
            whole.add(new ArrayList<>());
        }
        @Nullable State[] path = new State[tokens.height + 1]; // null where a unit begins
        int[] units = new int[tokens.height + 1]; // complete ones
        int node = 0;
        while (node < tokens.size()) {
            int depth = tokens.depths[node];
            State before = path[depth - 1];
            State after = automaton.next(before == null ? unit : before, tokens.values[node] & 255);
            if (automaton.isDead(after)) {
                if (before == null) {
                    exits.computeIfAbsent(tokens.values[node] & 255, value -> new ArrayList<>())
                            .add(new Exit(node, units[depth - 1]));
                }
                node = tokens.ends[node];
                continue;
            }
            if (after.complete && after.expression != empty) {
                return false;
            }
            path[depth] = after.complete ? null : after;
            units[depth] = units[depth - 1] + (after.complete ? 1 : 0);
            int token = trie.token(node);
            if (token >= 0) {
                int touched = units[depth] + (after.complete ? 0 : 1);
                inside.get(touched).add(token);
                unfinished = Math.max(unfinished, after.cost);
                if (after.complete) {
                    whole.get(touched).add(token);
                }
            }
            node++;
        }
        return true;
    }

    int unfinished() {
        return unfinished;
    }

    /** Adds the tokens that stay inside and touch at most so many units. */
    synchronized void addInside(int units, BitMask out) {
        out.or(upTo(units, inside, insideUpTo));
    }

    /** Adds the tokens that stay inside, end where a unit ends, and have so many units at least and at most. */
    synchronized void addWhole(int from, int to, BitMask out) {
        if (from <= 1) {
            out.or(upTo(to, whole, wholeUpTo));
            return;
        }
        for (int i = from; i <= to && i < whole.size(); i++) {
            whole.get(i).forEach(out::set);
        }
    }

    private BitMask upTo(int units, List<List<Integer>> tokens, @Nullable BitMask[] known) {
        int index = Math.min(units, known.length - 1);
        BitMask found = known[index];
        if (found == null) {
            found = new BitMask(trie.vocabulary());
            for (int i = 0; i <= index; i++) {
                tokens.get(i).forEach(found::set);
            }
            known[index] = found;
        }
        return found;
    }

    /** The tokens that leave with this byte, with which no unit begins. */
    synchronized Leaving leaving(int value) {
        return leaving.computeIfAbsent(value, this::findLeaving);
    }

    private Leaving findLeaving(int value) {
        record Entry(byte[] end, int token, int units) {}
        List<Entry> entries = new ArrayList<>();
        byte[] buffer = new byte[trie.trie.height];
        for (Exit exit : exits.getOrDefault(value, List.of())) {
            int base = trie.trie.depths[exit.node];
            for (int node = exit.node; node < trie.trie.ends[exit.node]; node++) {
                int at = trie.trie.depths[node] - base;
                buffer[at] = trie.trie.values[node];
                int token = trie.token(node);
                if (token >= 0) {
                    entries.add(new Entry(Arrays.copyOf(buffer, at + 1), token, exit.units));
                }
            }
        }
        entries.sort((a, b) -> Arrays.compareUnsigned(a.end, b.end));
        List<byte[]> ends = new ArrayList<>();
        int[] starts = new int[entries.size() + 1];
        int[] tokens = new int[entries.size()];
        int[] units = new int[entries.size()];
        for (int i = 0; i < entries.size(); i++) {
            Entry entry = entries.get(i);
            if (ends.isEmpty() || !Arrays.equals(ends.getLast(), entry.end)) {
                starts[ends.size()] = i;
                ends.add(entry.end);
            }
            tokens[i] = entry.token;
            units[i] = entry.units;
        }
        starts[ends.size()] = entries.size();
        return new Leaving(
                new ByteTrie(ends.toArray(byte[][]::new)), Arrays.copyOf(starts, ends.size() + 1), tokens, units);
    }
}
