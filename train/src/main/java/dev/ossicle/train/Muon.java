package dev.ossicle.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.ossicle.train.ParameterLayout.Parameter;
import dev.ossicle.train.ParameterLayout.Role;

/**
 * Momentum whose steps are made orthogonal (Jordan et al. 2024, "Muon"), for the matrices between embedding and unembedding:
 * every direction that the gradients agree on moves alike, which a small model learns from in far fewer tokens.
 *
 * <p>The step is as large as {@link AdamW}'s would be, so both share a rate (Liu et al. 2025, "Muon is Scalable for LLM
 * Training"). Not thread-safe.
 */
final class Muon {
    private static final float MOMENTUM = 0.95f;
    /** Root mean square of a step, in units of the rate. */
    private static final double STEP = 0.6;

    private static final int ITERATIONS = 5;

    private final ParameterLayout layout;
    /** Running sum of the gradient; where this class does not apply, another optimiser's. */
    private final float[] momentum;

    Muon(ParameterLayout layout, float[] momentum) {
        this.layout = layout;
        this.momentum = momentum;
    }

    static boolean applies(Parameter parameter) {
        return parameter.role() == Role.EXPERT
                || parameter.name().endsWith(".qkv")
                || parameter.name().endsWith(".out");
    }

    /**
     * Changes the weights by one step.
     *
     * @param scale what the gradient is multiplied by first
     * @param keep what is left of a weight after decay
     */
    void update(float[] weights, float[] gradient, float scale, double rate, float keep) {
        try (NDManager manager = NDManager.newBaseManager()) {
            for (Parameter parameter : layout.all()) {
                if (applies(parameter)) {
                    float[] step = orthogonal(manager, parameter, direction(parameter, gradient, scale));
                    for (int i = 0; i < step.length; i++) {
                        int at = parameter.offset() + i;
                        weights[at] = weights[at] * keep - (float) rate * step[i];
                    }
                }
            }
        }
    }

    /** Nesterov's. */
    private float[] direction(Parameter parameter, float[] gradient, float scale) {
        float[] direction = new float[parameter.size()];
        for (int i = 0; i < direction.length; i++) {
            int at = parameter.offset() + i;
            float g = gradient[at] * scale;
            momentum[at] = MOMENTUM * momentum[at] + g;
            direction[i] = g + MOMENTUM * momentum[at];
        }
        return direction;
    }

    /** Each expert's matrix is one of its own. */
    private float[] orthogonal(NDManager manager, Parameter parameter, float[] direction) {
        long experts = layout.config().experts();
        long rows = parameter.shape()[0];
        long columns = parameter.shape()[1];
        NDArray flat = manager.create(direction, new Shape(parameter.shape()));
        if (parameter.role() != Role.EXPERT) {
            return orthogonal(flat.reshape(1, rows, columns)).toFloatArray();
        }
        if (parameter.name().endsWith(".down")) {
            NDArray each = flat.reshape(rows, experts, columns / experts).transpose(1, 0, 2);
            return orthogonal(each).transpose(1, 0, 2).toFloatArray();
        }
        return orthogonal(flat.reshape(experts, rows / experts, columns)).toFloatArray();
    }

    /** Brings all singular values near 1 by Newton and Schulz's iteration, of which five steps are enough: [N, R, C]. */
    private static NDArray orthogonal(NDArray matrices) {
        boolean tall = matrices.getShape().get(1) > matrices.getShape().get(2);
        NDArray x = tall ? matrices.swapAxes(1, 2) : matrices;
        x = x.div(x.square().sum(new int[] {1, 2}, true).sqrt().add(1e-7f));
        for (int i = 0; i < ITERATIONS; i++) {
            NDArray a = x.matMul(x.swapAxes(1, 2));
            NDArray b = a.mul(-4.7750f).add(a.matMul(a).mul(2.0315f));
            x = x.mul(3.4445f).add(b.matMul(x));
        }
        // Wide by now: the length of a row decides the mean size of its components.
        x = x.mul((float) (STEP * Math.sqrt((double) x.getShape().get(2))));
        return tall ? x.swapAxes(1, 2) : x;
    }
}
