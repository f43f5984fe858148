package dev.ossicle.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import dev.ossicle.checkpoint.ModelConfig;
import java.util.HashMap;
import java.util.Map;

/**
 * The gpt-oss architecture in a form that PyTorch can differentiate, in the order of the paper.
 *
 * <p>Letters in shapes: B rows, S positions in a row, T = B*S, N wanted positions; the others as in {@link ModelConfig},
 * and G = Q/K query heads for each key/value head. Every expert is computed for every token and the ones that the router
 * did not pick are weighted by zero: at this size two large matrix products beat many small ones.
 */
final class DifferentiableModel {
    private static final float SWIGLU_ALPHA = 1.702f;
    /** Added to what attention or the router must not see; its exponential is exactly zero. */
    private static final float HIDDEN = -1e30f;

    /**
     * @param logits [N, V]
     * @param balance 1 if every layer's experts are used evenly, more if not: mean over the layers
     */
    record Output(NDArray logits, NDArray balance) {}

    private final ModelConfig config;
    private final ParameterLayout layout;

    DifferentiableModel(ParameterLayout layout) {
        this.layout = layout;
        this.config = layout.config();
    }

    /** The flat weights as arrays that belong to the manager and die with it. */
    Map<String, NDArray> arrays(NDManager manager, float[] weights, boolean differentiable) {
        Map<String, NDArray> arrays = new HashMap<>();
        for (ParameterLayout.Parameter parameter : layout.all()) {
            java.nio.FloatBuffer slice = java.nio.FloatBuffer.wrap(weights, parameter.offset(), parameter.size());
            NDArray array = manager.create(slice.slice(), new Shape(parameter.shape()), DataType.FLOAT32);
            array.setRequiresGradient(differentiable);
            arrays.put(parameter.name(), array);
        }
        return arrays;
    }

    /** Logits of the batch's wanted positions. */
    Output forward(NDManager manager, Map<String, NDArray> weights, Batch batch) {
        NDArray tokens = manager.create(batch.tokens());
        NDArray wanted = manager.create(batch.at());
        Rotation rotation = Rotation.of(config, manager, batch);
        NDArray full = mask(manager, batch, Integer.MAX_VALUE);
        NDArray windowed = mask(manager, batch, config.window());

        NDArray x = tokens.getNDArrayInternal()
                .embedding(tokens, get(weights, "embedding"), SparseFormat.DENSE)
                .singletonOrThrow(); // [T, H]
        NDArray balance = manager.create(0f);
        for (int layer = 0; layer < config.layers(); layer++) {
            Layer at = new Layer(weights, layer + ".");
            NDArray t = norm(x, at.get("attentionNorm"));
            NDArray mask = config.isWindowed(layer) ? windowed : full;
            x = x.add(attention(at, t, rotation, mask, batch));
            if (layer == config.layers() - 1) {
                x = x.get(wanted); // [N, H]: nothing below mixes positions
            }
            Mixture mixture = experts(at, norm(x, at.get("mlpNorm")));
            x = x.add(mixture.output());
            balance = balance.add(mixture.balance());
        }
        NDArray logits = linear(norm(x, get(weights, "norm")), get(weights, "unembedding"), null);
        return new Output(logits, balance.div(constant(balance, config.layers())));
    }

    private NDArray norm(NDArray x, NDArray gain) {
        NDArray meanSquare = x.square().mean(new int[] {1}, true); // [T, 1]
        return x.div(meanSquare.add(constant(x, config.rmsEpsilon())).sqrt()).mul(gain);
    }

