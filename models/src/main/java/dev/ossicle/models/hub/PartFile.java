package dev.ossicle.models.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/**
 * A file that is being downloaded in segments: {@code NAME.part}, and {@code NAME.state} with how much of each segment is there. Bytes
 * are written before they are counted, so that a program that is killed has at most something too much. The file gets its name
 * when its digest is right.
 */
final class PartFile implements AutoCloseable {
    private final RemoteFile file;
    private final long segment;
    private final Path complete;
    private final Path part;
    private final Path state;
    private final FileChannel data;
    private final FileChannel counts;
    /** Bytes that are there of each segment. */
    private final long[] done;

    PartFile(RemoteFile file, Path folder, long segment) throws IOException {
        this.file = file;
        this.segment = segment;
        this.complete = folder.resolve(file.path());
        this.part = complete.resolveSibling(complete.getFileName() + ".part");
        this.state = complete.resolveSibling(complete.getFileName() + ".state");
        this.done = new long[(int) Math.max(1, (file.size() + segment - 1) / segment)];
        Path parent = complete.getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        data = FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        FileChannel opened = null;
        try {
            opened = FileChannel.open(
                    state, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            counts = opened;
            readState();
        } catch (IOException e) {
            data.close();
            if (opened != null) {
                opened.close();
            }
            throw e;
        }
    }

    /** Whether the file is there already, under its own name. */
    static boolean isComplete(RemoteFile file, Path folder) throws IOException {
        Path path = folder.resolve(file.path());
        return Files.isRegularFile(path) && Files.size(path) == file.size();
    }

    /** Starts from nothing if the state is not one of this file cut in this way. */
    private void readState() throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(Long.BYTES * (2 + done.length));
        while (buffer.hasRemaining() && counts.read(buffer, buffer.position()) > 0) {}
        boolean valid = !buffer.hasRemaining() && buffer.getLong(0) == file.size() && buffer.getLong(8) == segment;
        for (int i = 0; valid && i < done.length; i++) {
            done[i] = buffer.getLong(Long.BYTES * (2 + i));
            valid = done[i] >= 0 && done[i] <= length(i) && start(i) + done[i] <= data.size();
        }
        if (!valid) {
            Arrays.fill(done, 0);
            counts.truncate(0);
            data.truncate(0);
            ByteBuffer fresh = ByteBuffer.allocate(buffer.capacity());
            fresh.putLong(0, file.size()).putLong(8, segment);
            counts.write(fresh, 0);
        }
    }

    RemoteFile file() {
        return file;
    }

    int segments() {
        return done.length;
    }

    private long start(int index) {
        return index * segment;
    }

    private long length(int index) {
        return Math.min(segment, file.size() - start(index));
    }

    /** The first byte of a segment that is missing. */
    long from(int index) {
        return start(index) + done[index];
    }

    /** The first byte behind a segment. */
    long to(int index) {
        return start(index) + length(index);
    }

    boolean hasAll(int index) {
        return done[index] == length(index);
    }

    boolean hasAll() {
        for (int i = 0; i < done.length; i++) {
            if (!hasAll(i)) {
                return false;
            }
        }
        return true;
    }

    long bytes() {
        return Arrays.stream(done).sum();
    }

    /** Adds what comes next of a segment. One thread for each segment at a time. */
    void append(int index, byte[] bytes, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes, 0, length);
        long at = from(index);
        while (buffer.hasRemaining()) {
            at += data.write(buffer, at);
        }
        done[index] += length;
        counts.write(ByteBuffer.allocate(Long.BYTES).putLong(0, done[index]), Long.BYTES * (2L + index));
    }

    /** Forgets everything: the digest was wrong. */
    void restart() throws IOException {
        counts.truncate(0);
        readState();
    }

    /** The digest of what is there, of the kind that the host named. */
    String digest() throws IOException {
        return Digests.read(data, file.size(), file.digest(), read -> {});
    }

    /** Gives the file its name. */
    void finish() throws IOException {
        data.truncate(file.size());
        close();
        Files.move(part, complete, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        Files.deleteIfExists(state);
    }

    @Override
    public void close() throws IOException {
        try (data;
                counts) {}
    }
}
