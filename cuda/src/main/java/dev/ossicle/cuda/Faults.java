package dev.ossicle.cuda;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.engine.NonFiniteException;

/** The codes by which kernels say where numbers began not to be finite: 0 for nowhere. */
final class Faults {
    private Faults() {}

    /** The norm before a layer's attention finds it. */
    static int beforeAttention(int layer) {
        return 2 * layer + 1;
    }

    /** The norm before its experts does. */
    static int afterAttention(int layer) {
        return 2 * layer + 2;
    }

    /** The last norm does; one more: the logits themselves. */
    static int beforeLogits(ModelConfig config) {
        return beforeAttention(config.layers());
    }

    /** @param where " at position 3", or nothing */
    static NonFiniteException exception(int code, ModelConfig config, String where) {
        return new NonFiniteException(
                source(code, config) + " gave numbers that are not finite" + where + ": the weights are broken");
    }

    /** What gave the numbers that were found. */
    private static String source(int code, ModelConfig config) {
        int layer = (code - 1) / 2;
        if (code == beforeLogits(config) + 1) {
            return "the unembedding";
        }
        if (code == afterAttention(layer)) {
            return "the attention of layer " + layer;
        }
        return layer == 0 ? "the embedding" : "the experts of layer " + (layer - 1);
    }
}
