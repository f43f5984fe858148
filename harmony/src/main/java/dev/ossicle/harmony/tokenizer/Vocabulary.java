package dev.ossicle.harmony.tokenizer;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The bytes of each token, and the token of some bytes. Immutable. */
final class Vocabulary {
    /** So many bytes behind a text must be readable: {@link #find} takes eight at a time. */
    static final int PADDING = 8;

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final byte[] bytes; // the tokens end to end in the order of their ids, then PADDING bytes
    private final int[] starts; // (size + 1); a token without bytes does not exist
    private final long[] table; // open addressing: upper half of the hash << 32 | id + 1, or 0
    private final int longest;

    /** @param special tokens whose bytes are not to be found in a text */
    Vocabulary(byte[] bytes, int[] starts, BitSet special) {
        this.bytes = bytes;
        this.starts = starts;
        int size = starts.length - 1;
        table = new long[Integer.highestOneBit(Math.max(size, 8)) * 4];
        int most = 0;
        for (int id = 0; id < size; id++) {
            int length = starts[id + 1] - starts[id];
            if (length == 0 || special.get(id)) {
                continue;
            }
            most = Math.max(most, length);
            insert(id, length);
        }
        longest = most;
    }

    static Vocabulary of(List<byte @Nullable []> tokens, BitSet special) {
        int[] starts = new int[tokens.size() + 1];
        for (int id = 0; id < tokens.size(); id++) {
            byte[] token = tokens.get(id);
            starts[id + 1] = Math.addExact(starts[id], token == null ? 0 : token.length);
        }
        byte[] bytes = new byte[Math.addExact(starts[tokens.size()], PADDING)];
        for (int id = 0; id < tokens.size(); id++) {
            byte[] token = tokens.get(id);
            if (token != null) {
                System.arraycopy(token, 0, bytes, starts[id], token.length);
            }
        }
        return new Vocabulary(bytes, starts, special);
    }

    private void insert(int id, int length) {
        long hash = hash(bytes, starts[id], length);
        int slot = (int) hash & (table.length - 1);
        while (table[slot] != 0) {
            int other = (int) table[slot] - 1;
            if (table[slot] >>> 32 == hash >>> 32 && same(other, bytes, starts[id], length)) {
                throw new TokenizerException("tokens " + other + " and " + id + " have the same bytes");
            }
            slot = (slot + 1) & (table.length - 1);
        }
        table[slot] = (hash & 0xFFFF_FFFF_0000_0000L) | (id + 1);
    }

    /** The token of these bytes, or -1. */
    int find(byte[] text, int from, int to) {
        int length = to - from;
        if (length > longest) {
            return -1;
        }
        long hash = hash(text, from, length);
        int slot = (int) hash & (table.length - 1);
        while (true) {
            long entry = table[slot];
            if (entry == 0) {
                return -1;
            }
            int id = (int) entry - 1;
            if (entry >>> 32 == hash >>> 32 && same(id, text, from, length)) {
                return id;
            }
            slot = (slot + 1) & (table.length - 1);
        }
    }

    private static long hash(byte[] text, int from, int length) {
        long hash = length;
        int at = from;
        int left = length;
        for (; left > 8; left -= 8, at += 8) {
            hash = mix(hash ^ (long) LONG.get(text, at));
        }
        return mix(hash ^ ((long) LONG.get(text, at) & firstBytes(left)));
    }

    /** Covers so many bytes, 1 to 8, of a little-endian long. */
    private static long firstBytes(int count) {
        return -1L >>> (64 - 8 * count);
    }

    private static long mix(long x) {
        long product = x * 0x9E37_79B9_7F4A_7C15L;
        return product ^ product >>> 29;
    }

    private boolean same(int id, byte[] text, int from, int length) {
        int start = starts[id];
        if (starts[id + 1] - start != length) {
            return false;
        }
        int left = length;
        int at = 0;
        for (; left > 8; left -= 8, at += 8) {
            if ((long) LONG.get(bytes, start + at) != (long) LONG.get(text, from + at)) {
                return false;
            }
        }
        long difference = (long) LONG.get(bytes, start + at) ^ (long) LONG.get(text, from + at);
        return (difference & firstBytes(left)) == 0;
    }

    /** One more than the highest id. */
    int size() {
        return starts.length - 1;
    }

    boolean has(int id) {
        return id >= 0 && id < size() && starts[id] < starts[id + 1];
    }

    int length(int id) {
        return starts[id + 1] - starts[id];
    }

    void copy(int id, byte[] to, int at) {
        System.arraycopy(bytes, starts[id], to, at, length(id));
    }

    byte[] bytes(int id) {
        return Arrays.copyOfRange(bytes, starts[id], starts[id + 1]);
    }
}
