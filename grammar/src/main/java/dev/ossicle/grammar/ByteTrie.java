package dev.ossicle.grammar;

import java.util.Arrays;

/**
 * Byte strings as a tree in one row: a node is followed by its subtree. To skip what begins with a node's bytes is to go to
 * its {@link #end}; to look at everything is to go on to the next.
 */
final class ByteTrie {
    /** [nodes] The last byte of each node's string. */
    final byte[] values;

    /** [nodes] How long that string is: 1 and up. */
    final short[] depths;

    /** [nodes] The node after the subtree. */
    final int[] ends;

    /** [nodes] The index of the string that ends in this node; -1 if none does. */
    final int[] keys;

    /** The longest string's length. */
    final int height;

    /** @param sorted different strings in the order of their unsigned bytes, none of them empty */
    ByteTrie(byte[][] sorted) {
        int nodes = 0;
        int longest = 0;
        for (int i = 0; i < sorted.length; i++) {
            nodes += sorted[i].length - common(sorted, i);
            longest = Math.max(longest, sorted[i].length);
        }
        height = longest;
        values = new byte[nodes];
        depths = new short[nodes];
        ends = new int[nodes];
        keys = new int[nodes];
        Arrays.fill(keys, -1);
        int[] path = new int[longest + 1];
        int open = 0;
        int node = 0;
        for (int i = 0; i < sorted.length; i++) {
            int common = common(sorted, i);
            for (; open > common; open--) {
                ends[path[open]] = node;
            }
            for (int at = common; at < sorted[i].length; at++) {
                values[node] = sorted[i][at];
                depths[node] = (short) (at + 1);
                path[++open] = node++;
            }
            keys[path[open]] = i;
        }
        for (; open > 0; open--) {
            ends[path[open]] = node;
        }
    }

    /** How many bytes string {@code i} has in common with the one before it. */
    private static int common(byte[][] sorted, int i) {
        if (i == 0) {
            return 0;
        }
        int mismatch = Arrays.mismatch(sorted[i - 1], sorted[i]);
        return mismatch < 0 ? sorted[i].length : mismatch;
    }

    int size() {
        return values.length;
    }
}
