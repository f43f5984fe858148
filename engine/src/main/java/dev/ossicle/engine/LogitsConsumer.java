package dev.ossicle.engine;

/** Takes the logits of one position, or draws from them. */
@FunctionalInterface
public interface LogitsConsumer {
    /**
     * @param chunk index in the batch
     * @param position absolute position in the sequence
     * @param logits only valid during the call
     */
    void logits(int chunk, int position, Logits logits);
}
