package dev.ossicle.models;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What decides where things are.
 *
 * @param variables of the process
 * @param home of the user
 * @param system as {@code os.name} says it
 */
public record Environment(Map<String, String> variables, Path home, String system) {
    public static Environment ofProcess() {
        return new Environment(
                System.getenv(), Path.of(System.getProperty("user.home")), System.getProperty("os.name"));
    }

    /** A variable that is set to something. */
    public Optional<String> get(String variable) {
        return Optional.ofNullable(variables.get(variable)).filter(value -> !value.isEmpty());
    }

    Optional<Path> path(String variable) {
        return get(variable).map(Path::of);
    }

    /** Where programs keep what can be made again. */
    Path caches() {
        if (isWindows()) {
            return path("LOCALAPPDATA").orElse(home.resolve(Path.of("AppData", "Local")));
        }
        return isMac()
                ? home.resolve(Path.of("Library", "Caches"))
                : path("XDG_CACHE_HOME").orElse(home.resolve(".cache"));
    }

    /** Where Ossicle keeps models: {@code OSSICLE_MODELS}, else where the system has users' data. */
    public Path models() {
        return path("OSSICLE_MODELS").orElseGet(() -> data().resolve("ossicle").resolve("models"));
    }

    private Path data() {
        if (isWindows()) {
            return path("LOCALAPPDATA").orElse(home.resolve(Path.of("AppData", "Local")));
        }
        return isMac()
                ? home.resolve(Path.of("Library", "Application Support"))
                : path("XDG_DATA_HOME").orElse(home.resolve(Path.of(".local", "share")));
    }

    /** Every folder that may hold models, in the order in which they are searched. */
    List<Shelf> shelves() {
        return List.of(
                new OwnShelf(models()),
                HuggingFaceShelf.of(this),
                OllamaShelf.of(this),
                LlamaCppShelf.of(this),
                LmStudioShelf.of(this));
    }

    boolean isWindows() {
        return system.toLowerCase(Locale.ROOT).contains("windows");
    }

    private boolean isMac() {
        return system.toLowerCase(Locale.ROOT).contains("mac");
    }
}
