package dev.ossicle.engine;

import static java.util.Objects.requireNonNull;

/**
 * What one sequence contributes to a batch: a piece of a prompt, or the one token of a decode step.
 *
 * @param sequence where the tokens are appended
 * @param tokens at least one; not copied, and not to be changed until the batch is done
 * @param wantedLogits how many of the last positions need logits: 0 in the middle of a prompt, 1 before sampling
 */
public record Chunk(KvSequence sequence, int[] tokens, int wantedLogits) {
    public Chunk {
        requireNonNull(sequence, "sequence is null");
        if (tokens.length == 0) {
            throw new IllegalArgumentException("a chunk needs at least one token");
        }
        if (wantedLogits < 0 || wantedLogits > tokens.length) {
            throw new IllegalArgumentException("wanted logits are " + wantedLogits
                    + ", must be between 0 and the chunk's " + tokens.length + " tokens");
        }
    }
}
