package dev.ossicle.harmony.tokenizer;

import java.util.List;

/** Which two neighbouring tokens may become one, and in what order. */
sealed interface MergeRule {
    int NONE = Integer.MAX_VALUE;

    /** The rank of merging two neighbours, whose bytes are {@code text[from, to)}: lower goes first; or {@link #NONE}. */
    int rank(int left, int right, byte[] text, int from, int to);

    /** The token that a merge of this rank makes. */
    int merged(int rank);

    /** tiktoken's: whatever makes a token may be merged, the lowest token first. */
    record ByToken(Vocabulary vocabulary) implements MergeRule {
        @Override
        public int rank(int left, int right, byte[] text, int from, int to) {
            int id = vocabulary.find(text, from, to);
            return id < 0 ? NONE : id;
        }

        @Override
        public int merged(int rank) {
            return rank;
        }
    }

    /** A list of pairs, the first pair first. */
    final class ByPair implements MergeRule {
        private final int[] lefts; // by rank, as the next two
        private final int[] rights;
        private final int[] merged;
        private final int[] table; // open addressing by left and right: rank + 1, or 0

        private ByPair(int[] lefts, int[] rights, int[] merged) {
            this.lefts = lefts;
            this.rights = rights;
            this.merged = merged;
            table = new int[Integer.highestOneBit(Math.max(lefts.length, 8)) * 4];
            for (int rank = 0; rank < lefts.length; rank++) {
                int slot = slot(lefts[rank], rights[rank]);
                if (table[slot] == 0) {
                    table[slot] = rank + 1;
                }
            }
        }

        static ByPair of(List<int[]> pairs, Vocabulary vocabulary) {
            int[] lefts = new int[pairs.size()];
            int[] rights = new int[pairs.size()];
            int[] merged = new int[pairs.size()];
            byte[] scratch = new byte[64];
            for (int rank = 0; rank < lefts.length; rank++) {
                int left = pairs.get(rank)[0];
                int right = pairs.get(rank)[1];
                lefts[rank] = left;
                rights[rank] = right;
                if (!vocabulary.has(left) || !vocabulary.has(right)) {
                    throw new TokenizerException("merge " + rank + " is of the tokens " + left + " and " + right
                            + ", which do not both exist");
                }
                int length = vocabulary.length(left) + vocabulary.length(right);
                if (length + Vocabulary.PADDING > scratch.length) {
                    scratch = new byte[2 * length + Vocabulary.PADDING];
                }
                vocabulary.copy(left, scratch, 0);
                vocabulary.copy(right, scratch, vocabulary.length(left));
                merged[rank] = vocabulary.find(scratch, 0, length);
                if (merged[rank] < 0) {
                    throw new TokenizerException(
                            "merge " + rank + ", of the tokens " + left + " and " + right + ", makes no token");
                }
            }
            return new ByPair(lefts, rights, merged);
        }

        private int slot(int left, int right) {
            long hash = ((long) left << 32 | right) * 0x9E37_79B9_7F4A_7C15L;
            int slot = (int) (hash >>> 32) & (table.length - 1);
            while (table[slot] != 0 && (lefts[table[slot] - 1] != left || rights[table[slot] - 1] != right)) {
                slot = (slot + 1) & (table.length - 1);
            }
            return slot;
        }

        @Override
        public int rank(int left, int right, byte[] text, int from, int to) {
            int rank = table[slot(left, right)] - 1;
            return rank < 0 ? NONE : rank;
        }

        @Override
        public int merged(int rank) {
            return merged[rank];
        }

        int size() {
            return lefts.length;
        }

        int left(int rank) {
            return lefts[rank];
        }

        int right(int rank) {
            return rights[rank];
        }
    }
}
