package dev.ossicle.cli;

import dev.ossicle.chat.NanoModel;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The model that a command line names. */
sealed interface ModelLocation {
    /**
     * A checkpoint.
     *
     * @param name as the user knows it
     * @param path a folder or a GGUF file
     * @param isNano whether it is the embedded demonstration model
     */
    record Local(String name, Path path, boolean isNano) implements ModelLocation {}

    /**
     * A model on a host.
     *
     * @param base {@code https://host/v1}
     * @param key from the environment; null for none
     */
    record Remote(URI base, String model, @Nullable String key) implements ModelLocation {}

    /** How the embedded model is called. */
    String NANO = "nano";

    /** {@code gpt-oss}, {@code gpt-oss-20b}, {@code gpt-oss:120b}, {@code openai/gpt-oss-20b}, ... */
    Pattern KNOWN_NAME = Pattern.compile("(openai/)?gpt-oss(-safeguard)?([:-](20|120)b)?", Pattern.CASE_INSENSITIVE);

    /** What cannot be the beginning of a sentence. */
    Pattern PATH_LIKE = Pattern.compile("\\S+\\.gguf|(\\.{0,2}|~)[/\\\\]\\S*|https?://\\S+");

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
        return argument != null && argument.matches("https?://.*") ? remote(argument) : local(argument);
    }

    /** The same where only a checkpoint will do. */
    static Local local(@Nullable String argument) {
        if (argument == null || argument.equals(NANO)) {
            return new Local(NANO, NanoModel.unpacked(), true);
        }
        if (exists(argument)) {
            return new Local(argument, Path.of(argument), false);
        }
        if (KNOWN_NAME.matcher(argument).matches()) {
            throw new UsageException("there is no file or folder " + argument
                    + " here: download the model (for example with `hf download openai/gpt-oss-20b`) and give the path of"
                    + " its folder or of its .gguf file");
        }
        throw new UsageException("there is no model " + argument
                + ": give a folder with a checkpoint, a .gguf file, or nothing for the embedded model");
    }

    private static Remote remote(String argument) {
        int mark = argument.indexOf('#');
        if (mark < 0 || mark == argument.length() - 1) {
            throw new UsageException(argument + " names no model: expected https://host/v1#MODEL");
        }
        try {
            return new Remote(
                    new URI(argument.substring(0, mark)),
                    argument.substring(mark + 1),
                    System.getenv("OSSICLE_API_KEY"));
        } catch (URISyntaxException e) {
            throw new UsageException(argument + " is no address: " + e.getReason());
        }
    }

    private static boolean exists(String argument) {
        try {
            return !argument.isEmpty() && Files.exists(Path.of(argument));
        } catch (InvalidPathException e) {
            return false; // a prompt may hold what no path can
        }
    }
}