    private NDArray attention(Layer layer, NDArray t, Rotation rotation, NDArray mask, Batch batch) {
        int rows = batch.rows();
        int length = batch.length();
        int d = config.headDim();
        int kv = config.kvHeads();
        int group = config.heads() / kv;
        int queries = group * length;
        NDArray qkv = linear(t, layer.get("qkv"), layer.get("qkvBias"));
        NDList split = qkv.split(new long[] {config.queryWidth() + config.kvWidth()}, 1);
        NDArray rotated = rotation.apply(split.get(0).reshape(rows, length, config.heads() + kv, d));
        NDList qk = rotated.split(new long[] {config.heads()}, 2);
        NDArray q = qk.get(0).mul(constant(t, 1 / Math.sqrt(d)));
        q = q.reshape(rows, length, kv, group, d).transpose(0, 2, 3, 1, 4); // [B, K, G, S, D]
        NDArray k = qk.get(1).transpose(0, 2, 1, 3); // [B, K, S, D]
        NDArray v = split.get(1).reshape(rows, length, kv, d).transpose(0, 2, 1, 3);

        // The sink is a key in front of all others, without a value: one more component of the queries holds the sink's
        // logit, and of that component the sink's key has 1 and the others 0.
        NDManager manager = t.getManager();
        NDArray sinks = layer.get("sinks").reshape(1, kv, group, 1, 1).broadcast(rows, kv, group, length, 1);
        q = q.concat(sinks, 4).reshape(rows, kv, queries, d + 1);
        NDArray none = manager.zeros(new Shape(rows, kv, 1, d));
        k = none.concat(k, 2).concat(sinkComponent(manager, rows, kv, length), 3); // [B, K, 1+S, D+1]
        v = none.concat(v, 2);

        NDArray scores = q.matMul(k.swapAxes(2, 3)); // [B, K, G*S, 1+S]
        scores = scores.reshape(rows, config.heads(), length, length + 1).add(mask);
        NDArray attended =
                scores.softmax(-1).reshape(rows, kv, queries, length + 1).matMul(v); // [B, K, G*S, D]
        attended = attended.reshape(rows, kv, group, length, d).transpose(0, 3, 1, 2, 4);
        return linear(
                attended.reshape((long) rows * length, config.queryWidth()), layer.get("out"), layer.get("outBias"));
    }

    private static NDArray sinkComponent(NDManager manager, int rows, int kv, int length) {
        NDArray one = manager.ones(new Shape(rows, kv, 1, 1));
        return one.concat(manager.zeros(new Shape(rows, kv, length, 1)), 2);
    }

    /** Added to the scores: [B, 1, S, 1+S], the sink's column first. */
    private static NDArray mask(NDManager manager, Batch batch, int window) {
        int length = batch.length();
        float[] mask = new float[batch.rows() * length * (length + 1)];
        java.util.Arrays.fill(mask, HIDDEN);
        for (int row = 0; row < batch.rows(); row++) {
            for (int query = 0; query < length; query++) {
                int at = row * length + query;
                int line = at * (length + 1);
                int seen = Math.min(batch.position()[at] + 1, window);
                java.util.Arrays.fill(mask, line + query - seen + 2, line + query + 2, 0f);
                mask[line] = 0;
            }
        }
        return manager.create(mask, new Shape(batch.rows(), 1, length, length + 1L));
    }

    private record Mixture(NDArray output, NDArray balance) {}

    private Mixture experts(Layer layer, NDArray t) {
        long count = t.getShape().get(0);
        int experts = config.experts();
        int active = config.expertsPerToken();
        float limit = (float) config.swigluLimit();
        NDArray scores = linear(t, layer.get("router"), layer.get("routerBias")); // [T, E]
        NDArray least = scores.stopGradient().topK(active, 1).get(0).min(new int[] {1}, true);
        NDArray picked = scores.stopGradient().gte(least).toType(DataType.FLOAT32, false); // [T, E]
        NDArray weight =
                scores.add(picked.sub(constant(t, 1)).mul(constant(t, -HIDDEN))).softmax(1); // 0 where not picked
        NDArray share = picked.mean(new int[] {0}).mul(constant(t, (double) experts / active));
        NDArray balance = scores.softmax(1).mean(new int[] {0}).mul(share).sum();

        NDArray gate = linear(t, layer.get("gate"), layer.get("gateBias")).minimum(constant(t, limit)); // [T, E*I]
        NDArray up = linear(t, layer.get("up"), layer.get("upBias")).clip(-limit, limit);
        NDArray swiglu = gate.mul(
                        gate.mul(constant(t, SWIGLU_ALPHA)).getNDArrayInternal().sigmoid())
                .mul(up.add(constant(t, 1)));
        NDArray weighted = swiglu.reshape(count, experts, config.intermediate())
                .mul(weight.reshape(count, experts, 1))
                .reshape(count, (long) experts * config.intermediate());
        NDArray output = linear(weighted, layer.get("down"), null).add(weight.matMul(layer.get("downBias")));
        return new Mixture(output, balance);
    }

