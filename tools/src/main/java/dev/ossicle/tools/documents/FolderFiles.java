package dev.ossicle.tools.documents;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The files below a folder, but hidden ones. No link is followed: what it leads to is in the folder under its own name, or not
 * the folder's.
 */
final class FolderFiles extends SimpleFileVisitor<Path> {
    private final Path root;

    /** By their path from the root, with slashes. */
    final SortedMap<String, Stamp> files = new TreeMap<>();

    int unreadable;
    int links;

    /** A file that has the same stamp has not changed. */
    record Stamp(long bytes, long millis) {}

    private FolderFiles(Path root) {
        this.root = root;
    }

    static FolderFiles of(Path root) throws IOException, InterruptedException {
        FolderFiles files = new FolderFiles(root);
        Files.walkFileTree(root, files);
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        return files;
    }

    private boolean hidden(Path path) {
        return !path.equals(root) && path.getFileName().toString().startsWith(".");
    }

    @Override
    public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
        if (Thread.currentThread().isInterrupted()) {
            return FileVisitResult.TERMINATE;
        }
        return hidden(folder) ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
        if (hidden(file)) {
            return FileVisitResult.CONTINUE;
        }
        if (attributes.isSymbolicLink()) {
            links++;
        } else if (attributes.isRegularFile()) {
            files.put(
                    name(file),
                    new Stamp(attributes.size(), attributes.lastModifiedTime().toMillis()));
        }
        return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
        if (file.equals(root)) {
            throw failure;
        }
        unreadable++;
        return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure) throws IOException {
        if (failure != null) {
            unreadable++;
        }
        return FileVisitResult.CONTINUE;
    }

    private String name(Path file) {
        StringBuilder name = new StringBuilder();
        for (Path part : root.relativize(file)) {
            name.append(name.isEmpty() ? "" : "/").append(part);
        }
        return name.toString();
    }
}
