package dev.ossicle.train;

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019) on flat arrays, for the parameters that {@link Muon} leaves.
 *
 * <p>Not thread-safe.
 */
final class AdamW {
    private static final float BETA1 = 0.9f;
    private static final float BETA2 = 0.98f;
    private static final float EPSILON = 1e-8f;

    private final ParameterLayout layout;
    /** Running means of the gradient and of its square. */
    private final float[] mean;

    private final float[] square;

    AdamW(ParameterLayout layout, float[] mean, float[] square) {
        this.layout = layout;
        this.mean = mean;
        this.square = square;
    }

    /**
     * Changes the weights by one step.
     *
     * @param scale what the gradient is multiplied by first
     * @param step counted from 1
     * @param keep what decay leaves of a matrix
     */
    void update(float[] weights, float[] gradient, float scale, long step, double rate, float keep) {
        float stepSize = (float) (rate / (1 - Math.pow(BETA1, (double) step)));
        float squareScale = (float) (1 / (1 - Math.pow(BETA2, (double) step)));
        for (ParameterLayout.Parameter parameter : layout.all()) {
            if (Muon.applies(parameter)) {
                continue;
            }
            float kept = parameter.shape().length == 2 ? keep : 1;
            int end = parameter.offset() + parameter.size();
            for (int i = parameter.offset(); i < end; i++) {
                float g = gradient[i] * scale;
                float m = BETA1 * mean[i] + (1 - BETA1) * g;
                float v = BETA2 * square[i] + (1 - BETA2) * g * g;
                mean[i] = m;
                square[i] = v;
                weights[i] = weights[i] * kept - stepSize * m / ((float) Math.sqrt(v * squareScale) + EPSILON);
            }
        }
    }
}
