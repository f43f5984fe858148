package dev.ossicle.train;

import java.util.Arrays;

/**
 * A conversation as tokens.
 *
 * @param tokens all of it
 * @param next for each token the one that should follow, or -1 where nothing is to be learnt
 */
record Example(int[] tokens, int[] next) {
    /** Builds one from what is given to the model and what it should have said itself. */
    static final class Builder {
        private int[] tokens = new int[64];
        private int[] next = new int[64];
        private int length;

        Builder given(int... given) {
            return add(false, given);
        }

        Builder add(boolean learn, int... added) {
            for (int token : added) {
                append(learn, token, token);
            }
            return this;
        }

        /**
         * The end of a message. In the history every message ends alike, but a model that says it should end its turn
         * there.
         */
        Builder end(boolean learn, int shown, int learnt) {
            append(learn, shown, learnt);
            return this;
        }

        private void append(boolean learn, int shown, int learnt) {
            if (length == tokens.length) {
                tokens = Arrays.copyOf(tokens, 2 * length);
                next = Arrays.copyOf(next, 2 * length);
            }
            tokens[length] = shown;
            next[length] = -1;
            if (learn && length > 0) {
                next[length - 1] = learnt;
            }
            length++;
        }

        Example build() {
            return new Example(Arrays.copyOf(tokens, length), Arrays.copyOf(next, length));
        }
    }
}
