package dev.ossicle.checkpoint;

import java.io.Serial;
import java.nio.file.Path;

/** A checkpoint cannot be used. The message is one line: the file, the tensor or byte offset, and what was expected. */
public final class CheckpointException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    public CheckpointException(Path file, String problem) {
        super(file + ": " + problem);
    }

    public CheckpointException(Path file, String problem, Throwable cause) {
        super(file + ": " + problem, cause);
    }
}
