package dev.ossicle.train;

import dev.ossicle.checkpoint.ModelConfig;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * Where each parameter of a model lies in one flat {@code float[]}, so that the optimiser, rounding and saving are plain
 * loops. Letters as in {@link ModelConfig}.
 *
 * <p>The experts lie as the dense form of the computation wants them: gate and up [E*I, H] and down [H, E*I], so that all
 * experts are one matrix product. Groups of 32 neighbours are the same as in the checkpoint, where MXFP4 shares a scale.
 */
final class ParameterLayout {
    /** How a parameter is initialised, decayed and stored. */
    enum Role {
        /** Gain of a norm: starts at 1. */
        GAIN,
        /** Bias or sink: starts at 0. */
        BIAS,
        /** Matrix stored in BF16. */
        MATRIX,
        /** Matrix of the experts, stored in MXFP4. */
        EXPERT
    }

    /** Row-major {@code shape} at {@code offset}. */
    record Parameter(String name, Role role, int offset, long[] shape) {
        int size() {
            return Math.toIntExact(shape[0] * (shape.length == 1 ? 1 : shape[1]));
        }

        int columns() {
            return Math.toIntExact(shape[shape.length - 1]);
        }
    }

    private final ModelConfig config;
    private final Map<String, Parameter> parameters = new LinkedHashMap<>();
    private int size;

    ParameterLayout(ModelConfig config) {
        this.config = config;
        int hidden = config.hidden();
        int queryWidth = config.queryWidth();
        int qkvWidth = queryWidth + 2 * config.kvWidth();
        int experts = config.experts();
        int expertWidth = experts * config.intermediate();
        add("embedding", Role.MATRIX, config.vocabulary(), hidden);
        for (int layer = 0; layer < config.layers(); layer++) {
            String prefix = layer + ".";
            add(prefix + "attentionNorm", Role.GAIN, hidden);
            add(prefix + "qkv", Role.MATRIX, qkvWidth, hidden);
            add(prefix + "qkvBias", Role.BIAS, qkvWidth);
            add(prefix + "sinks", Role.BIAS, config.heads());
            add(prefix + "out", Role.MATRIX, hidden, queryWidth);
            add(prefix + "outBias", Role.BIAS, hidden);
            add(prefix + "mlpNorm", Role.GAIN, hidden);
            add(prefix + "router", Role.MATRIX, experts, hidden);
            add(prefix + "routerBias", Role.BIAS, experts);
            add(prefix + "gate", Role.EXPERT, expertWidth, hidden);
            add(prefix + "gateBias", Role.BIAS, expertWidth);
            add(prefix + "up", Role.EXPERT, expertWidth, hidden);
            add(prefix + "upBias", Role.BIAS, expertWidth);
            add(prefix + "down", Role.EXPERT, hidden, expertWidth);
            add(prefix + "downBias", Role.BIAS, experts, hidden);
        }
        add("norm", Role.GAIN, hidden);
        add("unembedding", Role.MATRIX, config.vocabulary(), hidden);
    }

    private void add(String name, Role role, long... shape) {
        Parameter parameter = new Parameter(name, role, size, shape);
        parameters.put(name, parameter);
        size += parameter.size();
    }

    ModelConfig config() {
        return config;
    }

    /** All parameters in the order of the flat array. */
    Iterable<Parameter> all() {
        return Collections.unmodifiableCollection(parameters.values());
    }

    Parameter get(String name) {
        Parameter parameter = parameters.get(name);
        if (parameter == null) {
            throw new IllegalArgumentException("no parameter is named " + name + "; there are " + parameters.keySet());
        }
        return parameter;
    }

    /** Floats in all. */
    int size() {
        return size;
    }

    /** Random weights to start from; the same seed gives the same weights. */
    float[] initialise(long seed) {
        RandomGenerator random = new SplittableRandom(seed);
        float[] weights = new float[size];
        // What writes into the residual stream starts smaller, as more layers add to it.
        double residual = 1 / Math.sqrt(2.0 * config.layers());
        for (Parameter parameter : all()) {
            double deviation = switch (parameter.role()) {
                case GAIN, BIAS -> 0;
                case MATRIX, EXPERT -> 1 / Math.sqrt(config.hidden());
            };
            if (parameter.name().endsWith(".down")) {
                deviation = residual / Math.sqrt(config.intermediate());
            } else if (parameter.name().endsWith(".out")) {
                deviation = residual / Math.sqrt(config.queryWidth());
            } else if (parameter.name().equals("embedding")) {
                deviation = 0.5;
            } else if (parameter.name().equals("unembedding")) {
                deviation = 0.5 / Math.sqrt(config.hidden());
            }
            for (int i = 0; i < parameter.size(); i++) {
                weights[parameter.offset() + i] =
                        parameter.role() == Role.GAIN ? 1 : (float) (deviation * random.nextGaussian());
            }
        }
        Induction.begin(this, weights);
        return weights;
    }
}
