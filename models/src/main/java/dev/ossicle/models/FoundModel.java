package dev.ossicle.models;

import java.nio.file.Path;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A model on this machine.
 *
 * @param name by which a command line may ask for it
 * @param path a folder or a GGUF file
 * @param bytes of its weights
 * @param modified when its weights came
 * @param problem why it cannot be run, such as a missing part; null if nothing is known against it
 */
public record FoundModel(
        String name,
        Source source,
        Path path,
        Format format,
        long bytes,
        Instant modified,
        @Nullable String problem) {

    /** Who put it there. */
    public enum Source {
        OSSICLE("Ossicle"),
        HUGGING_FACE("Hugging Face cache"),
        OLLAMA("Ollama"),
        LLAMA_CPP("llama.cpp cache"),
        LM_STUDIO("LM Studio");

        private final String title;

        Source(String title) {
            this.title = title;
        }

        @Override
        public String toString() {
            return title;
        }
    }

    /** What its files are. */
    public enum Format {
        SAFETENSORS("safetensors"),
        GGUF("GGUF");

        private final String title;

        Format(String title) {
            this.title = title;
        }

        @Override
        public String toString() {
            return title;
        }
    }

    public boolean isComplete() {
        return problem == null;
    }
}