    /**
     * A number that lives as long as the other array's manager. DJL's own operations on a number free its memory with the
     * next garbage collection, which the backward pass may come after: its result is random then.
     */
    static NDArray constant(NDArray beside, double value) {
        return beside.getManager().create((float) value);
    }

    /** x W^T + b. */
    private static NDArray linear(NDArray x, NDArray weight, @org.jspecify.annotations.Nullable NDArray bias) {
        return x.getNDArrayInternal().linear(x, weight, bias).singletonOrThrow();
    }

    /** Mean cross-entropy of the batch's next tokens. */
    static NDArray loss(NDArray logits, Batch batch) {
        NDArray next = logits.getManager().create(batch.next()).reshape(-1, 1);
        return logits.logSoftmax(1)
                .gather(next.toType(DataType.INT64, false), 1)
                .mean()
                .neg();
    }

    private static NDArray get(Map<String, NDArray> weights, String name) {
        return java.util.Objects.requireNonNull(weights.get(name), name);
    }

    private record Layer(Map<String, NDArray> weights, String prefix) {
        NDArray get(String name) {
            return DifferentiableModel.get(weights, prefix + name);
        }
    }

    /** YaRN's rotary angles at the batch's positions, the two halves of a head paired. */
    private record Rotation(NDArray cos, NDArray sin, int half) {
        static Rotation of(ModelConfig config, NDManager manager, Batch batch) {
            double[] frequency = frequencies(config);
            // YaRN's concentration: in both queries and keys, hence squared in the scores.
            double concentration = config.ropeFactor() <= 1 ? 1 : 0.1 * Math.log(config.ropeFactor()) + 1;
            int half = frequency.length;
            float[] cos = new float[batch.tokens().length * half];
            float[] sin = new float[cos.length];
            for (int i = 0; i < cos.length; i++) {
                double angle = batch.position()[i / half] * frequency[i % half];
                cos[i] = (float) (Math.cos(angle) * concentration);
                sin[i] = (float) (Math.sin(angle) * concentration);
            }
            Shape shape = new Shape(batch.rows(), batch.length(), 1, half);
            return new Rotation(manager.create(cos, shape), manager.create(sin, shape), half);
        }

        private static double[] frequencies(ModelConfig config) {
            int half = config.headDim() / 2;
            double low = boundary(config, config.ropeBeta());
            double high = boundary(config, config.ropeAlpha());
            double[] frequency = new double[half];
            for (int i = 0; i < half; i++) {
                double unscaled = Math.pow(config.ropeTheta(), -(double) i / half);
                double ramp = Math.clamp((i - low) / (high - low), 0, 1);
                frequency[i] = (1 - ramp) * unscaled + ramp * unscaled / config.ropeFactor();
            }
            return frequency;
        }

        /** The component that turns so many times within the original context. */
        private static double boundary(ModelConfig config, double rotations) {
            double wavelength = config.ropeOriginalContext() / (rotations * 2 * Math.PI);
            return config.headDim() / 2.0 * Math.log(wavelength) / Math.log(config.ropeTheta());
        }

        NDArray apply(NDArray heads) {
            NDList halves = heads.split(new long[] {half}, 3);
            NDArray a = halves.get(0);
            NDArray b = halves.get(1);
            return NDArrays.concat(
                    new NDList(a.mul(cos).sub(b.mul(sin)), b.mul(cos).add(a.mul(sin))), 3);
        }
    }
}
