package dev.ossicle.cli;

import dev.ossicle.chat.NanoModel;
import dev.ossicle.models.Environment;
import dev.ossicle.models.FoundModel;
import dev.ossicle.models.OfficialName;
import dev.ossicle.models.Shelves;
import dev.ossicle.models.hub.Official;
import java.io.PrintWriter;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
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

    /** What `ossicle list` may show: worth looking for. */
    Pattern NAME_LIKE = Pattern.compile("[\\w.-]+[/:_][\\w./:-]+|\\S+\\.gguf");

    /** What cannot be the beginning of a sentence. */
    Pattern PATH_LIKE = Pattern.compile("\\S+\\.gguf|(\\.{0,2}|~)[/\\\\]\\S*|https?://\\S+");

    /** Whether a lone argument is a model rather than a prompt. */
    static boolean isModel(String argument) {
        return argument.equals(NANO)
                || OfficialName.of(argument).isPresent()
                || PATH_LIKE.matcher(argument).matches()
                || exists(argument)
                || (NAME_LIKE.matcher(argument).matches() && find(argument).isPresent());
    }

    /** @throws UsageException if there is no such model, saying what to do */
    static ModelLocation of(String argument) {
        return argument.matches("https?://.*") ? remote(argument) : local(argument);
    }

    /** Where no model is named: one of OpenAI's that is on this machine, else the embedded one; says which. */
    static Local byDefault(PrintWriter err) {
        Optional<FoundModel> found = new Shelves(Environment.ofProcess()).preferred(MachineMemory.total());
        if (found.isPresent()) {
            FoundModel model = found.get();
            err.println("ossicle: no model named, so this is " + model.name() + " (" + model.source() + ")");
            return new Local(model.name(), model.path(), false);
        }
        err.println("ossicle: no model named, so this is nano, a tiny demonstration model that is often wrong;"
                + " `ossicle pull gpt-oss-20b` gets a real one (13.8 GB)");
        return local(null);
    }

    /** The same where only a checkpoint will do. */
    static Local local(@Nullable String argument) {
        if (argument == null || argument.equals(NANO)) {
            return new Local(NANO, NanoModel.unpacked(), true);
        }
        if (exists(argument)) {
            return new Local(argument, Path.of(argument), false);
        }
        Optional<FoundModel> found = find(argument);
        if (found.isPresent()) {
            FoundModel model = found.get();
            if (!model.isComplete()) {
                throw new UsageException(
                        model.name() + " (" + model.source() + ", " + model.path() + ") is " + model.problem());
            }
            return new Local(model.name(), model.path(), false);
        }
        Optional<OfficialName> official = OfficialName.of(argument);
        if (official.isPresent()) {
            long bytes = Official.bytes(official.get().repository());
            throw new UsageException(official.get() + " is not on this machine (`ossicle list` says where was looked):"
                    + " `ossicle pull " + official.get() + "` downloads it"
                    + (bytes == 0 ? "" : ", " + Sizes.bytes(bytes)));
        }
        throw new UsageException("there is no model " + argument
                + ": give a folder with a checkpoint, a .gguf file, a name that `ossicle list` shows, or nothing");
    }

    private static Optional<FoundModel> find(String name) {
        return new Shelves(Environment.ofProcess()).find(name);
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
