package dev.ossicle.cli;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.write.Formats;
import dev.ossicle.checkpoint.write.HuggingFaceWriter;
import dev.ossicle.checkpoint.write.Progress;
import dev.ossicle.checkpoint.write.Synthesis;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A random model with a tokenizer of single bytes: it says nonsense, but by the same road as a real one. */
final class TinyModel {
    private static final List<String> SPECIAL = List.of(
            "<|startoftext|>",
            "<|endoftext|>",
            "<|return|>",
            "<|constrain|>",
            "<|channel|>",
            "<|start|>",
            "<|end|>",
            "<|message|>",
            "<|call|>");

    static final ModelConfig CONFIG = new ModelConfig(
            2, 4, 2, 256 + SPECIAL.size(), 32, 32, 8, 4, 2, 16, 2048, 150_000, 32, 4096, 1, 32, 7, 1e-5);

    private TinyModel() {}

    static Tokenizer tokenizer() {
        Tokenizer.Builder builder = Tokenizer.builder();
        for (int value = 0; value < 256; value++) {
            builder.token(value, new byte[] {(byte) value});
        }
        for (int i = 0; i < SPECIAL.size(); i++) {
            builder.special(SPECIAL.get(i), 256 + i);
        }
        return builder.build();
    }

    static Path write(Path folder) throws IOException {
        Files.createDirectories(folder);
        HuggingFaceWriter.write(
                folder,
                CONFIG,
                Synthesis.weights(CONFIG, 7),
                Formats.PUBLISHED,
                List.of(258),
                HuggingFaceWriter.USUAL_SHARD_BYTES,
                Progress.NONE);
        Files.writeString(folder.resolve("tokenizer.json"), tokenizer().toTokenizerJson());
        return folder;
    }
}
