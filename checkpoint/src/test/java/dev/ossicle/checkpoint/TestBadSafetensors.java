package dev.ossicle.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files that are broken in one way each. Every message names the file and what is wrong with it. */
class TestBadSafetensors {
    private static final String SHARD = "model-00001-of-00002.safetensors";

    @TempDir
    Path folder;

    @BeforeEach
    void copyAGoodModel() throws IOException {
        try (Stream<Path> files = Files.list(Fixtures.huggingFace("long"))) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName().toString()));
            }
        }
        open(folder);
    }

    private static void open(Path path) {
        Checkpoint.open(path).close();
    }

    private void assertRefused(String file, String message) {
        assertThatThrownBy(() -> open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith(folder.resolve(file) + ": ")
                .hasMessageContaining(message)
                .hasMessageNotContaining("\n");
    }

    private void replace(String file, String pattern, String replacement) throws IOException {
        String text = Files.readString(folder.resolve(file));
        String changed = text.replaceFirst(pattern, replacement);
        assertThat(changed.equals(text)).as("%s in %s", pattern, file).isFalse();
        Files.writeString(folder.resolve(file), changed);
    }

    /** Puts another header before the same data. */
    private void replaceInHeader(String pattern, String replacement) throws IOException {
        ByteBuffer file =
                ByteBuffer.wrap(Files.readAllBytes(folder.resolve(SHARD))).order(ByteOrder.LITTLE_ENDIAN);
        int length = (int) file.getLong(0);
        String header = new String(file.array(), 8, length, StandardCharsets.UTF_8)
                .replace(": ", ":")
                .replace(", ", ",");
        String changed = header.replaceFirst(pattern, replacement);
        assertThat(changed.equals(header)).as(pattern).isFalse();
        byte[] bytes = changed.getBytes(StandardCharsets.UTF_8);
        ByteBuffer out = ByteBuffer.allocate(file.capacity() - length + bytes.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(bytes.length)
                .put(bytes)
                .put(file.array(), 8 + length, file.capacity() - 8 - length);
        Files.write(folder.resolve(SHARD), out.array());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "`\"model_type\": \"gpt_oss\"` | `\"model_type\": \"llama\"` | the model type is llama, expected gpt_oss",
                "`\"num_hidden_layers\": 2` | `\"num_hidden_layers\": 3` | layer_types has 2 entries",
                "`\"num_hidden_layers\": 2` | `\"num_hidden_layers\": 2.5` | num_hidden_layers is 2.5, expected an integer",
                "`\"num_hidden_layers\": 2` | `\"num_hidden_layers\": \"2\"` | num_hidden_layers is \"2\", expected a number",
                "`\"num_hidden_layers\": 2` | `\"num_hidden_layers\": null` | num_hidden_layers is missing",
                "`\"num_hidden_layers\": 2` | `\"num_hidden_layers\": 1e99` | num_hidden_layers is 1e99, expected",
                "`\"hidden_size\": 64` | `\"hidden_size\": 0` | hidden size is 0, must be between 1 and",
                "`\"hidden_size\": 64` | `\"hidden_size\": 65` | hidden size is 65, must be a multiple of 32",
                "`\"num_key_value_heads\": 1` | `\"num_key_value_heads\": 3` | key/value heads is 3, must be between 1 and 2",
                "`\"full_attention\"` | `\"sliding_attention\"` | `layer_types[1] is \"sliding_attention\", expected full_attention`",
                "`\"layer_types\": \\[` | `\"layer_types\": [5, ` | layer_types is [5",
                "`\"rope_type\": \"yarn\"` | `\"rope_type\": \"llama3\"` | rope_scaling.rope_type is llama3",
                "`\"truncate\": false` | `\"truncate\": true` | rope_scaling.truncate is true, expected false",
                "`\"rope_scaling\"` | `\"ripe_scaling\"` | rope_parameters or rope_scaling is missing",
                "`\"tie_word_embeddings\": false` | `\"tie_word_embeddings\": true` | tie_word_embeddings is true",
                "`\"quant_method\": \"mxfp4\"` | `\"quant_method\": \"awq\"` | the quantization method is awq, expected mxfp4",
                "`\"swiglu_limit\": 7.0` | `\"swiglu_alpha\": 1.5` | swiglu_alpha is 1.5, expected 1.702",
                "`^\\{` | `[{` | is not JSON: expected ',' or ']'",
                "`(?s)^.*$` | `3` | is a number, expected an object",
            })
    void configuration(String pattern, String replacement, String message) throws IOException {
        replace("config.json", pattern, replacement);
        assertRefused("config.json", message);
    }

    @Test
    void endTokensOutsideTheVocabulary() throws IOException {
        replace("config.json", "\"eos_token_id\": 287", "\"eos_token_id\": [5, 288]");
        assertThatThrownBy(() -> open(folder))
                .hasMessage(folder + ": end token 288 lies outside the vocabulary of 288");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "`^.` | `[` | `header at byte 8 is not JSON`",
                "`^.*$` | `[1]` | `header at byte 8 is an array, expected an object`",
                "`\"BF16\"` | `\"F8_E4M3\"` | `lies at bytes`",
                "`\"BF16\"` | `\"Q4\"` | `has the unknown type Q4`",
                "`\"BF16\"` | `\"I16\"` | `tensor lm_head.weight has the type I16, expected BF16 or F16 or F32`",
                "`\"U8\"` | `\"I8\"` | `has the type I8, expected U8`",
                "`\\[288,64]` | `[64,288]` | `tensor lm_head.weight has the shape [64, 288], expected [288, 64]`",
                "`\\[288,64]` | `[288,-64]` | `no natural number`",
                "`\\[288,64]` | `[9223372036854775807,9223372036854775807]` | `no natural number`",
                "`\\[288,64]` | `[1e400]` | `no natural number`",
                "`\\[288,64]` | `[1,1,1,1,1,1,1,288,64]` | `has 9 dimensions`",
                "`\\[288,64]` | `18432` | `is not described by dtype, shape and two data_offsets`",
                "`\\[0,36864]` | `[0,36863]` | `lies at bytes 0 to 36863`",
                "`\\[0,36864]` | `[0]` | `is not described by dtype, shape and two data_offsets`",
                "`\\[0,36864]` | `[2,36866]` | `begins at byte`",
                "`\\[0,36864]` | `[36864,0]` | `lies at bytes 36864 to 0`",
                "`\\[0,36864]` | `[9223372036854739000,9223372036854775807]` | `lies at bytes`",
                "`\"lm_head.weight\"` | `\"lm_head\"` | `lacks tensor lm_head.weight, which the index names`",
                "`\"lm_head.weight\"` | `\"model.embed_tokens.weight\"` | `behind a gap`",
                "`\"lm_head.weight\":\\{` | `\"extra\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},$0` | `tensor extra has no place in a gpt-oss model`",
            })
    void header(String pattern, String replacement, String message) throws IOException {
        replaceInHeader(pattern, replacement);
        assertRefused(SHARD, message);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 'has 0 bytes, expected a header''s length'",
        "7, 'has 7 bytes'",
        "8, 'header at byte 8 has the length'",
        "200, 'header at byte 8 has the length'",
        "100000, 'lies at bytes'"
    })
    void truncated(int length, String message) throws IOException {
        byte[] bytes = Files.readAllBytes(folder.resolve(SHARD));
        Files.write(folder.resolve(SHARD), Arrays.copyOf(bytes, length));
        assertRefused(SHARD, message);
    }

    @Test
    void longerThanItSays() throws IOException {
        byte[] bytes = Files.readAllBytes(folder.resolve(SHARD));
        Files.write(folder.resolve(SHARD), Arrays.copyOf(bytes, bytes.length + 1));
        assertRefused(SHARD, "has " + (bytes.length + 1) + " bytes, expected " + bytes.length);
    }

    @ParameterizedTest
    @CsvSource({"-1", "-9223372036854775808", "9223372036854775807", "0", "1", "200000000"})
    void hostileHeaderLength(long length) throws IOException {
        byte[] bytes = Files.readAllBytes(folder.resolve(SHARD));
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
        Files.write(folder.resolve(SHARD), bytes);
        assertRefused(SHARD, "has the length " + Long.toUnsignedString(length) + ", expected 2 to ");
    }

    @Test
    void headerThatIsNotText() throws IOException {
        byte[] bytes = Files.readAllBytes(folder.resolve(SHARD));
        bytes[20] = (byte) 0xFF;
        Files.write(folder.resolve(SHARD), bytes);
        assertRefused(SHARD, "header at byte 8 is not UTF-8");
    }

    @ParameterizedTest
    @CsvSource({"../model.safetensors", "/etc/passwd", "a/b.safetensors", "a\\\\\\\\b", "..", ".", "''"})
    void indexThatLeadsOutside(String file) throws IOException {
        replace(Safetensors.INDEX, "\"" + SHARD + "\"", "\"" + file + "\"");
        assertRefused(Safetensors.INDEX, "expected the name of a file in this folder");
    }

    @Test
    void brokenIndex() throws IOException {
        Path index = folder.resolve(Safetensors.INDEX);
        Files.writeString(index, "{\"weight_map\": []}");
        assertRefused(Safetensors.INDEX, "weight_map is [], expected an object");
        Files.writeString(index, "{}");
        assertRefused(Safetensors.INDEX, "weight_map is missing");
        Files.writeString(index, "{\"weight_map\": {}}");
        assertThatThrownBy(() -> open(folder)).hasMessage(folder + ": tensor model.embed_tokens.weight is missing");
        Files.writeString(index, "{\"weight_map\": {\"a\": \"b\"}}");
        assertRefused("b", "does not exist");
        Files.write(index, new byte[] {'{', (byte) 0x80});
        assertRefused(Safetensors.INDEX, "is not UTF-8");
        Files.write(index, new byte[(4 << 20) + 1]);
        assertRefused(Safetensors.INDEX, "is longer than");
    }

    @Test
    void missingParts() throws IOException {
        Files.delete(folder.resolve(SHARD));
        assertRefused(SHARD, "does not exist");
        Files.createDirectory(folder.resolve(SHARD));
        assertRefused(SHARD, "is a folder, expected a file");
        Files.delete(folder.resolve("config.json"));
        assertRefused("config.json", "does not exist");
    }

    @Test
    void aTensorInTwoFiles() throws IOException {
        Files.delete(folder.resolve(Safetensors.INDEX));
        open(folder);
        Files.copy(folder.resolve(SHARD), folder.resolve("z.safetensors"));
        assertRefused("z.safetensors", "tensor lm_head.weight is also in " + folder.resolve(SHARD));
    }

    @Test
    void foldersWithoutACheckpoint(@TempDir Path empty) throws IOException {
        assertThatThrownBy(() -> open(empty)).hasMessageContaining("holds no checkpoint, expected config.json");
        Files.createDirectory(empty.resolve("original"));
        assertThatThrownBy(() -> open(empty)).hasMessageContaining("holds no checkpoint, expected config.json");
        Files.createDirectory(empty.resolve("x.gguf"));
        assertThatThrownBy(() -> open(empty.resolve("x.gguf"))).hasMessageContaining("holds no checkpoint");
        assertThatThrownBy(() -> open(empty.resolve("none"))).hasMessage(empty.resolve("none") + ": does not exist");
        assertThatThrownBy(() -> open(folder.resolve(SHARD)))
                .hasMessageContaining("is a safetensors file, expected the folder");
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void links(@TempDir Path other) throws IOException {
        Path loop = Files.createSymbolicLink(other.resolve("loop"), other.resolve("loop"));
        assertThatThrownBy(() -> open(loop)).hasMessage(loop + ": is a symbolic link that leads nowhere");
        Files.delete(folder.resolve("config.json"));
        Files.createSymbolicLink(folder.resolve("config.json"), loop);
        assertRefused("config.json", "is a symbolic link that leads nowhere");
        // A link to a file elsewhere is how download caches lay out a folder.
        Files.delete(folder.resolve("config.json"));
        Files.createSymbolicLink(
                folder.resolve("config.json"),
                Fixtures.huggingFace("long").resolve("config.json").toAbsolutePath());
        open(folder);
        Files.delete(folder.resolve("config.json"));
        assertThatThrownBy(() -> open(Path.of("/dev/zero"))).hasMessage("/dev/zero: is neither a file nor a folder");
    }

    @Test
    void unreadable() throws IOException {
        Path config = folder.resolve("config.json");
        Path shard = folder.resolve(SHARD);
        boolean changed = shard.toFile().setReadable(false) && config.toFile().setReadable(false);
        assumeTrue(changed && !Files.isReadable(config), "this user may read everything");
        assertRefused("config.json", "cannot be read: permission denied");
        assertThat(config.toFile().setReadable(true)).isTrue();
        assertRefused(SHARD, "cannot be read: permission denied");
    }

    @Test
    void namesWithControlCharactersStayOnOneLine() throws IOException {
        replaceInHeader("\"lm_head.weight\"", "\"a\\\\nb\\\\u001b[31m" + "x".repeat(2000) + "\"");
        Files.delete(folder.resolve(Safetensors.INDEX));
        assertThatThrownBy(() -> open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("tensor lm_head.weight is missing");
        replaceInHeader("\"BF16\"", "\"Q\\\\n4\"");
        assertThatThrownBy(() -> open(folder)).message().hasSizeLessThan(1100).matches("[^\\p{Cc}]*");
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void nothingStaysMappedAfterAFailure() throws IOException {
        replaceInHeader("\"BF16\"", "\"I16\"");
        assertThatThrownBy(() -> open(folder)).isInstanceOf(CheckpointException.class);
        assertThat(Files.readString(Path.of("/proc/self/maps"))).doesNotContain(folder.toString());
        // The test can fail: an open checkpoint does show.
        Path good = Fixtures.huggingFace("long").toAbsolutePath().normalize();
        try (Checkpoint checkpoint = Checkpoint.open(good)) {
            assertThat(checkpoint.bytes()).isPositive();
            assertThat(Files.readString(Path.of("/proc/self/maps"))).contains(good.toString());
        }
    }

    @Test
    void originalLayout(@TempDir Path other) throws IOException {
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(Fixtures.original("long").resolve(file), other.resolve(file));
        }
        Path config = other.resolve("config.json");
        String text = Files.readString(config);
        // Keys that nobody knows are no reason to stop; the clamp has a default.
        Files.writeString(config, text.replace("\"swiglu_limit\": 7.0", "\"some_new_key\": [{}]"));
        open(other);
        Files.writeString(config, text.replace("rope_ntk_beta", "rope_beta"));
        assertThatThrownBy(() -> open(other)).hasMessage(config + ": rope_ntk_beta is missing, expected a number");
        Files.writeString(config, text.replace("\"rope_scaling_factor\": 32.0", "\"rope_scaling_factor\": 1e300"));
        assertThatThrownBy(() -> open(other)).hasMessageContaining("initial_context_length times rope_scaling_factor");
        Files.writeString(config, text.replace("\"num_experts\": 4", "\"num_experts\": 5"));
        assertThatThrownBy(() -> open(other))
                .hasMessageContaining("tensor block.0.mlp.mlp1_weight.blocks has the shape");
    }

    @Test
    void newerConfigurations() throws IOException {
        String text = Files.readString(folder.resolve("config.json"));
        ModelConfig expected;
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            expected = checkpoint.config();
        }
        String newer = text.replace("rope_scaling", "rope_parameters")
                .replace("\"rope_theta\": 150000.0,", "\"swiglu_alpha\": 1.702,")
                .replace("\"factor\": 32.0", "\"factor\": 32.0, \"rope_theta\": 150000")
                .replaceFirst("\"layer_types\": \\[[^]]*],", "")
                .replace("num_experts_per_tok", "unknown_key");
        Files.writeString(folder.resolve("config.json"), newer);
        Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [3, 1]}");
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.config()).isEqualTo(expected);
            assertThat(checkpoint.endTokens()).containsExactly(3, 1);
        }
    }
}
