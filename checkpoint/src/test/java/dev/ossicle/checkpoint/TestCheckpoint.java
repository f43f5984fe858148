package dev.ossicle.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

class TestCheckpoint {
    @SuppressWarnings("UnusedVariable") // a parameter source
    private static final List<String> NAMES = Fixtures.NAMES;

    static Stream<Path> layouts() {
        return Fixtures.NAMES.stream()
                .flatMap(name -> Stream.of(Fixtures.original(name), Fixtures.huggingFace(name), Fixtures.gguf(name)));
    }

    @ParameterizedTest
    @FieldSource("NAMES")
    void allLayoutsHoldTheSameModel(String name) {
        try (Checkpoint original = Checkpoint.open(Fixtures.original(name));
                Checkpoint huggingFace = Checkpoint.open(Fixtures.huggingFace(name));
                Checkpoint gguf = Checkpoint.open(Fixtures.gguf(name))) {
            assertThat(huggingFace.config()).isEqualTo(original.config());
            assertThat(gguf.config()).isEqualTo(original.config());
            Fixtures.assertSame(huggingFace.weights(), original.weights(), "Hugging Face");
            Fixtures.assertSame(gguf.weights(), original.weights(), "GGUF");
        }
    }

    /** What the readers are based on, once more without them: three tensors by their published offsets. */
    @Test
    void valuesAreThoseOfTheFile() throws IOException {
        Path folder = Fixtures.original("window");
        ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(folder.resolve("model.safetensors")))
                .order(ByteOrder.LITTLE_ENDIAN);
        int data = 8 + (int) file.getLong(0);
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            ModelConfig config = checkpoint.config();
            LayerWeights layer = checkpoint.weights().layers().getFirst();
            // block.0.attn.qkv.weight begins at 57792 and has rows of 96: queries 8 x 64, keys 2 x 64, values
            for (int row = 0; row < config.kvWidth(); row++) {
                for (int column = 0; column < config.hidden(); column++) {
                    int at = data + 57792 + 2 * ((512 + 128 + row) * 96 + column);
                    assertThat(layer.value().get(row, column)).isEqualTo(Float.intBitsToFloat(file.getShort(at) << 16));
                }
            }
            // block.0.mlp.mlp1_weight: blocks at 306652 [6, 128, 3, 16], scales at 343516 [6, 128, 3]
            float[] fp4 = {0, .5f, 1, 1.5f, 2, 3, 4, 6, -0f, -.5f, -1, -1.5f, -2, -3, -4, -6};
            for (int e = 0; e < 6; e++) {
                for (int row = 0; row < 128; row++) {
                    ExpertWeights expert = layer.experts().get(e);
                    Matrix half = row % 2 == 0 ? expert.gate() : expert.up();
                    for (int column = 0; column < 96; column++) {
                        int block = (e * 128 + row) * 3 + column / 32;
                        int codes = file.get(data + 306652 + block * 16 + column % 32 / 2);
                        int code = column % 2 == 0 ? codes & 15 : codes >> 4 & 15;
                        double scale = Math.pow(2, (file.get(data + 343516 + block) & 255) - 127);
                        assertThat((double) half.get(row / 2, column)).isEqualTo(fp4[code] * scale);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("layouts")
    void rowsEqualSingleValues(Path path) {
        try (Checkpoint checkpoint = Checkpoint.open(path)) {
            for (Fixtures.Named named : Fixtures.all(checkpoint.weights())) {
                Matrix matrix = named.matrix();
                float[] row = new float[matrix.columns() + 5];
                for (int r : new int[] {0, matrix.rows() / 2, matrix.rows() - 1}) {
                    matrix.row(r, row, 3);
                    for (int c = 0; c < matrix.columns(); c++) {
                        assertThat(row[3 + c])
                                .as("%s [%d, %d]", named.name(), r, c)
                                .isEqualTo(matrix.get(r, c));
                    }
                }
                assertThat(row[2]).isZero();
                assertThat(row[matrix.columns() + 3]).isZero();
            }
        }
    }

    @Test
    void matricesCheckTheirEdges() {
        for (Path path : layouts().toList()) {
            try (Checkpoint checkpoint = Checkpoint.open(path)) {
                LayerWeights layer = checkpoint.weights().layers().getFirst();
                for (Matrix m :
                        List.of(layer.query(), layer.experts().getFirst().up(), layer.gateBias())) {
                    float[] into = new float[m.columns()];
                    assertThatThrownBy(() -> m.row(m.rows(), into, 0)).isInstanceOf(IndexOutOfBoundsException.class);
                    assertThatThrownBy(() -> m.row(-1, into, 0)).isInstanceOf(IndexOutOfBoundsException.class);
                    assertThatThrownBy(() -> m.row(0, into, 1)).isInstanceOf(IndexOutOfBoundsException.class);
                    assertThatThrownBy(() -> m.get(0, m.columns())).isInstanceOf(IndexOutOfBoundsException.class);
                }
            }
        }
    }

    @Test
    void aClosedCheckpointGivesNothing() {
        Checkpoint checkpoint = Checkpoint.open(Fixtures.gguf("small"));
        Matrix embedding = checkpoint.weights().embedding();
        checkpoint.close();
        checkpoint.close();
        assertThatThrownBy(() -> embedding.get(0, 0)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void tellsWhatItIs() {
        try (Checkpoint original = Checkpoint.open(Fixtures.original("small"));
                Checkpoint huggingFace = Checkpoint.open(Fixtures.huggingFace("small"));
                Checkpoint gguf = Checkpoint.open(Fixtures.gguf("small"))) {
            assertThat(original.layout()).hasToString("OpenAI original");
            assertThat(original.endTokens()).isEmpty();
            assertThat(original.tokenizer()).isInstanceOf(TokenizerSource.None.class);
            assertThat(huggingFace.layout()).hasToString("Hugging Face");
            assertThat(huggingFace.endTokens()).containsExactly(319);
            assertThat(huggingFace.bytes()).isEqualTo(631_624); // the index' total_size
            assertThat(gguf.layout()).hasToString("GGUF");
            // [8, 192, 64] and [8, 64, 96] in each of 3 layers, 17 bytes for 32
            long mxfp4 = 3 * (8 * 192 * 64 + 8 * 64 * 96) / 32 * 17;
            for (Checkpoint checkpoint : List.of(original, huggingFace, gguf)) {
                assertThat(checkpoint.tensors().stream()
                                .filter(tensor -> tensor.format().equals("MXFP4"))
                                .mapToLong(Checkpoint.TensorInfo::bytes)
                                .sum())
                        .isEqualTo(mxfp4);
            }
            assertThat(gguf.endTokens()).containsExactly(319);
            assertThat(gguf.tensors()).hasSize(3 + 3 * 19);
            assertThat(gguf.tokenizer()).isInstanceOfSatisfying(TokenizerSource.GgufVocabulary.class, vocabulary -> {
                assertThat(vocabulary.model()).isEqualTo("gpt2");
                assertThat(vocabulary.pre()).isEqualTo("gpt-4o");
                assertThat(vocabulary.tokens()).hasSize(320).startsWith("Ā", "ā");
                assertThat(vocabulary.types()).hasSize(320);
                assertThat(vocabulary.end()).isEqualTo(OptionalInt.of(319));
            });
        }
    }

    @Test
    void findsTheOriginalFolderInsideAnother(@TempDir Path folder) throws IOException {
        Path inside = Files.createDirectories(folder.resolve("original"));
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(Fixtures.original("long").resolve(file), inside.resolve(file));
        }
        Files.writeString(folder.resolve("tokenizer.json"), "{}");
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.layout()).isEqualTo(Checkpoint.Layout.ORIGINAL);
            assertThat(checkpoint.tokenizer())
                    .isEqualTo(new TokenizerSource.JsonFile(
                            folder.resolve("tokenizer.json").toAbsolutePath()));
        }
    }
}
