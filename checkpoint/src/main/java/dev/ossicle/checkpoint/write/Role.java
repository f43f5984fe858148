package dev.ossicle.checkpoint.write;

import dev.ossicle.checkpoint.ModelConfig;

/** What a tensor is for, which decides its format and how large random values must be for activations to stay in range. */
enum Role {
    NORM,
    SINKS,
    EMBEDDING,
    UNEMBEDDING,
    QKV,
    QKV_BIAS,
    OUT,
    OUT_BIAS,
    ROUTER,
    ROUTER_BIAS,
    GATE_UP,
    GATE_UP_BIAS,
    DOWN,
    DOWN_BIAS;

    float mean() {
        return this == NORM ? 1 : 0;
    }

    /** Standard deviation. A product with n inputs of size 1 comes to sqrt(n) times the weights' size. */
    double deviation(ModelConfig config) {
        return switch (this) {
            case NORM, QKV_BIAS -> 0.2;
            case SINKS, EMBEDDING -> 1;
            case UNEMBEDDING -> 1 / Math.sqrt(config.hidden());
            case QKV, ROUTER, GATE_UP -> 2 / Math.sqrt(config.hidden());
            case OUT -> 1 / Math.sqrt(config.queryWidth());
            case DOWN -> 1 / Math.sqrt(config.intermediate());
            case OUT_BIAS, ROUTER_BIAS -> 0.1;
            case GATE_UP_BIAS, DOWN_BIAS -> 0.3;
        };
    }
}
