package dev.ossicle.checkpoint;

/**
 * The shape of a gpt-oss model. Letters used in the comments of the forward pass: L layers, E experts, V vocabulary,
 * H hidden, I intermediate, D head dimension, Q query heads, K key/value heads.
 *
 * @param layers L: 24 in the 20b, 36 in the 120b; even ones (0, 2, ...) attend through the window, odd ones fully
 * @param experts E of each layer
 * @param expertsPerToken how many the router picks for a token
 * @param vocabulary V: rows of the embedding and of the unembedding
 * @param hidden H: width of the residual stream
 * @param intermediate I: width inside an expert
 * @param headDim D, even
 * @param heads Q: query heads
 * @param kvHeads K: key/value heads, a divisor of Q
 * @param window keys that a windowed layer sees, its own position included
 * @param maxContext positions that the model was trained for
 * @param ropeTheta base of the rotary angles
 * @param ropeFactor YaRN's scaling factor; 1 leaves the angles alone
 * @param ropeOriginalContext positions before scaling
 * @param ropeAlpha YaRN's slow boundary in rotations (beta_slow)
 * @param ropeBeta YaRN's fast boundary in rotations (beta_fast)
 * @param swigluLimit clamp inside the experts' activation
 * @param rmsEpsilon added to the mean square inside the root
 */
public record ModelConfig(
        int layers,
        int experts,
        int expertsPerToken,
        int vocabulary,
        int hidden,
        int intermediate,
        int headDim,
        int heads,
        int kvHeads,
        int window,
        int maxContext,
        double ropeTheta,
        double ropeFactor,
        int ropeOriginalContext,
        double ropeAlpha,
        double ropeBeta,
        double swigluLimit,
        double rmsEpsilon) {

    public static final ModelConfig GPT_OSS_20B =
            new ModelConfig(24, 32, 4, 201_088, 2880, 2880, 64, 64, 8, 128, 131_072, 150_000, 32, 4096, 1, 32, 7, 1e-5);
    public static final ModelConfig GPT_OSS_120B = new ModelConfig(
            36, 128, 4, 201_088, 2880, 2880, 64, 64, 8, 128, 131_072, 150_000, 32, 4096, 1, 32, 7, 1e-5);

    /** MXFP4 and Q8_0 share a scale between this many neighbours in a row. */
    private static final int BLOCK = 32;

    /**
     * Refuses what no gpt-oss model can be.
     *
     * @throws IllegalArgumentException naming the value and what it must be
     */
    public ModelConfig {
        positive("layers", layers, 1_000);
        positive("experts", experts, 65_536);
        positive("experts per token", expertsPerToken, experts);
        positive("vocabulary", vocabulary, 1 << 24);
        positive("hidden size", hidden, 1 << 20);
        positive("intermediate size", intermediate, 1 << 20);
        positive("head dimension", headDim, 4096);
        positive("heads", heads, 65_536);
        positive("key/value heads", kvHeads, heads);
        positive("window", window, 1 << 24);
        positive("maximum context", maxContext, 1 << 24);
        positive("original context", ropeOriginalContext, 1 << 24);
        check(hidden % BLOCK == 0, "hidden size is " + hidden + ", must be a multiple of 32");
        check(intermediate % BLOCK == 0, "intermediate size is " + intermediate + ", must be a multiple of 32");
        check(headDim % 2 == 0, "head dimension is " + headDim + ", must be even");
        check(heads % kvHeads == 0, "heads are " + heads + ", must be a multiple of the key/value heads, " + kvHeads);
        check(ropeTheta > 1 && ropeTheta <= 1e12, "rope theta is " + ropeTheta + ", must be above 1");
        check(ropeFactor >= 1 && ropeFactor <= 1e6, "rope scaling factor is " + ropeFactor + ", must be at least 1");
        check(
                ropeAlpha > 0 && ropeBeta > ropeAlpha && ropeBeta <= 1e6,
                "rope boundaries are " + ropeAlpha + " and " + ropeBeta + ", must be positive and rise");
        check(swigluLimit > 0 && swigluLimit <= 1e6, "swiglu limit is " + swigluLimit + ", must be positive");
        check(rmsEpsilon > 0 && rmsEpsilon < 1, "rms epsilon is " + rmsEpsilon + ", must lie between 0 and 1");
        double expertParameters = 3.0 * layers * experts * hidden * intermediate;
        double denseParameters = 2.0 * hidden * vocabulary + 4.0 * layers * hidden * heads * headDim;
        check(
                expertParameters + denseParameters < 1e15,
                "parameters are " + (expertParameters + denseParameters) + ", must be fewer than 1e15");
    }

    /** The same model where there is room for so many positions. */
    public ModelConfig withMaxContext(int positions) {
        return new ModelConfig(
                layers,
                experts,
                expertsPerToken,
                vocabulary,
                hidden,
                intermediate,
                headDim,
                heads,
                kvHeads,
                window,
                positions,
                ropeTheta,
                ropeFactor,
                ropeOriginalContext,
                ropeAlpha,
                ropeBeta,
                swigluLimit,
                rmsEpsilon);
    }

    /** Whether this layer attends through the window: layers 0, 2, 4, ... */
    public boolean isWindowed(int layer) {
        return layer % 2 == 0;
    }

    /** Q x D: width of the queries and of what attention gives back. */
    public int queryWidth() {
        return heads * headDim;
    }

    /** K x D: width of the keys and of the values. */
    public int kvWidth() {
        return kvHeads * headDim;
    }

    /** Parameters of the whole model. */
    public long parameters() {
        return parameters(experts);
    }

    /** Parameters that one token uses, as the model card counts them: without the embedding, of which it reads one row. */
    public long activeParameters() {
        return parameters(expertsPerToken) - (long) vocabulary * hidden;
    }

    private long parameters(int countedExperts) {
        long qkv = (long) (queryWidth() + 2 * kvWidth()) * (hidden + 1);
        long out = (long) hidden * (queryWidth() + 1);
        long router = (long) experts * (hidden + 1);
        long expert = 2L * intermediate * (hidden + 1) + (long) hidden * (intermediate + 1);
        long layer = 2L * hidden + qkv + heads + out + router + countedExperts * expert;
        return 2L * vocabulary * hidden + hidden + layers * layer;
    }

    private static void positive(String what, int value, int max) {
        check(value > 0 && value <= max, what + " is " + value + ", must be between 1 and " + max);
    }

    private static void check(boolean holds, String message) {
        if (!holds) {
            throw new IllegalArgumentException(message);
        }
    }
}
