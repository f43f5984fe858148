package dev.ossicle.checkpoint;

import java.nio.file.Path;
import java.util.List;

/**
 * An opened checkpoint: mapped files with a checked configuration and every weight found, of the right shape and format.
 *
 * <p>Thread-safe. Closing it unmaps the files; matrices that are still in use throw {@link IllegalStateException} then.
 */
public final class Checkpoint implements AutoCloseable {
    /** One tensor as the files name it, for {@code show}. */
    public record TensorInfo(String name, String format, List<Long> shape, long bytes, Path file) {}

    private final ModelConfig config;
    private final ModelWeights weights;

    private Checkpoint(ModelConfig config, ModelWeights weights) {
        this.config = config;
        this.weights = weights;
    }

    /**
     * Opens a folder in OpenAI's "original" layout, a folder in the Hugging Face layout, or a GGUF file (any part of a
     * split one).
     *
     * @throws CheckpointException if it is none of these, or anything in it is wrong; nothing stays open then
     */
    public static Checkpoint open(Path path) {
        throw new CheckpointException(path, "no reader for this yet");
    }

    public ModelConfig config() {
        return config;
    }

    public ModelWeights weights() {
        return weights;
    }

    @Override
    public void close() {}
}
