package dev.ossicle.checkpoint.write;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.checkpoint.CheckpointException;
import dev.ossicle.checkpoint.F32Matrix;
import dev.ossicle.checkpoint.Fixtures;
import dev.ossicle.checkpoint.Matrix;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.checkpoint.NumberFormat;
import dev.ossicle.checkpoint.TokenizerSource.GgufVocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.FieldSource;

class TestWriters {
    /** Shapes where every dimension is the smallest there is, or odd, or unlike its neighbours. */
    static final List<ModelConfig> SHAPES = List.of(
            config(1, 1, 1, 1, 32, 32, 2, 1, 1, 1),
            config(2, 3, 2, 7, 64, 32, 6, 3, 1, 5),
            config(3, 5, 4, 33, 32, 96, 16, 6, 3, 128),
            config(1, 2, 1, 2, 160, 64, 64, 2, 2, 16));

    @TempDir
    Path folder;

    static ModelConfig config(
            int layers,
            int experts,
            int active,
            int vocabulary,
            int hidden,
            int inner,
            int headDim,
            int heads,
            int kvHeads,
            int window) {
        return new ModelConfig(
                layers,
                experts,
                active,
                vocabulary,
                hidden,
                inner,
                headDim,
                heads,
                kvHeads,
                window,
                4000,
                10_000,
                8,
                500,
                1,
                32,
                7,
                1e-5);
    }

    private static GgufVocabulary vocabulary(ModelConfig config) {
        return Synthesis.placeholderVocabulary(config.vocabulary());
    }

    @ParameterizedTest
    @FieldSource("SHAPES")
    void huggingFaceFilesHoldWhatWasWritten(ModelConfig config) {
        ModelWeights weights = Synthesis.weights(config, 1);
        List<Formats> exact = Stream.of(NumberFormat.F32, NumberFormat.BF16)
                .flatMap(dense -> Stream.of(NumberFormat.F32, NumberFormat.BF16, NumberFormat.MXFP4)
                        .map(experts -> new Formats(dense, experts)))
                .toList();
        for (Formats formats : exact) {
            for (long shardBytes : new long[] {0, 5000, Long.MAX_VALUE}) {
                Path out = folder.resolve(formats + " " + shardBytes);
                HuggingFaceWriter.write(
                        out, config, weights, formats, List.of(config.vocabulary() - 1), shardBytes, Progress.NONE);
                try (Checkpoint checkpoint = Checkpoint.open(out)) {
                    assertThat(checkpoint.layout()).isEqualTo(Checkpoint.Layout.HUGGING_FACE);
                    assertThat(checkpoint.config()).isEqualTo(config);
                    assertThat(checkpoint.endTokens()).containsExactly(config.vocabulary() - 1);
                    Fixtures.assertSame(checkpoint.weights(), weights, formats.toString());
                }
            }
        }
    }

