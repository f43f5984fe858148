package dev.ossicle.grammar;

import dev.ossicle.harmony.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.function.IntConsumer;

/**
 * The ordinary tokens of a vocabulary in the order of their bytes, so that those with a common beginning are neighbours: a
 * trie without nodes. Immutable; special tokens are not in it.
 */
public final class TokenTrie {
    /** Follows bytes through an automaton. */
    public interface Walker<S> {
        /** The state after one more byte (0 to 255); null where the automaton has none. */
        @org.jspecify.annotations.Nullable
        S next(S state, int value);
    }

    private final int[] ids;
    private final byte[][] bytes;

    /** @param vocabulary ids from this one on are left out: rows that the model does not have */
    public TokenTrie(Tokenizer tokenizer, int vocabulary) {
        record Entry(int id, byte[] bytes) {}
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
        bytes = new byte[count][];
        for (int i = 0; i < count; i++) {
            ids[i] = entries[i].id;
            bytes[i] = entries[i].bytes;
        }
    }

    /** Hands out every ordinary token. */
    public void all(IntConsumer out) {
        for (int id : ids) {
            out.accept(id);
        }
    }

    /** Hands out every token whose bytes can be followed all the way from {@code start}. */
    public <S> void walk(S start, Walker<S> walker, IntConsumer out) {
        walk(0, ids.length, 0, start, walker, out);
    }

    /** All tokens in [from, to) share their first {@code depth} bytes, which led to {@code state}. */
    private <S> void walk(int from, int to, int depth, S state, Walker<S> walker, IntConsumer out) {
        int at = from;
        while (at < to && bytes[at].length == depth) {
            out.accept(ids[at++]);
        }
        while (at < to) {
            int value = bytes[at][depth] & 255;
            int end = endOf(value, at, to, depth);
            S next = walker.next(state, value);
            if (next != null) {
                walk(at, end, depth + 1, next, walker, out);
            }
            at = end;
        }
    }

    /** The first index in [from, to) whose byte at {@code depth} is above {@code value}. */
    private int endOf(int value, int from, int to, int depth) {
        int low = from;
        int high = to;
        while (low < high) {
            int middle = low + high >>> 1;
            if ((bytes[middle][depth] & 255) <= value) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
