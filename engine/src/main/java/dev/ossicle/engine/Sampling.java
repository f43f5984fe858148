package dev.ossicle.engine;

/**
 * How a token is drawn from the logits: divided by the temperature, then cut by top-k, top-p and min-p in this order (each
 * on the probabilities that the one before it left), then drawn. gpt-oss is made for {@link #DEFAULT}.
 *
 * @param temperature 0 takes the best token (the lowest id of equals)
 * @param topP the smallest set of best tokens that holds this probability; 1 keeps all
 * @param topK how many best tokens are kept; 0 keeps all
 * @param minP tokens below this share of the best one's probability are dropped; 0 keeps all
 * @param seed with the index of the token it fixes the draw: same seed, same logits, same text
 */
public record Sampling(double temperature, double topP, int topK, double minP, long seed) {
    /** The model's own: temperature 1, nothing cut. */
    public static final Sampling DEFAULT = new Sampling(1, 1, 0, 0, 0);

    public static final Sampling GREEDY = new Sampling(0, 1, 0, 0, 0);

    public Sampling {
        check(temperature >= 0 && temperature <= 100, "temperature", temperature, "between 0 and 100");
        check(topP > 0 && topP <= 1, "top-p", topP, "above 0 and at most 1");
        check(topK >= 0, "top-k", topK, "0 (all) or more");
        check(minP >= 0 && minP <= 1, "min-p", minP, "between 0 and 1");
    }

    public Sampling withSeed(long newSeed) {
        return new Sampling(temperature, topP, topK, minP, newSeed);
    }

    // NaN compares false and is refused.
    private static void check(boolean holds, String what, double value, String range) {
        if (!holds) {
            throw new IllegalArgumentException(what + " is " + value + ", must be " + range);
        }
    }
}