    @ParameterizedTest
    @FieldSource("SHAPES")
    void ggufFilesHoldWhatWasWritten(ModelConfig config) {
        ModelWeights weights = Synthesis.weights(config, 2);
        for (NumberFormat dense : List.of(NumberFormat.F32, NumberFormat.BF16)) {
            for (NumberFormat experts : List.of(NumberFormat.F32, NumberFormat.BF16, NumberFormat.MXFP4)) {
                Formats formats = new Formats(dense, experts);
                Path out = folder.resolve(formats + ".gguf");
                // The query width need not be a multiple of 32, which only unblocked formats allow.
                GgufWriter.write(out, config, weights, formats, vocabulary(config), Progress.NONE);
                try (Checkpoint checkpoint = Checkpoint.open(out)) {
                    assertThat(checkpoint.layout()).isEqualTo(Checkpoint.Layout.GGUF);
                    assertThat(checkpoint.config()).isEqualTo(config);
                    Fixtures.assertSame(checkpoint.weights(), weights, formats.toString());
                    assertThat(checkpoint.tokenizer()).isInstanceOfSatisfying(GgufVocabulary.class, found -> {
                        assertThat(found.tokens()).isEqualTo(vocabulary(config).tokens());
                        assertThat(found.types()).isEqualTo(vocabulary(config).types());
                    });
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16", "Q8_0", "MXFP4"})
    void everyFormatServesDenseAndExperts(NumberFormat format) {
        ModelConfig config = config(2, 3, 2, 5, 64, 96, 16, 4, 2, 4);
        ModelWeights weights = Synthesis.weights(config, 3);
        Path out = folder.resolve("model.gguf");
        GgufWriter.write(out, config, weights, new Formats(format, format), vocabulary(config), Progress.NONE);
        try (Checkpoint checkpoint = Checkpoint.open(out)) {
            List<Fixtures.Named> expected = Fixtures.all(weights);
            List<Fixtures.Named> found = Fixtures.all(checkpoint.weights());
            for (int i = 0; i < found.size(); i++) {
                assertThat(relativeDistance(
                                found.get(i).values(), expected.get(i).values()))
                        .as(found.get(i).name())
                        .isLessThan(format == NumberFormat.MXFP4 ? 0.15 : 0.01);
            }
        }
    }

    private static double relativeDistance(float[][] a, float[][] b) {
        double difference = 0;
        double size = 0;
        for (int i = 0; i < a.length; i++) {
            for (int j = 0; j < a[i].length; j++) {
                difference += Math.pow((double) a[i][j] - b[i][j], 2);
                size += Math.pow(b[i][j], 2);
            }
        }
        return Math.sqrt(difference / size);
    }

    @ParameterizedTest
    @CsvSource({"small", "window", "long"})
    void convertsBetweenLayouts(String name) {
        Path hf = folder.resolve("hf");
        Path gguf = folder.resolve("model.gguf");
        try (Checkpoint original = Checkpoint.open(Fixtures.original(name))) {
            ModelConfig config = original.config();
            GgufWriter.write(gguf, config, original.weights(), Formats.PUBLISHED, vocabulary(config), Progress.NONE);
            HuggingFaceWriter.write(
                    hf, config, original.weights(), Formats.PUBLISHED, List.of(), 200_000, Progress.NONE);
            try (Checkpoint asHf = Checkpoint.open(hf);
                    Checkpoint asGguf = Checkpoint.open(gguf)) {
                assertThat(asHf.config()).isEqualTo(config);
                assertThat(asGguf.config()).isEqualTo(config);
                Fixtures.assertSame(asHf.weights(), original.weights(), "Hugging Face");
                Fixtures.assertSame(asGguf.weights(), original.weights(), "GGUF");
            }
        }
    }

    @Test
    void streamsRandomModels() throws IOException {
        // Rows of 64 in embeddings and queries, of 256 behind the heads: for blocks of 256 the first have a stand-in.
        ModelConfig config = config(2, 3, 2, 500, 64, 96, 64, 4, 2, 4);
        for (NumberFormat dense : NumberFormat.values()) {
            Path out = folder.resolve(dense + ".gguf");
            AtomicLong last = new AtomicLong();
            Formats formats = new Formats(dense, NumberFormat.MXFP4);
            Progress progress = (written, total) -> {
                assertThat(written).isBetween(last.get(), total);
                last.set(written);
            };
            Synthesis.writeGguf(out, config, formats, vocabulary(config), 7, progress);
            assertThat(last).hasValue(Files.size(out));
            try (Checkpoint checkpoint = Checkpoint.open(out)) {
                assertThat(checkpoint.config()).isEqualTo(config);
                var layer = checkpoint.weights().layers().getLast();
                assertThat(layer.out().format()).isEqualTo(dense);
                assertSpread(checkpoint.weights().embedding(), 0, 1);
                assertSpread(checkpoint.weights().unembedding(), 0, 1 / 8.0);
                assertSpread(layer.query(), 0, 2 / 8.0);
                assertSpread(layer.out(), 0, 1 / 16.0);
                assertSpread(layer.experts().getFirst().gate(), 0, 2 / 8.0);
                assertSpread(layer.experts().getLast().down(), 0, 1 / Math.sqrt(96));
                assertSpread(layer.downBias(), 0, 0.3);
                assertSpread(F32Matrix.of(1, 64, layer.mlpNorm()), 1, 0.2);
                assertSpread(layer.router(), 0, 2 / 8.0);
            }
        }
    }

    private static void assertSpread(Matrix matrix, double mean, double deviation) {
        double sum = 0;
        double squares = 0;
        for (float[] row : new Fixtures.Named("", matrix).values()) {
            for (float value : row) {
                sum += value;
                squares += (value - mean) * (value - mean);
            }
        }
        double count = (double) matrix.rows() * matrix.columns();
        assertThat(sum / count).isBetween(mean - deviation / 2, mean + deviation / 2);
        assertThat(Math.sqrt(squares / count)).isBetween(deviation * 0.65, deviation * 1.5);
    }

    @Test
    void theSameSeedMakesTheSameFile() throws IOException {
        ModelConfig config = config(1, 2, 1, 50, 32, 32, 32, 2, 1, 4);
        Path[] files = {folder.resolve("a"), folder.resolve("b"), folder.resolve("c")};
        for (int i = 0; i < 3; i++) {
            Synthesis.writeGguf(files[i], config, Formats.SMALL, vocabulary(config), i / 2, Progress.NONE);
        }
        assertThat(Files.mismatch(files[0], files[1])).isEqualTo(-1);
        assertThat(Files.mismatch(files[0], files[2])).isPositive();
    }

    @Test
    void aModelReplacesAnother() {
        ModelConfig config = config(1, 2, 1, 50, 32, 32, 32, 2, 1, 4);
        for (long shardBytes : new long[] {2000, 5000, Long.MAX_VALUE, 5000}) {
            ModelWeights weights = Synthesis.weights(config, shardBytes);
            HuggingFaceWriter.write(folder, config, weights, Formats.PUBLISHED, List.of(), shardBytes, Progress.NONE);
            try (Checkpoint checkpoint = Checkpoint.open(folder)) {
                Fixtures.assertSame(checkpoint.weights(), weights, "shards of " + shardBytes);
            }
        }
    }

    @Test
    void aBrokenWeightIsNamedAndLeavesNoFile() throws IOException {
        ModelConfig config = config(1, 2, 1, 50, 32, 32, 32, 2, 1, 4);
        ModelWeights weights = Synthesis.weights(config, 1);
        weights.layers().getFirst().sinks()[1] = Float.NaN;
        Path gguf = folder.resolve("model.gguf");
        assertThatThrownBy(
                        () -> GgufWriter.write(gguf, config, weights, Formats.SMALL, vocabulary(config), Progress.NONE))
                .isInstanceOf(CheckpointException.class)
                .hasMessage(
                        gguf + ": tensor blk.0.attn_sinks.weight, row 0, column 1: NaN is not finite in this format");
        assertThatThrownBy(() -> HuggingFaceWriter.write(
                        folder, config, weights, Formats.PUBLISHED, List.of(), Long.MAX_VALUE, Progress.NONE))
                .hasMessageContaining("model.layers.0.self_attn.sinks");
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left).isEmpty();
        }
    }
}
