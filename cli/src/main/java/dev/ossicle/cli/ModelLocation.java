package dev.ossicle.cli;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The model that a command line names.
 *
 * @param name as the user knows it
 * @param path a folder or a GGUF file
 * @param isNano whether it is the embedded demonstration model
 */
record ModelLocation(String name, Path path, boolean isNano) {
    /** How the embedded model is called. */
    static final String NANO = "nano";

    /** {@code gpt-oss}, {@code gpt-oss-20b}, {@code gpt-oss:120b}, {@code openai/gpt-oss-20b}, ... */
    private static final Pattern KNOWN_NAME =
            Pattern.compile("(openai/)?gpt-oss(-safeguard)?([:-](20|120)b)?", Pattern.CASE_INSENSITIVE);

    /** What cannot be the beginning of a sentence. */
    private static final Pattern PATH_LIKE = Pattern.compile("\\S+\\.gguf|(\\.{0,2}|~)[/\\\\]\\S*");

    /** Whether a lone argument is a model rather than a prompt. */
    static boolean isModel(String argument) {
        return argument.equals(NANO)
                || KNOWN_NAME.matcher(argument).matches()
                || PATH_LIKE.matcher(argument).matches()
                || exists(argument);
    }

    /**
     * @param argument null for the embedded model
     * @throws UsageException if there is no such model, saying where it was looked for
     */
    static ModelLocation of(@Nullable String argument) {
        if (argument == null || argument.equals(NANO)) {
            return new ModelLocation(NANO, NanoModel.unpacked(), true);
        }
        if (exists(argument)) {
            return new ModelLocation(argument, Path.of(argument), false);
        }
        if (KNOWN_NAME.matcher(argument).matches()) {
            throw new UsageException("there is no file or folder " + argument
                    + " here: download the model (for example with `hf download openai/gpt-oss-20b`) and give the path of"
                    + " its folder or of its .gguf file");
        }
        throw new UsageException("there is no model " + argument
                + ": give a folder with a checkpoint, a .gguf file, or nothing for the embedded model");
    }

    private static boolean exists(String argument) {
        try {
            return !argument.isEmpty() && Files.exists(Path.of(argument));
        } catch (InvalidPathException e) {
            return false; // a prompt may hold what no path can
        }
    }
}
