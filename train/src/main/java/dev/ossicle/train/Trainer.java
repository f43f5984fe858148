package dev.ossicle.train;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.GradientCollector;
import java.util.Map;
import java.util.Objects;

/**
 * One training: the weights, and what a step does to them. Not thread-safe.
 *
 * <p>From {@link #ROUNDED_FROM} on the gradient is taken at weights rounded to what the export can hold, and applied to the
 * ones in full precision (the straight-through estimator), so that the export loses nothing.
 */
final class Trainer {
    /** Part of the training after which the forward pass sees rounded weights. */
    static final double ROUNDED_FROM = 0.5;

    /** Rows of a batch, and positions in a row. */
    static final int ROWS = 8;

    static final int LENGTH = 256;

    /** Of the peak. */
    private static final double FINAL_RATE = 0.03;

    private static final int WARM_UP_STEPS = 100;
    /** How much an uneven use of the experts counts beside the loss. */
    private static final float BALANCE = 0.01f;

    private final ParameterLayout layout;
    private final DifferentiableModel model;
    private final Lessons lessons;
    private final long seed;
    private final double peakRate;
    private final float[] weights;
    private final float[] seen;
    private final float[] gradient;
    private final Optimiser optimiser;
    private long steps;
    private long tokens;

    Trainer(ParameterLayout layout, Lessons lessons, TrainingState state, double peakRate) {
        this.peakRate = peakRate;
        this.layout = layout;
        this.lessons = lessons;
        this.model = new DifferentiableModel(layout);
        this.seed = state.seed();
        this.weights = state.weights();
        this.seen = new float[layout.size()];
        this.gradient = new float[layout.size()];
        this.optimiser = new Optimiser(layout, state.mean(), state.square());
        this.steps = state.steps();
        this.tokens = state.tokens();
    }

    long steps() {
        return steps;
    }

    long tokens() {
        return tokens;
    }

    /** To continue from later; shares the arrays, so save it before the next step. */
    TrainingState state(double seconds) {
        return new TrainingState(seed, steps, tokens, seconds, weights, optimiser.mean(), optimiser.square());
    }

    /** The weights as the export holds them. */
    float[] rounded() {
        float[] rounded = new float[layout.size()];
        Rounding.round(layout, weights, rounded);
        return rounded;
    }

    /**
     * Learns from the next batch.
     *
     * @param progress how much of the training is done, 0 to 1
     * @return the mean loss of the tokens to learn
     * @throws ArithmeticException if the loss or the gradient is not finite; nothing has changed then
     */
    double step(double progress) {
        Batch batch = lessons.batch(seed, steps + 1, ROWS, LENGTH);
        if (progress >= ROUNDED_FROM) {
            Rounding.round(layout, weights, seen);
        } else {
            System.arraycopy(weights, 0, seen, 0, seen.length);
        }
        double loss = differentiate(batch);
        if (!Double.isFinite(loss)) {
            throw new ArithmeticException("the loss is " + loss + " at step " + (steps + 1));
        }
        optimiser.update(weights, gradient, steps + 1, peakRate * rate(steps + 1, progress));
        steps++;
        tokens += batch.tokens().length;
        return loss;
    }

    /** Leaves the gradient at the seen weights. */
    private double differentiate(Batch batch) {
        try (NDManager manager = NDManager.newBaseManager()) {
            Map<String, NDArray> arrays = model.arrays(manager, seen, true);
            double value;
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                DifferentiableModel.Output output = model.forward(manager, arrays, batch);
                NDArray loss = DifferentiableModel.loss(output.logits(), batch);
                collector.backward(loss.add(output.balance().mul(DifferentiableModel.constant(loss, BALANCE))));
                value = loss.getFloat();
            }
            for (ParameterLayout.Parameter parameter : layout.all()) {
                NDArray array = Objects.requireNonNull(arrays.get(parameter.name()));
                try (NDArray slope = array.getGradient()) {
                    slope.toByteBuffer().asFloatBuffer().get(gradient, parameter.offset(), parameter.size());
                }
            }
            return value;
        }
    }

    /** Part of the peak: warms up linearly, then falls like half a cosine. */
    static double rate(long step, double progress) {
        double cosine = 0.5 * (1 + Math.cos(Math.PI * Math.min(1, progress)));
        return Math.min(1, (double) step / WARM_UP_STEPS) * (FINAL_RATE + (1 - FINAL_RATE) * cosine);
    }
}
