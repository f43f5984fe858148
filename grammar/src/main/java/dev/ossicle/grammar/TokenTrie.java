package dev.ossicle.grammar;

import dev.ossicle.engine.BitMask;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The ordinary tokens of a vocabulary as a tree of their bytes, and what grammars have found out about them. One serves
 * all grammars and generations of a model. Thread-safe; special tokens are not in it.
 */
public final class TokenTrie {
    /** Follows bytes through an automaton. */
    public interface Walker<S> {
        /** The state after one more byte (0 to 255); null where the automaton has none. */
        @Nullable
        S next(S state, int value);
    }

    /** Takes a token and the state after it. */
    public interface Visitor<S> {
        void visit(int token, S state);
    }

    /** Partitions kept; a grammar that brings more kinds of text keeps the rest to itself. */
    private static final int MAX_PARTITIONS = 64;

    private final Tokenizer tokenizer;
    private final int vocabulary;
    private final int[] ids;
    final ByteTrie trie;
    private final BitMask ordinary;

    /** The node of each string of two bytes, the first byte high; -1 where no token begins so. */
    private final int[] pairs = new int[1 << 16];

    private final boolean[] single = new boolean[256];
    private final Map<String, Partition> partitions = new ConcurrentHashMap<>();

    /** @param vocabulary the model's rows: ids from this one on are left out */
    public TokenTrie(Tokenizer tokenizer, int vocabulary) {
        record Entry(int id, byte[] bytes) {}
        this.tokenizer = tokenizer;
        this.vocabulary = vocabulary;
        int size = Math.min(vocabulary, tokenizer.vocabularySize());
        Entry[] entries = new Entry[size];
        int count = 0;
        for (int id = 0; id < size; id++) {
            if (tokenizer.hasToken(id) && !tokenizer.isSpecial(id)) {
                entries[count++] = new Entry(id, tokenizer.tokenBytes(id));
            }
        }
        Arrays.sort(entries, 0, count, (a, b) -> Arrays.compareUnsigned(a.bytes, b.bytes));
        ids = new int[count];
        byte[][] bytes = new byte[count][];
        ordinary = new BitMask(vocabulary);
        for (int i = 0; i < count; i++) {
            ids[i] = entries[i].id;
            bytes[i] = entries[i].bytes;
            ordinary.set(ids[i]);
        }
        trie = new ByteTrie(bytes);
        Arrays.fill(pairs, -1);
        for (int node = 0; node < trie.size(); node = trie.ends[node]) {
            int first = trie.values[node] & 255;
            single[first] = trie.keys[node] >= 0;
            for (int next = node + 1; next < trie.ends[node]; next = trie.ends[next]) {
                pairs[first << 8 | trie.values[next] & 255] = next;
            }
        }
    }

    /** The model's rows: the size of the masks. */
    public int vocabulary() {
        return vocabulary;
    }

    /**
     * The bytes of an ordinary token.
     *
     * @throws IllegalArgumentException if there is none of this id
     */
    byte[] bytes(int token) {
        if (token < 0 || token >= vocabulary || !ordinary.get(token)) {
            throw new IllegalArgumentException("token " + token + " is not an ordinary token of this vocabulary");
        }
        return tokenizer.tokenBytes(token);
    }

    /** The id of the token whose bytes lead to this node; -1 if it is none. */
    int token(int node) {
        int key = trie.keys[node];
        return key < 0 ? -1 : ids[key];
    }

    /** Makes {@code out} the set of all ordinary tokens. */
    public void all(BitMask out) {
        out.copyFrom(ordinary);
    }

    /** Hands out every token whose bytes can be followed all the way from {@code start}. */
    public <S> void walk(S start, Walker<S> walker, Visitor<S> out) {
        @SuppressWarnings("unchecked")
        S[] path = (S[]) new Object[trie.height + 1];
        path[0] = start;
        int node = 0;
        while (node < trie.size()) {
            S next = walker.next(path[trie.depths[node] - 1], trie.values[node] & 255);
            if (next == null) {
                node = trie.ends[node];
                continue;
            }
            if (trie.keys[node] >= 0) {
                out.visit(ids[trie.keys[node]], next);
            }
            path[trie.depths[node]] = next;
            node++;
        }
    }

    /**
     * The first byte that may stand in UTF-8 and has no token of its own; -1 if there is none. Without one, what a grammar
     * asks for could be out of reach.
     */
    int missingByte() {
        for (int value = 0; value < 0xF5; value++) {
            if (!single[value] && value != 0xC0 && value != 0xC1) {
                return value;
            }
        }
        return -1;
    }

    /** For each suffix of the text, the last of them empty, the least number of tokens that it is made of. */
    int[] literalCosts(byte[] text) {
        int[] costs = new int[text.length + 1];
        for (int from = text.length - 1; from >= 0; from--) {
            int best = single[text[from] & 255] ? 1 + costs[from + 1] : Automaton.UNKNOWN;
            int node = from + 1 < text.length ? pairs[(text[from] & 255) << 8 | text[from + 1] & 255] : -1;
            int end = node < 0 ? node : trie.ends[node];
            int at = from + 1;
            while (at < text.length && node < end) {
                if (trie.values[node] != text[at]) {
                    node = trie.ends[node];
                    continue;
                }
                at++;
                if (trie.keys[node] >= 0) {
                    best = Math.min(best, 1 + costs[at]);
                }
                end = trie.ends[node++];
            }
            costs[from] = best;
        }
        return costs;
    }

    /** What is known about this kind of text, or is now found out. */
    Partition partition(String description, Function<String, Partition> find) {
        Partition found = partitions.get(description);
        if (found == null) {
            found = find.apply(description);
            if (partitions.size() < MAX_PARTITIONS) {
                partitions.putIfAbsent(description, found);
            }
        }
        return found;
    }
}
