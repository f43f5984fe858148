package dev.ossicle.train;

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019) on flat arrays, its gradient clipped to a norm.
 *
 * <p>Not thread-safe.
 */
final class AdamW {
    private static final float BETA1 = 0.9f;
    private static final float BETA2 = 0.98f;
    private static final float EPSILON = 1e-8f;
    private static final float DECAY = 0.05f;
    private static final double MAX_NORM = 1;

    private final ParameterLayout layout;
    /** Running means of the gradient and of its square. */
    private final float[] mean;

    private final float[] square;

    AdamW(ParameterLayout layout) {
        this(layout, new float[layout.size()], new float[layout.size()]);
    }

    AdamW(ParameterLayout layout, float[] mean, float[] square) {
        this.layout = layout;
        this.mean = mean;
        this.square = square;
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
        float stepSize = (float) (rate / (1 - Math.pow(BETA1, (double) step)));
        float squareScale = (float) (1 / (1 - Math.pow(BETA2, (double) step)));
        for (ParameterLayout.Parameter parameter : layout.all()) {
            boolean matrix = parameter.shape().length == 2;
            float keep = matrix ? (float) (1 - rate * DECAY) : 1;
            int end = parameter.offset() + parameter.size();
            for (int i = parameter.offset(); i < end; i++) {
                float g = gradient[i] * scale;
                float m = BETA1 * mean[i] + (1 - BETA1) * g;
                float v = BETA2 * square[i] + (1 - BETA2) * g * g;
                mean[i] = m;
                square[i] = v;
                weights[i] = weights[i] * keep - stepSize * m / ((float) Math.sqrt(v * squareScale) + EPSILON);
            }
        }
        return norm;
    }
}
