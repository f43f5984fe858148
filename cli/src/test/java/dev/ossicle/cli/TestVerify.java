package dev.ossicle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.write.Formats;
import dev.ossicle.checkpoint.write.HuggingFaceWriter;
import dev.ossicle.checkpoint.write.Progress;
import dev.ossicle.checkpoint.write.Synthesis;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.models.hub.Digests;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sound models pass; each kind of damage is said in its own line. */
class TestVerify {
    @TempDir
    Path folder;

    /** A model in two files, with the digests that a pull would have left. */
    private Path model() throws IOException {
        Path model = folder.resolve("model");
        HuggingFaceWriter.write(
                model,
                TinyModel.CONFIG,
                Synthesis.weights(TinyModel.CONFIG, 7),
                Formats.PUBLISHED,
                List.of(258),
                15_000,
                Progress.NONE);
        Files.writeString(model.resolve("tokenizer.json"), TinyModel.tokenizer().toTokenizerJson());
        return model;
    }

    private static void describe(Path model) throws IOException {
        List<String> files = new ArrayList<>();
        try (Stream<Path> all = Files.list(model)) {
            for (Path file : all.toList()) {
                files.add("{\"path\": \"%s\", \"size\": %d, \"digest\": \"%s\"}"
                        .formatted(file.getFileName(), Files.size(file), Digests.read(file, "0".repeat(64), n -> {})));
            }
        }
        Files.writeString(
                model.resolve("ossicle.json"),
                "{\"repository\": \"a/b\", \"revision\": \"c\", \"files\": [" + String.join(",", files) + "]}");
    }

    private static List<Path> weights(Path model) throws IOException {
        try (Stream<Path> all = Files.list(model)) {
            return all.filter(file -> file.toString().endsWith(".safetensors"))
                    .sorted()
                    .toList();
        }
    }

    private static void assertPasses(Path model) {
        CommandLineRun run = CommandLineRun.of("verify", model.toString());
        assertThat(run.status()).as(run.out() + run.err()).isZero();
        assertThat(run.out())
                .contains("tensors    ok", "values     ok", "forward    ok", "nothing is wrong with it")
                .doesNotContain("FAIL");
    }

    /** The only line that failed. */
    private static String failure(Path model) {
        CommandLineRun run = CommandLineRun.of("verify", model.toString());
        assertThat(run.status()).as(run.out() + run.err()).isEqualTo(1);
        List<String> failed =
                run.out().lines().filter(line -> line.contains(" FAIL ")).toList();
        assertThat(failed).as(run.out()).hasSize(1);
        assertThat(run.out()).contains("1 check failed");
        return failed.getFirst();
    }

    @Test
    void whatIsSoundPasses() throws IOException {
        Path model = model();
        assertPasses(model);
        describe(model);
        assertPasses(model);
        assertThat(CommandLineRun.of("verify", model.toString()).out())
                .containsPattern("files +ok +\\d+ with the digest");
        assertThat(CommandLineRun.of("verify", "nano").status()).isZero();
    }

    /** The fixtures have no tokenizer, which is all that can be said against them. */
    @Test
    void theFixturesPassButForTheirTokenizer() {
        Path small = Path.of("..", "fixtures", "model", "small");
        for (String layout : List.of("hf", "original", "model.gguf")) {
            CommandLineRun run =
                    CommandLineRun.of("verify", small.resolve(layout).toString());
            assertThat(run.out())
                    .as(layout)
                    .contains("tensors    ok", "values     ok", "forward    ok", "nobody says what it should be");
            assertThat(run.out().lines().filter(line -> line.contains(" FAIL ")))
                    .allMatch(line -> line.startsWith("tokenizer "));
        }
    }

    @Test
    void aByteThatWasFlipped() throws IOException {
        Path model = model();
        describe(model);
        try (RandomAccessFile file =
                new RandomAccessFile(weights(model).getFirst().toFile(), "rw")) {
            file.seek(file.length() - 2000);
            int old = file.read();
            file.seek(file.length() - 2000);
            file.write(old ^ 1);
        }
        assertThat(failure(model))
                .startsWith("files ")
                .contains(weights(model).getFirst().getFileName() + " has the digest")
                .contains("(ossicle pull)");
    }

