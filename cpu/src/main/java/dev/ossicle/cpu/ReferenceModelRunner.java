package dev.ossicle.cpu;

import static java.util.Objects.requireNonNull;

import dev.ossicle.checkpoint.ExpertWeights;
import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.checkpoint.Rope;
import dev.ossicle.engine.Batches;
import dev.ossicle.engine.Chunk;
import dev.ossicle.engine.KvSequence;
import dev.ossicle.engine.LogitsConsumer;
import dev.ossicle.engine.ModelRunner;
import dev.ossicle.engine.NonFiniteException;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The architecture to be read: one thread, plain loops in the order of the papers, every activation in double precision.
 *
 * <p>Its results are what the other runners are compared with. It is also what answers where nothing faster can run.
 */
public final class ReferenceModelRunner implements ModelRunner {
    /** Sees what the router thinks, so that tests can leave out near ties. */
    @FunctionalInterface
    public interface RouterObserver {
        /**
         * Sees one position in one layer.
         *
         * @param logits [E]
         */
        void router(KvSequence sequence, int position, int layer, double[] logits);
    }

    /** Slope of the experts' sigmoid. */
    private static final double SWIGLU_ALPHA = 1.702;

    private final ModelConfig config;
    private final ModelWeights weights;
    private final RouterObserver observer;
    private final Rope rope;
    private final List<ReferenceKvSequence> sequences = new ArrayList<>();
    private boolean closed;

    public ReferenceModelRunner(ModelConfig config, ModelWeights weights) {
        this(config, weights, (sequence, position, layer, logits) -> {});
    }

    public ReferenceModelRunner(ModelConfig config, ModelWeights weights, RouterObserver observer) {
        this.config = requireNonNull(config, "config is null");
        this.weights = requireNonNull(weights, "weights are null");
        this.observer = observer;
        this.rope = new Rope(config);
    }

    @Override
    public ModelConfig config() {
        return config;
    }

    @Override
    public String description() {
        return "CPU, plain loops in double precision, 1 thread";
    }

    @Override
    public KvSequence newSequence(int maxContext) {
        checkOpen();
        Batches.checkContext(config, maxContext);
        ReferenceKvSequence sequence = new ReferenceKvSequence(this, config.layers(), maxContext);
        sequences.add(sequence);
        return sequence;
    }

    @Override
    public void write(List<KvSequence> sequencesToWrite, DataOutputStream out) throws IOException {
        out.writeInt(sequencesToWrite.size());
        for (KvSequence each : sequencesToWrite) {
            ((ReferenceKvSequence) each).write(out);
        }
    }

    @Override
    public List<KvSequence> read(DataInputStream in) throws IOException {
        checkOpen();
        List<KvSequence> restored = new ArrayList<>();
        boolean complete = false;
        try {
            int count = in.readInt();
            for (int i = 0; i < count; i++) {
                ReferenceKvSequence sequence = new ReferenceKvSequence(this, config.layers(), config.maxContext());
                sequences.add(sequence);
                restored.add(sequence);
                sequence.read(in, config.kvWidth());
            }
            complete = true;
            return restored;
        } finally {
            if (!complete) {
                restored.forEach(KvSequence::close);
            }
        }
    }

    void add(ReferenceKvSequence sequence) {
        sequences.add(sequence);
    }

    void forget(ReferenceKvSequence sequence) {
        sequences.remove(sequence);
    }

    @Override
    public long cacheBytes() {
        return sequences.stream().mapToLong(ReferenceKvSequence::bytes).sum();
    }

    @Override
    public void forward(List<Chunk> batch, LogitsConsumer logits) {
        checkOpen();
        for (Chunk chunk : batch) {
            if (!(chunk.sequence() instanceof ReferenceKvSequence sequence) || !sequence.isOf(this)) {
                throw new IllegalArgumentException("a sequence is not of this runner");
            }
        }
        Batches.check(config, batch);
        for (int i = 0; i < batch.size(); i++) {
            forward(batch.get(i), i, logits);
        }
    }

    @Override
    public void close() {
        closed = true;
    }

