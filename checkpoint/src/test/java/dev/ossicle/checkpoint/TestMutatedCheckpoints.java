package dev.ossicle.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.checkpoint.write.Formats;
import dev.ossicle.checkpoint.write.GgufWriter;
import dev.ossicle.checkpoint.write.HuggingFaceWriter;
import dev.ossicle.checkpoint.write.Progress;
import dev.ossicle.checkpoint.write.Synthesis;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Seeded damage to good files of each kind: they open, or a {@link CheckpointException} says why not. Nothing else. */
class TestMutatedCheckpoints {
    private static final ModelConfig TINY =
            new ModelConfig(2, 2, 1, 40, 32, 32, 4, 2, 1, 4, 64, 10_000, 2, 32, 1, 32, 7, 1e-5);

    /** What numbers in headers are replaced by. */
    private static final long[] HOSTILE = {
        0,
        1,
        -1,
        2,
        7,
        31,
        32,
        33,
        255,
        256,
        65_535,
        65_536,
        1L << 31,
        (1L << 31) - 1,
        1L << 32,
        1L << 40,
        1L << 62,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        Long.MAX_VALUE - 31
    };

    private static final List<String> HOSTILE_TEXT = List.of(
            "0",
            "-1",
            "1e400",
            "9223372036854775807",
            "18446744073709551616",
            "0.5",
            "\"",
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "null",
            "true",
            "\\",
            "\\ud800",
            "\0",
            "../",
            "é",
            " ",
            "\"\"",
            "[[",
            "BF16",
            "F32",
            "U8",
            "F64",
            "2",
            "33");

    enum Target {
        ORIGINAL_HEADER,
        ORIGINAL_CONFIG,
        HUGGING_FACE_HEADER,
        HUGGING_FACE_CONFIG,
        HUGGING_FACE_INDEX,
        HUGGING_FACE_TRANSPOSED_HEADER,
        GGUF
    }

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource
    @Timeout(60)
    void openOrSayWhyNot(Target target) throws IOException {
        mutate(target, 0, 700);
    }

    @ParameterizedTest
    @EnumSource
    @Tag("slow")
    @Timeout(600)
    void openOrSayWhyNotManyTimes(Target target) throws IOException {
        mutate(target, 1000, 20_000);
    }

    private void mutate(Target target, long firstSeed, int mutations) throws IOException {
        Path model = prepare(target);
        Path damaged = switch (target) {
            case ORIGINAL_HEADER -> model.resolve("model.safetensors");
            case HUGGING_FACE_HEADER, HUGGING_FACE_TRANSPOSED_HEADER -> firstShard(model);
            case ORIGINAL_CONFIG, HUGGING_FACE_CONFIG -> model.resolve("config.json");
            case HUGGING_FACE_INDEX -> model.resolve(Safetensors.INDEX);
            case GGUF -> model;
        };
        byte[] good = Files.readAllBytes(damaged);
        int head = headLength(target, good);
        read(model);
        int opened = 0;
        for (long seed = firstSeed; seed < firstSeed + mutations; seed++) {
            byte[] bytes = mutate(good, head, new SplittableRandom(seed));
            Files.write(damaged, bytes);
            try {
                read(model);
                opened++;
            } catch (CheckpointException e) {
                assertThat(e)
                        .as("seed %d", seed)
                        .message()
                        .contains(folder.toString())
                        .doesNotContain("\n");
            } catch (RuntimeException | Error e) {
                throw new AssertionError(target + " with seed " + seed, e);
            }
        }
        // Damage that nothing notices is rare but possible; none at all would mean that the damage is too coarse.
        assertThat(opened).isBetween(1, mutations / 2);
    }