    @Test
    void aScaleThatIsNoNumber() throws IOException {
        Path model = model();
        long at;
        Path file;
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            file = checkpoint.tensors().stream()
                    .filter(tensor -> tensor.name().equals("model.layers.1.mlp.experts.down_proj_scales"))
                    .findFirst()
                    .orElseThrow()
                    .file();
        }
        byte[] bytes = Files.readAllBytes(file);
        String header = new String(bytes, StandardCharsets.ISO_8859_1);
        int entry = header.indexOf("\"data_offsets\"", header.indexOf("model.layers.1.mlp.experts.down_proj_scales"));
        at = Long.parseLong(header.substring(header.indexOf('[', entry) + 1, header.indexOf(',', entry))
                .strip());
        long dataStart =
                8 + ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
        bytes[(int) (dataStart + at)] = (byte) 255;
        Files.write(file, bytes);
        CommandLineRun run = CommandLineRun.of("verify", model.toString());
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.out())
                .contains("values     FAIL  layer 1: expert 0 down has values that are not finite")
                .contains("forward    -     left out");
    }

    @Test
    void zerosWhereADownloadLeftAHole() throws IOException {
        Path gguf = folder.resolve("hole.gguf");
        byte[] bytes = Files.readAllBytes(Path.of("..", "fixtures", "model", "small", "model.gguf"));
        Arrays.fill(bytes, bytes.length / 2, bytes.length, (byte) 0);
        Files.write(gguf, bytes);
        assertThat(CommandLineRun.of("verify", gguf.toString()).out()).contains("is zero throughout");
    }

    @Test
    void shardsThatWereSwapped() throws IOException {
        Path model = model();
        List<Path> shards = weights(model);
        assertThat(shards).hasSizeGreaterThan(1);
        Path aside = folder.resolve("aside");
        Files.move(shards.get(0), aside);
        Files.move(shards.get(1), shards.get(0));
        Files.move(aside, shards.get(1));
        assertThat(failure(model)).startsWith("tensors ").contains("lacks tensor", "which the index names");
    }

    @Test
    void aTensorThatIsMissing() throws IOException {
        Path model = model();
        for (Path file : weights(model)) {
            byte[] bytes = Files.readAllBytes(file);
            String text = new String(bytes, StandardCharsets.ISO_8859_1)
                    .replace("model.layers.0.self_attn.sinks", "model.layers.0.self_attn.sinkz");
            Files.write(file, text.getBytes(StandardCharsets.ISO_8859_1));
        }
        Path index = model.resolve("model.safetensors.index.json");
        Files.writeString(
                index, Files.readString(index).replace("layers.0.self_attn.sinks", "layers.0.self_attn.sinkz"));
        assertThat(failure(model)).startsWith("tensors ").contains("model.layers.", "self_attn.sinks is missing");
    }

    @Test
    void aForeignTokenizer() throws IOException {
        Path model = model();
        Files.writeString(
                model.resolve("tokenizer.json"), Tokenizer.o200kHarmony().toTokenizerJson());
        assertThat(failure(model)).startsWith("tokenizer ").contains("the tokenizer belongs to another model");
    }

    /** In a model of the published vocabulary one token is another. */
    @Test
    void aTokenizerThatDiffersInOneToken() throws IOException {
        ModelConfig config =
                new ModelConfig(1, 2, 1, 201_088, 32, 32, 8, 2, 1, 16, 2048, 150_000, 32, 4096, 1, 32, 7, 1e-5);
        Path model = folder.resolve("large");
        HuggingFaceWriter.write(
                model,
                config,
                Synthesis.weights(config, 7),
                Formats.PUBLISHED,
                List.of(200_002),
                HuggingFaceWriter.USUAL_SHARD_BYTES,
                Progress.NONE);
        String json = Tokenizer.o200kHarmony().toTokenizerJson();
        assertThat(json).contains("\"<|call|>\"");
        Files.writeString(model.resolve("tokenizer.json"), json);
        assertPasses(model);
        Files.writeString(
                model.resolve("tokenizer.json"),
                json.replace("<|call|>", "<|x|>")
                        .replace("<|constrain|>", "<|call|>")
                        .replace("<|x|>", "<|constrain|>"));
        assertThat(failure(model))
                .startsWith("tokenizer ")
                .contains("is not o200k_harmony: <|call|> is 200003, expected 200012");
    }
}
