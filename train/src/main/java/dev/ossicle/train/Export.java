package dev.ossicle.train;

import dev.ossicle.checkpoint.write.Formats;
import dev.ossicle.checkpoint.write.HuggingFaceWriter;
import dev.ossicle.checkpoint.write.Progress;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Writes a trained model as a Hugging Face folder: the experts in MXFP4, the rest in BF16, and its tokenizer. */
final class Export {
    private Export() {}

    /** @param rounded weights that MXFP4 and BF16 hold exactly */
    static void write(Path folder, ParameterLayout layout, float[] rounded, Tokenizer tokenizer) throws IOException {
        Files.createDirectories(folder);
        List<Integer> ends = List.of(
                tokenizer.special("<|return|>").orElseThrow(),
                tokenizer.special("<|endoftext|>").orElseThrow(),
                tokenizer.special("<|call|>").orElseThrow());
        HuggingFaceWriter.write(
                folder,
                layout.config(),
                CheckpointWeights.matrices(layout, rounded),
                Formats.PUBLISHED,
                ends,
                HuggingFaceWriter.USUAL_SHARD_BYTES,
                Progress.NONE);
        Files.writeString(folder.resolve("tokenizer.json"), tokenizer.toTokenizerJson());
    }
}
