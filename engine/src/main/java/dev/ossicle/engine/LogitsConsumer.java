package dev.ossicle.engine;

/** Takes the logits of one position. */
@FunctionalInterface
public interface LogitsConsumer {
    /**
     * @param chunk index in the batch
     * @param position absolute position in the sequence
     * @param logits [V]; belongs to the runner and is only valid during the call
     */
    void logits(int chunk, int position, float[] logits);
}
