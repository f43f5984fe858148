package dev.ossicle.train;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.train.ParameterLayout.Parameter;
import java.util.Arrays;

/**
 * First weights with which a model copies from the beginning: an induction head (Olsson et al. 2022), which small models
 * otherwise need a long time to find, and which most of what nano is taught is built upon.
 *
 * <p>The first head of the first layer looks at the token before and writes down which one it was, in a block of the hidden
 * components that is empty so far; the first head of the second layer looks for places that come after a token like the present
 * one, and writes what stands there into another block, which the unembedding reads. All of it goes on to be trained. Letters as
 * in {@link ModelConfig}.
 */
final class Induction {
    /** Size of the biases that make a head look at one distance. */
    private static final float SHARPNESS = 5;

    /** Pairs of a head's components that turn fast enough to tell distances apart; the others do not disturb a match. */
    private static final int FAST = 6;

    private static final float WRITE = 0.35f;
    private static final float MATCH = 2;
    private static final float SAY = 0.3f;

    private final ParameterLayout layout;
    private final ModelConfig config;
    private final float[] weights;
    /** D, also the size of the blocks: what a token is, the one before it, what is to be said. */
    private final int d;

    private Induction(ParameterLayout layout, float[] weights) {
        this.layout = layout;
        this.config = layout.config();
        this.weights = weights;
        this.d = config.headDim();
    }

    /** Changes weights that were drawn at random, if the model is large enough for it. */
    static void begin(ParameterLayout layout, float[] weights) {
        if (layout.config().layers() < 2
                || layout.config().hidden() < 3 * layout.config().headDim()) {
            return;
        }
        Induction induction = new Induction(layout, weights);
        induction.emptyBlocks();
        induction.lookBack();
        induction.carry(0, 1, WRITE);
        induction.match();
        induction.carry(1, 2, 1);
    }

    private void emptyBlocks() {
        int hidden = config.hidden();
        int seen = layout.get("embedding").offset();
        int said = layout.get("unembedding").offset();
        for (int row = 0; row < config.vocabulary() * hidden; row += hidden) {
            for (int i = 0; i < d; i++) {
                weights[seen + row + d + i] = 0;
                weights[seen + row + 2 * d + i] = 0;
                weights[said + row + 2 * d + i] = SAY * weights[seen + row + i];
            }
        }
    }

    /** The first head of the first layer looks at a distance of 1, whatever stands there. */
    private void lookBack() {
        int key = config.queryWidth();
        clear("0.qkv", 0);
        clear("0.qkv", key);
        int bias = layout.get("0.qkvBias").offset();
        for (int pair = 0; pair < FAST; pair++) {
            double angle = Math.pow(config.ropeTheta(), -2.0 * pair / d);
            weights[bias + key + pair] = SHARPNESS;
            weights[bias + pair] = (float) (SHARPNESS * Math.cos(angle));
            weights[bias + d / 2 + pair] = (float) (-SHARPNESS * Math.sin(angle));
        }
    }

    private void clear(String name, int firstRow) {
        Parameter parameter = layout.get(name);
        int from = parameter.offset() + firstRow * parameter.columns();
        Arrays.fill(weights, from, from + d * parameter.columns(), 0);
    }

    /** The first head's values are what a token is, and it writes them into a block. */
    private void carry(int layer, int block, float size) {
        int hidden = config.hidden();
        int value = config.queryWidth() + config.kvWidth();
        clear(layer + ".qkv", value);
        int read = layout.get(layer + ".qkv").offset() + value * hidden;
        Parameter out = layout.get(layer + ".out"); // [H, Q*D]
        for (int row = 0; row < hidden; row++) {
            Arrays.fill(weights, out.offset() + row * out.columns(), out.offset() + row * out.columns() + d, 0);
        }
        for (int i = 0; i < d; i++) {
            weights[read + i * hidden + i] = 1;
            weights[out.offset() + (block * d + i) * out.columns() + i] = size;
        }
    }

    /** The first head of the second layer looks for keys whose token before is its own token. */
    private void match() {
        int hidden = config.hidden();
        clear("1.qkv", 0);
        clear("1.qkv", config.queryWidth());
        int query = layout.get("1.qkv").offset();
        int key = query + config.queryWidth() * hidden;
        for (int i = 0; i < d; i++) {
            if (i % (d / 2) >= FAST) {
                weights[query + i * hidden + i] = MATCH;
                weights[key + i * hidden + d + i] = 1;
            }
        }
    }
}
