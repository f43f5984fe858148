package dev.ossicle.tools.patch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Replaces files all together: contents are written beside their targets first, old files are kept until all new ones are in
 * place. Not proof against a crash between two renames, which leaves old contents under {@code .NAME.ossicle-*}.
 */
final class Transaction implements AutoCloseable {
    private final Path root;
    private final List<Change> changes = new ArrayList<>();
    private final Deque<Path> folders = new ArrayDeque<>();
    private boolean committed;

    /** A target with its new content, and, from the commit on, its old one, each in a file of its own beside it. */
    private static final class Change {
        final Path target;
        final @Nullable Path content;

        @Nullable
        Path old;

        boolean placed;

        Change(Path target, @Nullable Path content) {
            this.target = target;
            this.content = content;
        }
    }

    Transaction(Path root) {
        this.root = root;
    }

    /**
     * A target's new content; null removes it. Nothing is to be seen of it before the commit, except for new folders.
     *
     * @param target inside the root
     */
    void replace(Path target, byte @Nullable [] content) throws IOException {
        if (content == null) {
            changes.add(new Change(target, null));
            return;
        }
        makeFolders(folder(target));
        Path file = beside(target);
        changes.add(new Change(target, file));
        Files.write(file, content);
        PosixFileAttributeView rights = rights(target);
        PosixFileAttributeView own = rights(file);
        if (own != null && rights != null && Files.exists(target)) {
            own.setPermissions(rights.readAttributes().permissions());
        }
    }

    private static @Nullable PosixFileAttributeView rights(Path file) {
        return Files.getFileAttributeView(file, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
    }

    /** A name that is not taken. */
    private static Path beside(Path target) {
        Path file;
        int number = 0;
        do {
            file = target.resolveSibling("." + target.getFileName() + ".ossicle-" + number++);
        } while (Files.exists(file, LinkOption.NOFOLLOW_LINKS));
        return file;
    }

    private Path folder(Path target) throws IOException {
        Path folder = target.getParent();
        if (folder == null || !folder.startsWith(root)) {
            throw new IOException(target + " is outside " + root);
        }
        return folder;
    }

    private void makeFolders(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            makeFolders(folder(folder));
            Files.createDirectory(folder);
            folders.push(folder);
        }
    }

    void commit() throws IOException {
        for (Change change : changes) {
            if (Files.isDirectory(change.target, LinkOption.NOFOLLOW_LINKS)) {
                throw new IOException(root.relativize(change.target) + " is a folder");
            }
            if (Files.exists(change.target, LinkOption.NOFOLLOW_LINKS)) {
                Path old = beside(change.target);
                Files.move(change.target, old, StandardCopyOption.ATOMIC_MOVE);
                change.old = old;
            }
            if (change.content != null) {
                Files.move(change.content, change.target, StandardCopyOption.ATOMIC_MOVE);
            }
            change.placed = true;
        }
        committed = true;
    }

    /** Removes what was replaced; without a commit, puts everything back as it was. */
    @Override
    public void close() throws IOException {
        for (Change change : changes.reversed()) {
            Path old = change.old;
            if (committed) {
                if (old != null) {
                    Files.deleteIfExists(old);
                }
                continue;
            }
            if (change.content != null) {
                Files.deleteIfExists(change.placed ? change.target : change.content);
            }
            if (old != null) {
                Files.move(old, change.target, StandardCopyOption.ATOMIC_MOVE);
            }
        }
        while (!committed && !folders.isEmpty()) {
            Files.deleteIfExists(folders.pop());
        }
    }
}
