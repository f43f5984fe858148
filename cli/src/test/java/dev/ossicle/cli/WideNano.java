package dev.ossicle.cli;

import dev.ossicle.chat.ModelTokenizer;
import dev.ossicle.chat.NanoModel;
import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.checkpoint.F32Matrix;
import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.checkpoint.write.Formats;
import dev.ossicle.checkpoint.write.HuggingFaceWriter;
import dev.ossicle.checkpoint.write.Progress;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * nano with heads of 64 components, as the kernels of a GPU want them: each head's pairs with as many zeros behind them. It
 * computes what nano does, but for the rounding of queries.
 */
final class WideNano {
    private static final int WIDTH = 64;

    private WideNano() {}

    static Path write(Path folder) throws IOException {
        Files.createDirectories(folder);
        try (Checkpoint nano = Checkpoint.open(NanoModel.unpacked())) {
            ModelConfig c = nano.config();
            int times = WIDTH / c.headDim();
            // Twice as many pairs: the angles of the first half are the old ones if the base is squared.
            ModelConfig wide = new ModelConfig(
                    c.layers(),
                    c.experts(),
                    c.expertsPerToken(),
                    c.vocabulary(),
                    c.hidden(),
                    c.intermediate(),
                    WIDTH,
                    c.heads(),
                    c.kvHeads(),
                    c.window(),
                    c.maxContext(),
                    Math.pow(c.ropeTheta(), times),
                    c.ropeFactor(),
                    c.ropeOriginalContext(),
                    c.ropeAlpha(),
                    c.ropeBeta(),
                    c.swigluLimit(),
                    c.rmsEpsilon());
            ModelWeights w = nano.weights();
            Tokenizer tokenizer = ModelTokenizer.of(nano);
            HuggingFaceWriter.write(
                    folder,
                    wide,
                    new ModelWeights(
                            w.embedding(),
                            w.layers().stream().map(l -> widen(l, c.headDim())).toList(),
                            w.norm(),
                            w.unembedding()),
                    Formats.PUBLISHED,
                    List.of(tokenizer.special("<|return|>").orElseThrow()),
                    HuggingFaceWriter.USUAL_SHARD_BYTES,
                    Progress.NONE);
            Files.writeString(folder.resolve("tokenizer.json"), tokenizer.toTokenizerJson());
        }
        return folder;
    }

    private static LayerWeights widen(LayerWeights l, int head) {
        float factor = (float) Math.sqrt((double) WIDTH / head); // scores are divided by the root of the width
        return new LayerWeights(
                l.attentionNorm(),
                rows(l.query(), head, factor),
                widen(l.queryBias(), head, factor),
                rows(l.key(), head, 1),
                widen(l.keyBias(), head, 1),
                rows(l.value(), head, 1),
                widen(l.valueBias(), head, 1),
                l.sinks(),
                columns(l.out(), head),
                l.outBias(),
                l.mlpNorm(),
                l.router(),
                l.routerBias(),
                l.experts(),
                l.gateBias(),
                l.upBias(),
                l.downBias());
    }

    /** Where a component goes: the halves of a pair stay half a head apart. */
    private static int at(int component, int head) {
        int i = component % head;
        return component / head * WIDTH + (i < head / 2 ? i : i - head / 2 + WIDTH / 2);
    }

    private static float[] widen(float[] from, int head, float factor) {
        float[] to = new float[from.length / head * WIDTH];
        for (int i = 0; i < from.length; i++) {
            to[at(i, head)] = factor * from[i];
        }
        return to;
    }

    private static Matrix rows(Matrix from, int head, float factor) {
        int columns = from.columns();
        float[] to = new float[from.rows() / head * WIDTH * columns];
        float[] row = new float[columns];
        for (int r = 0; r < from.rows(); r++) {
            from.row(r, row, 0);
            for (int i = 0; i < columns; i++) {
                to[at(r, head) * columns + i] = factor * row[i];
            }
        }
        return F32Matrix.of(to.length / columns, columns, to);
    }

    private static Matrix columns(Matrix from, int head) {
        int columns = from.columns() / head * WIDTH;
        float[] to = new float[from.rows() * columns];
        float[] row = new float[from.columns()];
        for (int r = 0; r < from.rows(); r++) {
            from.row(r, row, 0);
            System.arraycopy(widen(row, head, 1), 0, to, r * columns, columns);
        }
        return F32Matrix.of(from.rows(), columns, to);
    }
}
