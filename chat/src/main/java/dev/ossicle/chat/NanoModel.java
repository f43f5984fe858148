package dev.ossicle.chat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The embedded model: resources of the {@code nano} module, put into the cache folder once, so that they can be mapped. */
public final class NanoModel {
    static final List<String> FILES =
            List.of("config.json", "generation_config.json", "tokenizer.json", "model.safetensors");

    private NanoModel() {}

    /** The folder that holds it. */
    public static Path unpacked() {
        try {
            return unpack(cacheFolder());
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "the embedded model cannot be put into the cache folder " + cacheFolder()
                            + " (OSSICLE_CACHE names another one): " + e,
                    e);
        }
    }

    /** The folder's name says its content, so another version of Ossicle uses another one. */
    static Path unpack(Path cache) throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        MessageDigest digest = sha256();
        for (String name : FILES) {
            try (InputStream in = NanoModel.class.getResourceAsStream("/dev/ossicle/nano/" + name)) {
                if (in == null) {
                    throw new IOException("this build of Ossicle has no embedded model (" + name + " is missing)");
                }
                byte[] bytes = in.readAllBytes();
                files.put(name, bytes);
                digest.update(bytes);
            }
        }
        Path folder = cache.resolve("nano-" + HexFormat.of().formatHex(digest.digest(), 0, 8));
        if (isComplete(folder, files)) {
            return folder;
        }
        Files.createDirectories(cache);
        // Written aside and renamed, so that a killed or concurrent run never leaves half a model.
        Path aside = Files.createTempDirectory(cache, "nano-");
        for (var file : files.entrySet()) {
            Files.write(aside.resolve(file.getKey()), file.getValue());
        }
        if (Files.exists(folder)) {
            delete(folder); // somebody cut it short
        }
        try {
            Files.move(aside, folder);
        } catch (FileAlreadyExistsException | DirectoryNotEmptyException e) {
            delete(aside); // another process was faster
        } catch (FileSystemException e) {
            delete(aside);
            if (!isComplete(folder, files)) {
                throw e;
            }
        }
        return folder;
    }

    private static boolean isComplete(Path folder, Map<String, byte[]> files) throws IOException {
        for (var file : files.entrySet()) {
            Path path = folder.resolve(file.getKey());
            if (!Files.isRegularFile(path) || Files.size(path) != file.getValue().length) {
                return false;
            }
        }
        return true;
    }

    private static void delete(Path folder) throws IOException {
        for (String name : FILES) {
            Files.deleteIfExists(folder.resolve(name));
        }
        Files.deleteIfExists(folder);
    }

    /** {@code OSSICLE_CACHE}, or where the system keeps caches. */
    static Path cacheFolder() {
        String own = System.getenv("OSSICLE_CACHE");
        if (own != null && !own.isEmpty()) {
            return Path.of(own);
        }
        Path home = Path.of(System.getProperty("user.home"));
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        if (system.contains("windows")) {
            String local = System.getenv("LOCALAPPDATA");
            return (local == null ? home.resolve("AppData").resolve("Local") : Path.of(local)).resolve("ossicle");
        }
        if (system.contains("mac")) {
            return home.resolve("Library").resolve("Caches").resolve("ossicle");
        }
        String xdg = System.getenv("XDG_CACHE_HOME");
        return (xdg == null || xdg.isEmpty() ? home.resolve(".cache") : Path.of(xdg)).resolve("ossicle");
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
