package dev.ossicle.train;

import java.util.Arrays;
import java.util.function.Supplier;

/** Packs examples one behind the other into rows of one length, without padding; the last one of a row is cut off. */
final class Packer {
    private Packer() {}

    static Batch pack(Supplier<Example> examples, int rows, int length) {
        int[] tokens = new int[rows * length];
        int[] position = new int[rows * length];
        int[] at = new int[rows * length];
        int[] next = new int[rows * length];
        int learnt = 0;
        for (int row = 0; row < rows; row++) {
            int filled = 0;
            while (filled < length) {
                Example example = examples.get();
                int part = Math.min(example.tokens().length, length - filled);
                for (int i = 0; i < part; i++) {
                    int flat = row * length + filled + i;
                    tokens[flat] = example.tokens()[i];
                    position[flat] = i;
                    if (example.next()[i] >= 0) {
                        at[learnt] = flat;
                        next[learnt] = example.next()[i];
                        learnt++;
                    }
                }
                filled += part;
            }
        }
        return new Batch(rows, length, tokens, position, Arrays.copyOf(at, learnt), Arrays.copyOf(next, learnt));
    }
}
