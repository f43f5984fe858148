package dev.ossicle.tools.patch;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The folder that patches may change. Nothing outside it is read or written, whether a path says {@code ..}, is absolute or
 * goes over a symbolic link; that nobody else re-links folders meanwhile is taken for granted.
 */
public final class Workspace {
    private static final long MAX_FILE = 16 << 20;

    private final Path root;

    /** @throws IOException if there is no such folder */
    public Workspace(Path folder) throws IOException {
        this.root = folder.toRealPath();
        if (!Files.isDirectory(root)) {
            throw new IOException(folder + " is not a folder");
        }
    }

    /**
     * Reads a patch against the files here; changes nothing.
     *
     * @throws PatchException if it cannot be read, does not fit, or leads out of the folder
     */
    public Patch plan(String text) throws PatchException {
        Map<String, String> files = new HashMap<>();
        for (String path : PatchParser.filesNeeded(text)) {
            Path file = resolve(path);
            if (Files.isRegularFile(file)) {
                files.put(path, read(file, path).replaceLineEnds());
            } // else the parser says which operation misses it
        }
        Patch patch = PatchParser.parse(text, files);
        steps(patch);
        return patch;
    }

    /**
     * Does what a patch says, all or nothing.
     *
     * @throws PatchException if it cannot be done; then everything is as it was
     */
    public void apply(Patch patch) throws PatchException {
        try (Transaction transaction = new Transaction(root)) {
            for (Step step : steps(patch)) {
                transaction.replace(step.target, step.content);
            }
            transaction.commit();
        } catch (IOException e) {
            throw new PatchException("nothing was changed: " + reason(e));
        }
    }

    private static String reason(IOException e) {
        return e.getMessage() == null
                ? e.getClass().getSimpleName()
                : e.getClass().getSimpleName() + ": " + e.getMessage();
    }

    /** A file that gets a new content; null content removes it. */
    private record Step(Path target, byte @org.jspecify.annotations.Nullable [] content) {}

    private List<Step> steps(Patch patch) throws PatchException {
        List<Step> steps = new ArrayList<>();
        Map<Path, String> seen = new HashMap<>();
        for (FileChange change : patch.changes()) {
            switch (change) {
                case FileChange.Add add ->
                    steps.add(new Step(target(add.path(), seen), add.content().getBytes(StandardCharsets.UTF_8)));
                case FileChange.Delete delete -> steps.add(new Step(target(delete.path(), seen), null));
                case FileChange.Update update -> {
                    Path file = target(update.path(), seen);
                    byte[] content = read(file, update.path())
                            .restoreLineEnds(update.content())
                            .getBytes(StandardCharsets.UTF_8);
                    if (update.moveTo() == null || resolve(update.moveTo()).equals(file)) {
                        steps.add(new Step(file, content));
                    } else {
                        steps.add(new Step(target(update.moveTo(), seen), content));
                        steps.add(new Step(file, null));
                    }
                }
            }
        }
        return steps;
    }

    private Path target(String path, Map<Path, String> seen) throws PatchException {
        Path file = resolve(path);
        if (Files.isDirectory(file)) {
            throw new PatchException(path + " is a folder");
        }
        String before = seen.put(file, path);
        if (before != null) {
            throw new PatchException("the patch changes one file twice, as " + before + " and as " + path);
        }
        return file;
    }

    /** Where a path leads; inside the folder, with no link left in it. */
    private Path resolve(String path) throws PatchException {
        Path relative;
        try {
            relative = Path.of(path);
        } catch (InvalidPathException e) {
            throw new PatchException("not a path: " + path);
        }
        Path file = root.resolve(relative).normalize();
        if (file.equals(root) || !file.startsWith(root)) {
            throw new PatchException(path + " is outside the folder that patches may change; use paths relative to it");
        }
        try {
            Path real = real(file);
            if (!real.startsWith(root)) {
                throw new PatchException(
                        path + " leads outside the folder that patches may change, over a symbolic link");
            }
            return real;
        } catch (IOException e) {
            throw new PatchException(path + ": " + reason(e));
        }
    }

    private static Path real(Path file) throws IOException {
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            return file.toRealPath();
        }
        Path parent = file.getParent();
        Path name = file.getFileName();
        if (parent == null || name == null) {
            throw new NoSuchFileException(file.toString());
        }
        return real(parent).resolve(name);
    }

    private static FileText read(Path file, String path) throws PatchException {
        try {
            if (Files.size(file) > MAX_FILE) {
                throw new PatchException(path + " is too large to be patched: above " + MAX_FILE + " bytes");
            }
            return new FileText(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(Files.readAllBytes(file)))
                    .toString());
        } catch (CharacterCodingException e) {
            throw new PatchException(path + " is not a text file in UTF-8");
        } catch (IOException e) {
            throw new PatchException(path + ": " + reason(e));
        }
    }
}