    boolean isClosed() {
        return closed;
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the runner is closed");
        }
    }

    /** One chunk through the whole model. Each array of rows is [T, width]. */
    private void forward(Chunk chunk, int index, LogitsConsumer logits) {
        ReferenceKvSequence sequence = (ReferenceKvSequence) chunk.sequence();
        int[] tokens = chunk.tokens();
        int start = sequence.length();

        double[][] x = embed(tokens);
        for (int l = 0; l < config.layers(); l++) {
            LayerWeights layer = weights.layers().get(l);

            double[][] t = rmsNorm(
                    x, layer.attentionNorm(), start, l == 0 ? "the embedding" : "the experts of layer " + (l - 1));
            double[][] q = project(t, layer.query(), layer.queryBias());
            double[][] k = project(t, layer.key(), layer.keyBias());
            double[][] v = project(t, layer.value(), layer.valueBias());
            rotate(q, start);
            rotate(k, start);
            sequence.append(l, k, v);
            double[][] a = attention(q, sequence, l, start, layer.sinks());
            add(x, project(a, layer.out(), layer.outBias()));

            t = rmsNorm(x, layer.mlpNorm(), start, "the attention of layer " + l);
            double[][] g = project(t, layer.router(), layer.routerBias());
            for (int row = 0; row < tokens.length; row++) {
                observer.router(sequence, start + row, l, g[row]);
            }
            add(x, experts(t, g, layer));
        }
        sequence.advance(tokens.length);

        int first = tokens.length - chunk.wantedLogits();
        double[][] last = Arrays.copyOfRange(x, first, tokens.length);
        double[][] t = rmsNorm(last, weights.norm(), start + first, "the experts of layer " + (config.layers() - 1));
        double[][] out = project(t, weights.unembedding(), new float[config.vocabulary()]);
        float[] row = new float[config.vocabulary()];
        for (int i = 0; i < out.length; i++) {
            for (int token = 0; token < row.length; token++) {
                row[token] = (float) out[i][token];
                checkFinite(row[token], "the unembedding", start + first + i);
            }
            logits.logits(index, start + first + i, () -> row);
        }
    }

    private double[][] embed(int[] tokens) {
        double[][] x = new double[tokens.length][config.hidden()];
        float[] row = new float[config.hidden()];
        for (int t = 0; t < tokens.length; t++) {
            weights.embedding().row(tokens[t], row, 0);
            for (int i = 0; i < row.length; i++) {
                x[t][i] = row[i];
            }
        }
        return x;
    }

    /** @param source what wrote {@code x}, for the error if it is not finite */
    private double[][] rmsNorm(double[][] x, float[] gain, int start, String source) {
        double[][] out = new double[x.length][gain.length];
        for (int t = 0; t < x.length; t++) {
            double squares = 0;
            for (double value : x[t]) {
                squares += value * value;
            }
            checkFinite(squares, source, start + t);
            double scale = 1 / Math.sqrt(squares / gain.length + config.rmsEpsilon());
            for (int i = 0; i < gain.length; i++) {
                out[t][i] = x[t][i] * scale * gain[i];
            }
        }
        return out;
    }

    /** x W^T + b; each row of the weights is expanded once. */
    private static double[][] project(double[][] x, Matrix weight, float[] bias) {
        double[][] out = new double[x.length][weight.rows()];
        float[] row = new float[weight.columns()];
        for (int r = 0; r < weight.rows(); r++) {
            weight.row(r, row, 0);
            for (int t = 0; t < x.length; t++) {
                double sum = bias[r];
                for (int i = 0; i < row.length; i++) {
                    sum += x[t][i] * row[i];
                }
                out[t][r] = sum;
            }
        }
        return out;
    }

    /** Rotates component j of each head with component j + D/2. */
    private void rotate(double[][] heads, int start) {
        int half = config.headDim() / 2;
        for (int t = 0; t < heads.length; t++) {
            for (int j = 0; j < half; j++) {
                double cos = rope.cos(start + t, j);
                double sin = rope.sin(start + t, j);
                for (int head = 0; head < heads[t].length; head += config.headDim()) {
                    double a = heads[t][head + j];
                    double b = heads[t][head + half + j];
                    heads[t][head + j] = a * cos - b * sin;
                    heads[t][head + half + j] = b * cos + a * sin;
                }
            }
        }
    }

    private double[][] attention(double[][] q, ReferenceKvSequence sequence, int layer, int start, float[] sinks) {
        double[][] out = new double[q.length][config.queryWidth()];
        for (int t = 0; t < q.length; t++) {
            int last = start + t;
            int first = config.isWindowed(layer) ? Math.max(0, last - config.window() + 1) : 0;
            for (int head = 0; head < config.heads(); head++) {
                attend(q[t], head, sequence, layer, first, last, sinks[head], out[t]);
            }
        }
        return out;
    }

    /** One query head over the keys first..last: softmax over their scores and the sink, which has no value. */
    private void attend(
            double[] q,
            int head,
            ReferenceKvSequence sequence,
            int layer,
            int first,
            int last,
            double sink,
            double[] out) {
        int width = config.headDim();
        int query = head * width;
        int key = head / (config.heads() / config.kvHeads()) * width;
        double scale = 1 / Math.sqrt(width);

        double[] scores = new double[last - first + 1];
        double max = sink;
        for (int j = first; j <= last; j++) {
            double[] k = sequence.key(layer, j);
            double dot = 0;
            for (int i = 0; i < width; i++) {
                dot += q[query + i] * k[key + i];
            }
            scores[j - first] = dot * scale;
            max = Math.max(max, scores[j - first]);
        }
        double sum = Math.exp(sink - max);
        for (int j = first; j <= last; j++) {
            scores[j - first] = Math.exp(scores[j - first] - max);
            sum += scores[j - first];
        }
        for (int j = first; j <= last; j++) {
            double[] v = sequence.value(layer, j);
            for (int i = 0; i < width; i++) {
                out[query + i] += scores[j - first] / sum * v[key + i];
            }
        }
    }

    /**
     * The weighted sum of each row's best experts.
     *
     * @param g router logits [T, E]
     */
    private double[][] experts(double[][] t, double[][] g, LayerWeights layer) {
        int picks = config.expertsPerToken();
        int[][] chosen = new int[t.length][];
        double[][] share = new double[t.length][];
        for (int row = 0; row < t.length; row++) {
            chosen[row] = best(g[row], picks);
            share[row] = softmax(g[row], chosen[row]);
        }
        double[][] out = new double[t.length][config.hidden()];
        for (int expert = 0; expert < config.experts(); expert++) {
            int[] rows = new int[t.length];
            double[] shares = new double[t.length];
            int count = 0;
            for (int row = 0; row < t.length; row++) {
                for (int pick = 0; pick < picks; pick++) {
                    if (chosen[row][pick] == expert) {
                        rows[count] = row;
                        shares[count++] = share[row][pick];
                    }
                }
            }
            if (count > 0) {
                double[][] in = new double[count][];
                for (int i = 0; i < count; i++) {
                    in[i] = t[rows[i]];
                }
                double[][] y = expert(in, expert, layer);
                for (int i = 0; i < count; i++) {
                    for (int c = 0; c < config.hidden(); c++) {
                        out[rows[i]][c] += shares[i] * y[i][c];
                    }
                }
            }
        }
        return out;
    }

    private double[][] expert(double[][] in, int expert, LayerWeights layer) {
        ExpertWeights w = layer.experts().get(expert);
        double[][] gate = project(in, w.gate(), rowOf(layer.gateBias(), expert));
        double[][] up = project(in, w.up(), rowOf(layer.upBias(), expert));
        double[][] s = new double[in.length][config.intermediate()];
        double limit = config.swigluLimit();
        for (int t = 0; t < in.length; t++) {
            for (int i = 0; i < config.intermediate(); i++) {
                double g = Math.min(gate[t][i], limit);
                double u = Math.clamp(up[t][i], -limit, limit);
                s[t][i] = g / (1 + Math.exp(-SWIGLU_ALPHA * g)) * (u + 1);
            }
        }
        return project(s, w.down(), rowOf(layer.downBias(), expert));
    }

    private static float[] rowOf(Matrix matrix, int row) {
        float[] out = new float[matrix.columns()];
        matrix.row(row, out, 0);
        return out;
    }

    /** Indices of the largest logits, the best first; of equal ones the lower index. */
    private static int[] best(double[] logits, int count) {
        int[] best = new int[count];
        boolean[] taken = new boolean[logits.length];
        for (int n = 0; n < count; n++) {
            int top = -1;
            for (int i = 0; i < logits.length; i++) {
                if (!taken[i] && (top < 0 || logits[i] > logits[top])) {
                    top = i;
                }
            }
            taken[top] = true;
            best[n] = top;
        }
        return best;
    }

    /** Softmax over the chosen logits only. */
    private static double[] softmax(double[] logits, int[] chosen) {
        double[] out = new double[chosen.length];
        double sum = 0;
        for (int i = 0; i < chosen.length; i++) {
            out[i] = Math.exp(logits[chosen[i]] - logits[chosen[0]]);
            sum += out[i];
        }
        for (int i = 0; i < chosen.length; i++) {
            out[i] /= sum;
        }
        return out;
    }

    private static void add(double[][] x, double[][] more) {
        for (int t = 0; t < x.length; t++) {
            for (int i = 0; i < x[t].length; i++) {
                x[t][i] += more[t][i];
            }
        }
    }

    private static void checkFinite(double value, String source, int position) {
        if (!Double.isFinite(value)) {
            throw new NonFiniteException(
                    source + " gave numbers that are not finite at position " + position + ": the weights are broken");
        }
    }
}