    private static void read(Path model) {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            for (Fixtures.Named named : Fixtures.all(checkpoint.weights())) {
                named.values();
            }
            assertThat(checkpoint.tokenizer()).isNotNull();
        }
    }

    private Path prepare(Target target) throws IOException {
        ModelWeights weights = Synthesis.weights(TINY, 5);
        switch (target) {
            case ORIGINAL_HEADER, ORIGINAL_CONFIG -> {
                for (String file : List.of("config.json", "model.safetensors")) {
                    Files.copy(Fixtures.original("long").resolve(file), folder.resolve(file));
                }
                return folder;
            }
            case HUGGING_FACE_HEADER, HUGGING_FACE_CONFIG, HUGGING_FACE_INDEX -> {
                HuggingFaceWriter.write(folder, TINY, weights, Formats.PUBLISHED, List.of(39), 10_000, Progress.NONE);
                return folder;
            }
            case HUGGING_FACE_TRANSPOSED_HEADER -> {
                Formats formats = new Formats(NumberFormat.F16, NumberFormat.BF16);
                HuggingFaceWriter.write(folder, TINY, weights, formats, List.of(39), 30_000, Progress.NONE);
                return folder;
            }
            case GGUF -> {
                Path file = folder.resolve("model.gguf");
                Formats formats = new Formats(NumberFormat.BF16, NumberFormat.MXFP4);
                GgufWriter.write(file, TINY, weights, formats, Synthesis.placeholderVocabulary(40), Progress.NONE);
                return file;
            }
        }
        throw new AssertionError(target);
    }

    private static Path firstShard(Path model) throws IOException {
        try (Stream<Path> files = Files.list(model)) {
            return files.filter(file -> file.toString().endsWith(".safetensors"))
                    .sorted()
                    .findFirst()
                    .orElseThrow();
        }
    }

    /** Where the weights begin, which may hold anything and are only damaged by cutting the file short. */
    private static int headLength(Target target, byte[] file) {
        return switch (target) {
            case ORIGINAL_CONFIG, HUGGING_FACE_CONFIG, HUGGING_FACE_INDEX -> file.length;
            case ORIGINAL_HEADER, HUGGING_FACE_HEADER, HUGGING_FACE_TRANSPOSED_HEADER ->
                8 + (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
            case GGUF -> {
                String text = new String(file, StandardCharsets.ISO_8859_1);
                yield text.lastIndexOf("ffn_down_exps.bias") + 60;
            }
        };
    }

    private static byte[] mutate(byte[] good, int head, SplittableRandom random) {
        byte[] bytes = good.clone();
        for (int edits = random.nextInt(1, 4); edits > 0; edits--) {
            int limit = Math.min(head, bytes.length);
            if (limit < 16) {
                return bytes;
            }
            int at = random.nextInt(limit - 8);
            ByteBuffer view = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
            long hostile = HOSTILE[random.nextInt(HOSTILE.length)];
            switch (random.nextInt(9)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = (byte) random.nextInt(256);
                case 2 -> view.putInt(at, (int) hostile);
                case 3 -> view.putLong(at, hostile);
                case 4 -> view.putInt(at, view.getInt(at) + random.nextInt(-2, 3));
                case 5 -> bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length));
                case 6 -> bytes = splice(bytes, at, at + random.nextInt(8), "");
                case 7 -> {
                    String text = HOSTILE_TEXT.get(random.nextInt(HOSTILE_TEXT.size()));
                    bytes = splice(bytes, at, at + random.nextInt(4), text);
                }
                default -> bytes = replaceNumber(bytes, at, limit, random);
            }
        }
        return bytes;
    }

    /** Puts something else in the place of the next number that is written in digits. */
    private static byte[] replaceNumber(byte[] bytes, int at, int limit, SplittableRandom random) {
        int start = at;
        while (start < limit && (bytes[start] < '0' || bytes[start] > '9')) {
            start++;
        }
        int end = start;
        while (end < limit && bytes[end] >= '0' && bytes[end] <= '9') {
            end++;
        }
        return splice(bytes, start, end, HOSTILE_TEXT.get(random.nextInt(HOSTILE_TEXT.size())));
    }

    private static byte[] splice(byte[] bytes, int from, int to, String text) {
        byte[] middle = text.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(bytes.length - (to - from) + middle.length)
                .put(bytes, 0, from)
                .put(middle)
                .put(bytes, to, bytes.length - to)
                .array();
    }
}
