package dev.ossicle.cli.terminal;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Where what users typed and kept is stored, for their eyes only. */
public final class StateFolder {
    private static final FileAttribute<?>[] PRIVATE_FOLDER = attributes("rwx------");
    private static final FileAttribute<?>[] PRIVATE_FILE = attributes("rw-------");

    private StateFolder() {}

    /** {@code OSSICLE_STATE}, or where the system keeps such things. */
    public static Path usual() {
        return of(System::getenv, System.getProperty("os.name"), Path.of(System.getProperty("user.home")));
    }

    static Path of(Function<String, @Nullable String> environment, String system, Path home) {
        String own = environment.apply("OSSICLE_STATE");
        if (own != null && !own.isEmpty()) {
            return Path.of(own);
        }
        String name = system.toLowerCase(Locale.ROOT);
        if (name.contains("windows")) {
            String local = environment.apply("LOCALAPPDATA");
            return (local == null ? home.resolve("AppData").resolve("Local") : Path.of(local)).resolve("ossicle");
        }
        if (name.contains("mac")) {
            return home.resolve("Library").resolve("Application Support").resolve("ossicle");
        }
        String xdg = environment.apply("XDG_STATE_HOME");
        return (xdg == null || xdg.isEmpty() ? home.resolve(".local").resolve("state") : Path.of(xdg))
                .resolve("ossicle");
    }

    static void createFolder(Path folder) throws IOException {
        Path parent = folder.toAbsolutePath().getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        if (!Files.isDirectory(folder)) {
            Files.createDirectory(folder, PRIVATE_FOLDER);
        }
    }

    /** If there is none. */
    static void createFile(Path file) throws IOException {
        if (!Files.exists(file)) {
            Files.createFile(file, PRIVATE_FILE);
        }
    }

    private static FileAttribute<?>[] attributes(String permissions) {
        // Windows' own are private below a user's folder.
        return FileSystems.getDefault().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
                }
                : new FileAttribute<?>[0];
    }
}
