package dev.ossicle.server.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Files that tools left behind, for clients to fetch: in a temporary folder, for a while, the oldest given up first where room is
 * short. Thread-safe.
 */
public final class KeptFiles implements AutoCloseable {
    /** As long as OpenAI keeps a container that nobody uses. */
    static final Duration TIME = Duration.ofMinutes(20);

    /** Of all files: what a small machine's disk can spare. */
    static final long ROOM = 1L << 30;

    private final InstantSource clock;
    private final long room;
    /** By id, the oldest first. */
    private final Map<String, KeptFile> files = new LinkedHashMap<>();

    private long used;
    private @Nullable Path folder;

    /**
     * A file.
     *
     * @param container what the files of one answer have in common
     * @param name as the tool knows it
     */
    public record KeptFile(String id, String container, String name, long bytes, Instant created) {}

    public KeptFiles() {
        this(InstantSource.system(), ROOM);
    }

    KeptFiles(InstantSource clock, long room) {
        this.clock = clock;
        this.room = room;
    }

    /** Keeps a file, in the place of one of the same name; null if it alone takes all the room. */
    public synchronized @Nullable KeptFile put(String id, String container, String name, byte[] content)
            throws IOException {
        files.values().stream()
                .filter(file ->
                        file.container().equals(container) && file.name().equals(name))
                .toList()
                .forEach(this::remove);
        if (content.length > room) {
            return null;
        }
        makeRoom(content.length);
        Path place = folder;
        if (place == null) {
            place = Files.createTempDirectory("ossicle-files-");
            folder = place;
        }
        KeptFile file = new KeptFile(id, container, name, content.length, clock.instant());
        Files.write(place.resolve(file.id()), content);
        files.put(file.id(), file);
        used += content.length;
        return file;
    }

    private void makeRoom(long wanted) {
        Instant oldest = clock.instant().minus(TIME);
        for (KeptFile file : List.copyOf(files.values())) {
            if (file.created().isBefore(oldest) || used + wanted > room) {
                remove(file);
            }
        }
    }

    private void remove(KeptFile file) {
        files.remove(file.id());
        used -= file.bytes();
        if (folder != null) {
            try {
                Files.deleteIfExists(folder.resolve(file.id()));
            } catch (IOException e) {
                System.getLogger("dev.ossicle.server").log(System.Logger.Level.WARNING, "a kept file stays behind", e);
            }
        }
    }

    /** Those of a container, the oldest first. */
    public synchronized List<KeptFile> of(String container) {
        makeRoom(0);
        return files.values().stream()
                .filter(file -> file.container().equals(container))
                .toList();
    }

    /** Null if there is none. */
    public synchronized @Nullable KeptFile get(String container, String id) {
        makeRoom(0);
        KeptFile file = files.get(id);
        return file == null || !file.container().equals(container) ? null : file;
    }

    public synchronized byte[] content(KeptFile file) throws IOException {
        if (folder == null) {
            throw new IOException("file " + file.id() + " is gone");
        }
        return Files.readAllBytes(folder.resolve(file.id()));
    }

    @Override
    public synchronized void close() {
        List.copyOf(files.values()).forEach(this::remove);
        if (folder != null) {
            try {
                Files.deleteIfExists(folder);
            } catch (IOException e) {
                System.getLogger("dev.ossicle.server").log(System.Logger.Level.WARNING, "a folder stays behind", e);
            }
            folder = null;
        }
    }
}
