package dev.ossicle.engine;

/**
 * What an engine may take.
 *
 * @param maxRunning generations that are computed side by side; more wait
 * @param maxGenerations that wait or run at a time; more are refused
 * @param cacheBytes of keys and values, of running generations and of the prefixes that are kept for those to come; one
 *     generation alone may always grow to the model's context
 */
public record EngineOptions(int maxRunning, int maxGenerations, long cacheBytes) {
    /** For a program that talks to its own model. */
    public static final EngineOptions DEFAULT = new EngineOptions(64, 256, 1L << 30);

    public EngineOptions {
        if (maxRunning < 1 || maxGenerations < 1 || cacheBytes < 0) {
            throw new IllegalArgumentException("must be positive: max running " + maxRunning + ", max generations "
                    + maxGenerations + ", cache bytes " + cacheBytes);
        }
    }
}
