package dev.ossicle.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.checkpoint.ExpertWeights;
import dev.ossicle.checkpoint.F32Matrix;
import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.checkpoint.NumberFormat;
import dev.ossicle.checkpoint.Q8_0Matrix;
import dev.ossicle.checkpoint.QuantizedMatrix;
import dev.ossicle.checkpoint.write.Formats;
import dev.ossicle.checkpoint.write.Progress;
import dev.ossicle.checkpoint.write.Synthesis;
import dev.ossicle.engine.ModelRunner;
import dev.ossicle.engine.Precision;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** GGUF files in ggml's quantised formats answer as the same weights in float32 do. */
final class TestQuantizedModels {
    /** Rows of 256 everywhere, so that no format needs a stand-in. */
    private static final ModelConfig CONFIG =
            new ModelConfig(2, 4, 2, 96, 256, 256, 64, 4, 2, 16, 2048, 150_000, 32, 4096, 1, 32, 7, 1e-5);

    @TempDir
    Path folder;

    static Stream<NumberFormat> quantized() {
        return Stream.of(NumberFormat.values()).filter(format -> format.ordinal() > NumberFormat.MXFP4.ordinal());
    }

    private Path write(NumberFormat dense, NumberFormat experts) {
        Path file = folder.resolve(dense + "-" + experts + ".gguf");
        Formats formats = new Formats(dense, experts);
        Synthesis.writeGguf(file, CONFIG, formats, Synthesis.placeholderVocabulary(96), 3, Progress.NONE);
        return file;
    }

    @ParameterizedTest
    @MethodSource("quantized")
    void answerAsFloat32Does(NumberFormat format) {
        int[] tokens = new Random(1).ints(20, 0, 96).toArray();
        // Experts in MXFP4, as in published files, and in the format itself, as in files of fine-tunes.
        for (NumberFormat experts : List.of(NumberFormat.MXFP4, format)) {
            String where = format + ", experts " + experts;
            try (Checkpoint file = Checkpoint.open(write(format, experts))) {
                assertThat(file.weights().layers().getLast().out().format()).isEqualTo(format);
                ModelWeights expanded = map(file.weights(), TestQuantizedModels::f32);
                float[][] want;
                try (ModelRunner reference = new ReferenceModelRunner(CONFIG, expanded)) {
                    want = Logits.whole(reference, tokens);
                }
                try (ModelRunner reference = new ReferenceModelRunner(CONFIG, file.weights())) {
                    assertClose(Logits.whole(reference, tokens), want, where + ", reference");
                }
                try (ModelRunner exact = new VectorModelRunner(CONFIG, file.weights(), 2)) {
                    assertClose(Logits.whole(exact, tokens), want, where + ", prefill");
                    assertClose(Logits.pieces(exact, tokens, 1), want, where + ", decode");
                }
                assertFastLosesNothing(file.weights(), tokens, where);
            }
        }
    }

    /** In fast precision, bit for bit what the same numbers give in a format that has kernels: nothing is rounded on the way. */
    private static void assertFastLosesNothing(ModelWeights weights, int[] tokens, String where) {
        try (ModelRunner quantized = new VectorModelRunner(CONFIG, weights, 2, Precision.FAST);
                ModelRunner plain =
                        new VectorModelRunner(CONFIG, map(weights, TestQuantizedModels::plain), 2, Precision.FAST)) {
            float[][] want = Logits.whole(plain, tokens);
            assertThat(Logits.whole(quantized, tokens))
                    .as(where + ", fast prefill")
                    .isDeepEqualTo(want);
            assertThat(Logits.pieces(quantized, tokens, 1))
                    .as(where + ", fast decode")
                    .isDeepEqualTo(want);
        }
    }

    /** The same numbers in Q8_0 if they fit, in float32 if not. */
    private static Matrix plain(Matrix matrix) {
        if (!(matrix instanceof QuantizedMatrix q)) {
            return matrix;
        }
        if (!q.fitsQ8()) {
            return f32(q);
        }
        int blocks = q.columns() / 32;
        ByteBuffer q8 = ByteBuffer.allocate(34 * blocks * q.rows()).order(ByteOrder.LITTLE_ENDIAN);
        byte[] codes = new byte[32];
        for (int row = 0; row < q.rows(); row++) {
            for (int block = 0; block < blocks; block++) {
                q8.putShort(Float.floatToFloat16(q.q8Block(row, block, codes)));
                q8.put(codes);
            }
        }
        return new Q8_0Matrix(q.rows(), q.columns(), MemorySegment.ofArray(q8.array()), 0, 34L * blocks);
    }

    @Test
    void whatFitsIntoQ8RunsOnItsKernels() {
        try (Checkpoint file = Checkpoint.open(write(NumberFormat.Q5_0, NumberFormat.MXFP4))) {
            List<Strips.Source> sources =
                    Relayed.sources(file.weights().layers().getFirst());
            assertThat(sources).hasSizeGreaterThan(4).allMatch(source -> source.format() != null);
        }
        try (Checkpoint file = Checkpoint.open(write(NumberFormat.Q4_K, NumberFormat.Q5_0))) {
            List<Strips.Source> sources =
                    Relayed.sources(file.weights().layers().getFirst());
            assertThat(sources).hasSize(4).allMatch(source -> source.format() == null);
        }
    }

    private static void assertClose(float[][] got, float[][] want, String where) {
        double sum = 0;
        for (int position = 0; position < want.length; position++) {
            double error = Logits.relativeError(got[position], want[position]);
            assertThat(error).as("%s, position %d", where, position).isLessThanOrEqualTo(1e-4);
            sum += error;
        }
        assertThat(sum / want.length).as("%s, mean", where).isLessThanOrEqualTo(1e-5);
    }

    private static ModelWeights map(ModelWeights w, UnaryOperator<Matrix> to) {
        return new ModelWeights(
                to.apply(w.embedding()),
                w.layers().stream().map(layer -> map(layer, to)).toList(),
                w.norm(),
                to.apply(w.unembedding()));
    }

    private static LayerWeights map(LayerWeights l, UnaryOperator<Matrix> to) {
        return new LayerWeights(
                l.attentionNorm(),
                to.apply(l.query()),
                l.queryBias(),
                to.apply(l.key()),
                l.keyBias(),
                to.apply(l.value()),
                l.valueBias(),
                l.sinks(),
                to.apply(l.out()),
                l.outBias(),
                l.mlpNorm(),
                to.apply(l.router()),
                l.routerBias(),
                l.experts().stream()
                        .map(e -> new ExpertWeights(to.apply(e.gate()), to.apply(e.up()), to.apply(e.down())))
                        .toList(),
                l.gateBias(),
                l.upBias(),
                l.downBias());
    }

    private static Matrix f32(Matrix matrix) {
        float[] values = new float[matrix.rows() * matrix.columns()];
        for (int row = 0; row < matrix.rows(); row++) {
            matrix.row(row, values, row * matrix.columns());
        }
        return F32Matrix.of(matrix.rows(), matrix.columns(), values);
    }
}
