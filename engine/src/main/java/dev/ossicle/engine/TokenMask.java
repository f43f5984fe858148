package dev.ossicle.engine;

/**
 * What may come next in one generation: consulted before each sample, told of each token. Called on the model's thread
 * only; what it throws ends the generation.
 */
public interface TokenMask {
    /** Fills {@code out} with the ids that may come next: at least one. */
    void allowed(BitMask out);

    /** Takes the token that was sampled, one that {@link #allowed} gave. */
    void accept(int token);

    /** Whether the text may stop here: what was said is complete. */
    boolean mayEnd();
}
