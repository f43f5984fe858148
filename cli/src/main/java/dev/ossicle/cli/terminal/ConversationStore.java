package dev.ossicle.cli.terminal;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Conversations that were kept: a file each, by name in one folder, or by path anywhere. */
final class ConversationStore {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,99}");
    private static final String SUFFIX = ".json";

    /** Longer than any context of a model. */
    private static final long MAX_BYTES = 64 << 20;

    private final Path folder;

    ConversationStore(Path folder) {
        this.folder = folder;
    }

    /** Returns where. What was kept by that name is replaced, in one step. */
    Path save(String name, SavedConversation conversation) throws IOException {
        Path file = file(name);
        if (folder.equals(file.getParent())) {
            StateFolder.createFolder(folder);
        }
        Path aside = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(aside);
        StateFolder.createFile(aside);
        Files.writeString(aside, conversation.toJson());
        Files.move(aside, file, StandardCopyOption.REPLACE_EXISTING);
        return file;
    }

    /**
     * @throws IllegalArgumentException if there is none, or it is something else: what is wrong, and where
     */
    SavedConversation load(String name) throws IOException {
        Path file = file(name);
        if (!Files.isRegularFile(file)) {
            throw new IllegalArgumentException(
                    Files.exists(file)
                            ? file + " is no file"
                            : "there is no conversation " + name
                                    + (names().isEmpty() ? "" : "; there are: " + String.join(", ", names())));
        }
        if (Files.size(file) > MAX_BYTES) {
            throw new IllegalArgumentException(file + ": it is larger than " + (MAX_BYTES >> 20) + " MB");
        }
        try {
            return SavedConversation.fromJson(Files.readString(file));
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(file + ": it is not UTF-8 text", e);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
        }
    }

    /** Those in the folder, in order. */
    List<String> names() {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> String.valueOf(file.getFileName()))
                    .filter(name -> name.endsWith(SUFFIX))
                    .map(name -> name.substring(0, name.length() - SUFFIX.length()))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            return List.of(); // only for completion and hints
        }
    }

    private Path file(String name) {
        if (NAME.matcher(name).matches()) {
            return folder.resolve(name.endsWith(SUFFIX) ? name : name + SUFFIX);
        }
        if (name.isEmpty() || (name.indexOf('/') < 0 && name.indexOf('\\') < 0)) {
            throw new IllegalArgumentException(
                    "\"" + name + "\" is no name: letters, digits, -, _ and . (or a path with a / in it)");
        }
        try {
            return Path.of(name.startsWith("~/") ? System.getProperty("user.home") + name.substring(1) : name)
                    .toAbsolutePath();
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("\"" + Harmless.text(name) + "\" is no path: " + e.getReason(), e);
        }
    }
}
