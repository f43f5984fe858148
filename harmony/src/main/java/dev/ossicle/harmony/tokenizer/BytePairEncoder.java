package dev.ossicle.harmony.tokenizer;

import dev.ossicle.harmony.internal.IntList;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Turns the pieces of one text into tokens. Holds scratch space, so one for each call; not thread-safe. */
final class BytePairEncoder implements Splitter.Pieces {
    /** Up to this many bytes, looking at every part for each merge beats keeping a heap of them. */
    private static final int SMALL = 96;

    private final Vocabulary vocabulary;
    private final MergeRule rule;
    private final int[] byteTokens;
    private final byte @Nullable [] whole;
    private final byte[] text;
    private final IntList out;

    // The parts that a small piece is in at present.
    private int @Nullable [] starts;
    private int[] ids = {};
    private int[] ranks = {}; // of merging a part with the next one

    /**
     * @param byteTokens the token of each byte, or -1
     * @param whole null if a piece that is a token becomes that token at once; else what is known of the tokens: 0
     *     nothing yet, 1 their own bytes merge to them, 2 they do not. Threads may share it: they all find the same.
     */
    BytePairEncoder(
            Vocabulary vocabulary,
            MergeRule rule,
            int[] byteTokens,
            byte @Nullable [] whole,
            byte[] text,
            IntList out) {
        this.vocabulary = vocabulary;
        this.rule = rule;
        this.byteTokens = byteTokens;
        this.whole = whole;
        this.text = text;
        this.out = out;
    }

    @Override
    public void piece(int from, int to) {
        int id = vocabulary.find(text, from, to);
        if (id < 0) {
            merge(from, to);
        } else if (whole == null || whole[id] == 1) {
            out.add(id);
        } else {
            int before = out.size();
            merge(from, to);
            whole[id] = (byte) (out.size() == before + 1 && out.get(before) == id ? 1 : 2);
        }
    }

    private void merge(int from, int to) {
        if (to - from <= SMALL) {
            mergeSmall(from, to);
        } else {
            mergeLarge(from, to);
        }
    }

    private int byteToken(int at) {
        int id = byteTokens[text[at] & 0xFF];
        if (id < 0) {
            throw new TokenizerException(String.format(
                    "the vocabulary has no token for byte 0x%02X at offset %d of the text", text[at], at));
        }
        return id;
    }

    private void mergeSmall(int from, int to) {
        int[] starts = this.starts;
        if (starts == null) {
            this.starts = starts = new int[SMALL + 1];
            ids = new int[SMALL];
            ranks = new int[SMALL];
        }
        int count = to - from;
        for (int i = 0; i < count; i++) {
            starts[i] = from + i;
            ids[i] = byteToken(from + i);
        }
        starts[count] = to;
        for (int i = 0; i + 1 < count; i++) {
            ranks[i] = rule.rank(ids[i], ids[i + 1], text, from + i, from + i + 2);
        }
        while (count > 1) {
            int best = 0;
            for (int i = 1; i + 1 < count; i++) {
                if (ranks[i] < ranks[best]) {
                    best = i;
                }
            }
            if (ranks[best] == MergeRule.NONE) {
                break;
            }
            ids[best] = rule.merged(ranks[best]);
            int gone = best + 1;
            count--;
            System.arraycopy(starts, gone + 1, starts, gone, count - gone + 1);
            System.arraycopy(ids, gone + 1, ids, gone, count - gone);
            System.arraycopy(ranks, gone + 1, ranks, gone, Math.max(count - 1 - gone, 0));
            if (best + 1 < count) {
                ranks[best] = rule.rank(ids[best], ids[best + 1], text, starts[best], starts[best + 2]);
            }
            if (best > 0) {
                ranks[best - 1] = rule.rank(ids[best - 1], ids[best], text, starts[best - 1], starts[best + 1]);
            }
        }
        for (int i = 0; i < count; i++) {
            out.add(ids[i]);
        }
    }

    /** The same in n log n: the parts as a linked list, their merges in a heap. */
    private void mergeLarge(int from, int to) {
        int count = to - from;
        int[] ids = new int[count]; // by the offset of the part's first byte, as all of these
        int[] next = new int[count + 1]; // where the next part begins
        int[] previous = new int[count + 1];
        int[] ranks = new int[count];
        for (int i = 0; i < count; i++) {
            ids[i] = byteToken(from + i);
            next[i] = i + 1;
            previous[i + 1] = i;
        }
        previous[0] = -1;
        MergeHeap heap = new MergeHeap(count);
        for (int i = 0; i < count; i++) {
            ranks[i] = i + 1 < count ? rule.rank(ids[i], ids[i + 1], text, from + i, from + i + 2) : MergeRule.NONE;
            heap.add(ranks[i], i);
        }
        while (!heap.isEmpty()) {
            long top = heap.poll();
            int rank = (int) (top >>> 32);
            int part = (int) top;
            // A part that was swallowed or whose neighbour changed has another rank by now.
            if (ranks[part] != rank) {
                continue;
            }
            int gone = next[part];
            ids[part] = rule.merged(rank);
            ranks[gone] = MergeRule.NONE;
            next[part] = next[gone];
            previous[next[part]] = part;
            rerank(part, count, from, ids, next, ranks, heap);
            if (previous[part] >= 0) {
                rerank(previous[part], count, from, ids, next, ranks, heap);
            }
        }
        for (int i = 0; i < count; i = next[i]) {
            out.add(ids[i]);
        }
    }

    private void rerank(int part, int count, int from, int[] ids, int[] next, int[] ranks, MergeHeap heap) {
        int other = next[part];
        int rank = other < count
                ? rule.rank(ids[part], ids[other], text, from + part, from + next[other])
                : MergeRule.NONE;
        if (rank != ranks[part]) {
            ranks[part] = rank;
            heap.add(rank, part);
        }
    }

    /** A binary heap of merges, the lowest rank first and of those the leftmost; each a long, rank over offset. */
    private static final class MergeHeap {
        private long[] entries;
        private int size;

        MergeHeap(int capacity) {
            entries = new long[capacity];
        }

        boolean isEmpty() {
            return size == 0;
        }

        void add(int rank, int part) {
            if (rank == MergeRule.NONE) {
                return;
            }
            if (size == entries.length) {
                entries = Arrays.copyOf(entries, size + (size >> 1) + 1);
            }
            long entry = (long) rank << 32 | part;
            int at = size++;
            while (at > 0 && entries[(at - 1) >> 1] > entry) {
                entries[at] = entries[(at - 1) >> 1];
                at = (at - 1) >> 1;
            }
            entries[at] = entry;
        }

        long poll() {
            long top = entries[0];
            long last = entries[--size];
            int at = 0;
            while (2 * at + 1 < size) {
                int child = 2 * at + 1;
                if (child + 1 < size && entries[child + 1] < entries[child]) {
                    child++;
                }
                if (entries[child] >= last) {
                    break;
                }
                entries[at] = entries[child];
                at = child;
            }
            entries[at] = last;
            return top;
        }
    }
}
