package dev.ossicle.engine;

import dev.ossicle.checkpoint.ModelConfig;
import java.util.List;

/** What every runner checks before it computes anything. */
public final class Batches {
    private Batches() {}

    /**
     * Looks at every chunk before any is computed.
     *
     * @throws IllegalArgumentException as {@link ModelRunner#forward} says
     */
    @SuppressWarnings("ReferenceEquality") // the same sequence, not an equal one
    public static void check(ModelConfig config, List<Chunk> batch) {
        for (int i = 0; i < batch.size(); i++) {
            Chunk chunk = batch.get(i);
            for (int j = 0; j < i; j++) {
                if (batch.get(j).sequence() == chunk.sequence()) {
                    throw new IllegalArgumentException("chunks " + j + " and " + i + " are of the same sequence");
                }
            }
            int[] tokens = chunk.tokens();
            int length = chunk.sequence().length();
            for (int t = 0; t < tokens.length; t++) {
                if (tokens[t] < 0 || tokens[t] >= config.vocabulary()) {
                    throw new IllegalArgumentException("token " + tokens[t] + " at position " + ((long) length + t)
                            + " is outside the vocabulary of " + config.vocabulary());
                }
            }
            int maxContext = chunk.sequence().maxContext();
            if (tokens.length > maxContext - length) {
                throw new IllegalArgumentException(length + " cached and " + tokens.length
                        + " new tokens do not fit into a context of " + maxContext);
            }
        }
    }

    /** @throws IllegalArgumentException if the model was not made for so many positions */
    public static void checkContext(ModelConfig config, int maxContext) {
        if (maxContext < 1 || maxContext > config.maxContext()) {
            throw new IllegalArgumentException(
                    "context is " + maxContext + ", must be between 1 and the model's " + config.maxContext());
        }
    }
}
