package dev.ossicle.engine;

/**
 * Where an engine stands.
 *
 * @param waiting generations that are not computed yet
 * @param running those that are
 * @param cacheBytes of keys and values
 * @param passes of the model since it was opened
 * @param sequences in all of these passes together
 * @param tokens in all of these passes together
 */
public record EngineStatus(int waiting, int running, long cacheBytes, long passes, long sequences, long tokens) {
    public static final EngineStatus IDLE = new EngineStatus(0, 0, 0, 0, 0, 0);
}
