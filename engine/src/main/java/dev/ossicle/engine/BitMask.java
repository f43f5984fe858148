package dev.ossicle.engine;

import java.util.Arrays;
import java.util.Objects;

/** A set of token ids, one bit each. Not thread-safe. */
public final class BitMask {
    private final int size;
    private final long[] words;

    /** An empty set of ids from 0 to {@code size - 1}. */
    public BitMask(int size) {
        this.size = size;
        this.words = new long[(size + 63) / 64];
    }

    public int size() {
        return size;
    }

    public boolean get(int id) {
        Objects.checkIndex(id, size);
        return (words[id >> 6] >>> id & 1) != 0;
    }

    /** The ids from {@code 64 * index} on, the first in the lowest bit. */
    public long word(int index) {
        return words[index];
    }

    public void set(int id) {
        Objects.checkIndex(id, size);
        words[id >> 6] |= 1L << id;
    }

    public void clear(int id) {
        Objects.checkIndex(id, size);
        words[id >> 6] &= ~(1L << id);
    }

    public void clearAll() {
        Arrays.fill(words, 0);
    }

    public void setAll() {
        Arrays.fill(words, -1);
        if (size % 64 != 0) {
            words[words.length - 1] = (1L << size) - 1;
        }
    }

    /** Makes this the same set as {@code other}, of the same size. */
    public void copyFrom(BitMask other) {
        checkSize(other);
        System.arraycopy(other.words, 0, words, 0, words.length);
    }

    public void and(BitMask other) {
        checkSize(other);
        for (int i = 0; i < words.length; i++) {
            words[i] &= other.words[i];
        }
    }

    public void or(BitMask other) {
        checkSize(other);
        for (int i = 0; i < words.length; i++) {
            words[i] |= other.words[i];
        }
    }

    public boolean isEmpty() {
        for (long word : words) {
            if (word != 0) {
                return false;
            }
        }
        return true;
    }

    public int cardinality() {
        int count = 0;
        for (long word : words) {
            count += Long.bitCount(word);
        }
        return count;
    }

    /** The smallest id in the set that is at least {@code from}; -1 if there is none. */
    public int next(int from) {
        if (from >= size) {
            return -1;
        }
        int word = from >> 6;
        long bits = words[word] & -1L << from;
        while (bits == 0) {
            if (++word == words.length) {
                return -1;
            }
            bits = words[word];
        }
        return word * 64 + Long.numberOfTrailingZeros(bits);
    }

    private void checkSize(BitMask other) {
        if (other.size != size) {
            throw new IllegalArgumentException("masks of " + size + " and " + other.size + " ids");
        }
    }
}
