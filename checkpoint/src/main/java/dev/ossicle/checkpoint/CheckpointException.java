package dev.ossicle.checkpoint;

import java.io.Serial;
import java.nio.file.Path;

/** A checkpoint cannot be used. The message is one line: the file, the tensor or byte offset, and what was expected. */
public final class CheckpointException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private static final int LONGEST = 1000;

    public CheckpointException(Path file, String problem) {
        super(oneLine(file + ": " + problem));
    }

    public CheckpointException(Path file, String problem, Throwable cause) {
        super(oneLine(file + ": " + problem), cause);
    }

    /** A hostile file's names may hold anything, and end up in a message. */
    private static String oneLine(String message) {
        String printable = message.replaceAll("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]", "?");
        return printable.length() <= LONGEST ? printable : printable.substring(0, LONGEST) + "...";
    }
}
