package dev.ossicle.train;

/**
 * Rows of one length, packed with conversations that do not see each other. Letters: B rows, S positions in a row.
 *
 * @param rows B
 * @param length S
 * @param tokens [B*S]
 * @param position [B*S] counted from the first token of its conversation, the only one that it sees
 * @param at the flat indices whose next token is to be learnt (or whose logits are wanted)
 * @param next the right next token of each of them
 */
record Batch(int rows, int length, int[] tokens, int[] position, int[] at, int[] next) {

    /** One conversation in one row, all positions wanted and nothing to learn. */
    static Batch of(int[] tokens) {
        int[] position = new int[tokens.length];
        for (int i = 0; i < tokens.length; i++) {
            position[i] = i;
        }
        return new Batch(1, tokens.length, tokens, position, position, new int[tokens.length]);
    }
}
