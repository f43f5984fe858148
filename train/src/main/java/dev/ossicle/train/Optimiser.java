package dev.ossicle.train;

/**
 * {@link Muon} for the matrices in the layers and {@link AdamW} for the rest, on flat arrays, with one rate, decay and clipped
 * gradient.
 *
 * <p>Not thread-safe.
 */
final class Optimiser {
    private static final float DECAY = 0.05f;
    private static final double MAX_NORM = 1;

    private final float[] mean;
    private final float[] square;
    private final AdamW adam;
    private final Muon muon;

    /**
     * @param mean of the gradient, or Muon's momentum
     * @param square of the gradient, where AdamW needs it
     */
    Optimiser(ParameterLayout layout, float[] mean, float[] square) {
        this.mean = mean;
        this.square = square;
        this.adam = new AdamW(layout, mean, square);
        this.muon = new Muon(layout, mean);
    }

    float[] mean() {
        return mean;
    }

    float[] square() {
        return square;
    }

    /**
     * Changes the weights by one step.
     *
     * @param step counted from 1
     * @return the gradient's norm before clipping
     * @throws ArithmeticException if it is not finite; nothing has changed then
     */
    double update(float[] weights, float[] gradient, long step, double rate) {
        double norm = 0;
        for (float g : gradient) {
            norm += (double) g * g;
        }
        norm = Math.sqrt(norm);
        if (!Double.isFinite(norm)) {
            throw new ArithmeticException("the gradient is not finite at step " + step);
        }
        float scale = (float) Math.min(1, MAX_NORM / norm);
        float keep = (float) (1 - rate * DECAY);
        adam.update(weights, gradient, scale, step, rate, keep);
        muon.update(weights, gradient, scale, rate, keep);
        return norm;
    }
}
