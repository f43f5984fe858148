package dev.ossicle.checkpoint;

/**
 * Rotary position embedding with YaRN (arXiv 2309.00071): the angle of each pair of components at a position.
 *
 * <p>The boundaries between scaled and unscaled frequencies are not rounded to whole dimensions, as OpenAI's own code has
 * it; ggml and early versions of other engines round them.
 */
public final class Rope {
    /** Radians for each position [D/2]. */
    private final double[] inverseFrequency;

    /** YaRN's attention temperature, a factor of both sine and cosine. */
    private final double magnitude;

    public Rope(ModelConfig config) {
        int pairs = config.headDim() / 2;
        double base = config.ropeTheta();
        double factor = config.ropeFactor();
        double low = boundary(config, config.ropeBeta());
        double high = boundary(config, config.ropeAlpha());
        inverseFrequency = new double[pairs];
        for (int i = 0; i < pairs; i++) {
            double unscaled = 1 / Math.pow(base, (double) i / pairs);
            double ramp = Math.clamp((i - low) / (high - low), 0, 1);
            inverseFrequency[i] = (1 - ramp) * unscaled + ramp * unscaled / factor;
        }
        magnitude = 0.1 * Math.log(factor) + 1;
    }

    /** The pair that makes so many rotations within the original context. */
    private static double boundary(ModelConfig config, double rotations) {
        return config.headDim()
                / 2.0
                * Math.log(config.ropeOriginalContext() / (rotations * 2 * Math.PI))
                / Math.log(config.ropeTheta());
    }

    public double inverseFrequency(int pair) {
        return inverseFrequency[pair];
    }

    public double magnitude() {
        return magnitude;
    }

    public double cos(int position, int pair) {
        return magnitude * Math.cos(position * inverseFrequency[pair]);
    }

    public double sin(int position, int pair) {
        return magnitude * Math.sin(position * inverseFrequency[pair]);
    }
}
