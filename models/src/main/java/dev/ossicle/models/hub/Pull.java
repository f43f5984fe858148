package dev.ossicle.models.hub;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Gets a repository into a folder: described, chosen from, downloaded in segments side by side into a folder aside, each file checked
 * against its digest, and moved into place when all are there. Stopped anywhere, the next pull goes on from there.
 */
public final class Pull {
    /** Folders of downloads that are not complete, below the models' root. */
    public static final String PARTIAL = ".partial";

    /** Attempts that bring nothing, in a row, before a pull is given up: some three minutes. */
    private static final int MOST_FAILURES = 10;

    private static final Duration LONGEST_WAIT = Duration.ofSeconds(60);

    /** What is left free on the disk. */
    private static final long RESERVED = 200_000_000;

    /**
     * A repository that is here.
     *
     * @param wasHere whether nothing had to be done
     */
    public record Result(Path folder, StoredRepository repository, boolean wasHere) {}

    private final HubOptions options;
    private final HubClient client;
    private final PullProgress progress;
    private final AtomicLong done = new AtomicLong();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private volatile long total;

    private Pull(HubOptions options, HubClient client, PullProgress progress) {
        this.options = options;
        this.client = client;
        this.progress = progress;
    }

    /**
     * @param root where Ossicle's models are; the repository's folder is {@code OWNER/NAME} in it
     * @throws PullException if the model cannot be had, saying why
     * @throws InterruptedException if the thread is interrupted; what was downloaded is kept
     */
    public static Result run(Path root, HubOptions options, PullRequest request, PullProgress progress)
            throws IOException, InterruptedException {
        Path target = root.resolve(request.repository());
        Optional<Repository> pinned =
                request.revision() == null ? Official.find(request.repository()) : Optional.empty();
        Optional<StoredRepository> stored = StoredRepository.in(target);
        if (stored.isPresent() && stored.get().isWholeIn(target) && request.file() == null) {
            String have = stored.get().revision();
            String want = pinned.map(Repository::revision).orElse(String.valueOf(request.revision()));
            if (have.equals(want) || options.offline()) {
                return new Result(target, stored.get(), true);
            }
        }
        if (options.offline()) {
            throw new PullException(
                    request.repository() + " is not in " + root + ", and --offline forbids to ask for it");
        }
        try (HubClient client = new HubClient(options)) {
            return new Pull(options, client, progress).pull(root, target, request, pinned, stored);
        } catch (ClosedByInterruptException e) {
            Thread.interrupted(); // said by the exception
            throw new InterruptedException();
        }
    }

    private Result pull(
            Path root, Path target, PullRequest request, Optional<Repository> pinned, Optional<StoredRepository> stored)
            throws IOException, InterruptedException {
        String revision =
                pinned.map(Repository::revision).orElse(request.revision() == null ? "main" : request.revision());
        Repository repository = described(request.repository(), revision);
        if (pinned.isPresent()) {
            if (!repository.revision().equals(revision)) {
                throw new PullException(
                        "the host answers with commit " + repository.revision() + ", asked was " + revision);
            }
            Official.check(pinned.get(), repository.files());
        }
        List<RemoteFile> files = Selection.of(repository, request.file());
        files = pinned.isPresent() ? Official.withKnownDigests(pinned.get(), files) : files;
        StoredRepository wanted = StoredRepository.of(repository, files);
        if (stored.equals(Optional.of(wanted)) && wanted.isWholeIn(target)) {
            return new Result(target, wanted, true);
        }
        Path partial =
                root.resolve(PARTIAL).resolve(repository.name().replace("/", "--") + "@" + repository.revision());
        Files.createDirectories(partial);
        try (FileChannel channel = FileChannel.open(
                        partial.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = lock(channel, partial)) {
            download(repository, files, partial);
            wanted.writeTo(partial);
        }
        Files.deleteIfExists(partial.resolve(".lock"));
        moveIntoPlace(partial, target);
        return new Result(target, wanted, false);
    }

    private static FileLock lock(FileChannel channel, Path partial) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            if (lock != null) {
                return lock;
            }
        } catch (OverlappingFileLockException e) {
            // by this very process
        }
        throw new PullException("another pull of this is at work in " + partial);
    }

    private Repository described(String name, String revision) throws InterruptedException {
        for (int failures = 1; ; failures++) {
            try {
                return client.repository(name, revision);
            } catch (IOException e) {
                await(failures, name, e);
            }
        }
    }

    private void download(Repository repository, List<RemoteFile> files, Path partial)
            throws IOException, InterruptedException {
        List<PartFile> parts = new ArrayList<>();
        try {
            long present = 0;
            for (RemoteFile file : files) {
                total += file.size();
                if (PartFile.isComplete(file, partial)) {
                    present += file.size();
                } else {
                    PartFile part = new PartFile(file, partial, options.segment());
                    parts.add(part);
                    present += part.bytes();
                }
            }
            done.set(present);
            checkSpace(partial, total - present);
            progress.note(String.format(
                    Locale.ROOT,
                    "%s at %s: %d files, %.1f GB%s",
                    repository.name(),
                    repository.revision().substring(0, 8),
                    files.size(),
                    total / 1e9,
                    present == 0 ? "" : String.format(Locale.ROOT, ", %.1f GB of it here already", present / 1e9)));
            progress.bytes(present, total);
            downloadSideBySide(repository, parts);
        } finally {
            for (PartFile part : parts) {
                part.close();
            }
        }
        Throwable problem = failure.get();
        switch (problem) {
            case null -> {}
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case IOException e -> throw e;
            default -> throw new IOException(problem);
        }
    }

    private void downloadSideBySide(Repository repository, List<PartFile> parts) throws InterruptedException {
        try (ExecutorService workers = Executors.newFixedThreadPool(
                options.connections(), Thread.ofVirtual().factory())) {
            for (PartFile part : parts) {
                AtomicInteger left = new AtomicInteger(part.segments());
                for (int i = 0; i < part.segments(); i++) {
                    int index = i;
                    workers.execute(() -> attempt(() -> {
                        fill(repository, part, index);
                        if (left.decrementAndGet() == 0) {
                            finish(repository, part);
                        }
                    }));
                }
            }
            workers.shutdown();
            try {
                while (!workers.awaitTermination(100, TimeUnit.MILLISECONDS)) {
                    if (failure.get() != null) {
                        workers.shutdownNow();
                    }
                }
            } catch (InterruptedException e) {
                failure.compareAndSet(null, e);
                workers.shutdownNow();
                throw e;
            }
        } // nobody writes any more
    }

    @FunctionalInterface
    private interface Step {
        void run() throws IOException, InterruptedException;
    }

    /** The first failure stops all. */
    private void attempt(Step step) {
        if (failure.get() != null) {
            return;
        }
        try {
            step.run();
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            failure.compareAndSet(null, e);
        }
    }

    private void fill(Repository repository, PartFile part, int index) throws InterruptedException {
        RemoteFile file = part.file();
        int failures = 0;
        while (!part.hasAll(index)) {
            long before = part.from(index);
            try {
                client.read(repository, file, before, part.to(index), (bytes, length) -> {
                    write(part, index, bytes, length);
                    progress.bytes(done.addAndGet(length), total);
                    return failure.get() == null;
                });
                if (failure.get() != null) {
                    return;
                }
            } catch (IOException e) {
                failures = part.from(index) > before ? 1 : failures + 1;
                await(failures, repository.name() + "/" + file.path(), e);
            }
        }
    }

    /** That the disk is full is no reason to ask again. */
    private static void write(PartFile part, int index, byte[] bytes, int length) {
        try {
            part.append(index, bytes, length);
        } catch (IOException e) {
            throw new PullException(part.file().path() + " cannot be written: " + e.getMessage());
        }
    }

    private void finish(Repository repository, PartFile part) throws IOException, InterruptedException {
        if (failure.get() != null) {
            return;
        }
        RemoteFile file = part.file();
        String found = part.digest();
        if (!found.equals(file.digest())) {
            progress.note(file.path() + " has come with a wrong digest: once more");
            done.addAndGet(-file.size());
            part.restart();
            for (int i = 0; i < part.segments(); i++) {
                fill(repository, part, i);
            }
            found = failure.get() == null ? part.digest() : file.digest();
            if (!found.equals(file.digest())) {
                part.restart();
                throw new PullException(repository.name() + "/" + file.path() + " comes with the digest " + found
                        + ", expected " + file.digest() + ": the host gives another file, or it is changed on the way");
            }
        }
        if (failure.get() == null) {
            part.finish();
        }
    }

    private void await(int failures, String what, IOException e) throws InterruptedException {
        if (Thread.interrupted() || e.getClass() == InterruptedIOException.class) { // subclasses are timeouts
            throw new InterruptedException();
        }
        if (failures >= MOST_FAILURES) {
            throw new PullException(
                    what + " cannot be had from " + options.endpoint().getHost() + " after " + failures
                            + " attempts, the last of which said: " + reason(e)
                            + "; what has come is kept, and the same command goes on from there");
        }
        Duration wait = options.shortestWait().multipliedBy(1L << (failures - 1));
        if (e instanceof TryAgainException busy && busy.after().compareTo(wait) > 0) {
            wait = busy.after();
        }
        wait = wait.compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : wait;
        if (wait.toSeconds() >= 4) {
            progress.note(reason(e) + ": once more in " + wait.toSeconds() + " s");
        }
        Thread.sleep(wait);
    }

    private static String reason(IOException e) {
        String message = e.getMessage();
        return message == null ? e.getClass().getSimpleName() : message;
    }

    private static void checkSpace(Path folder, long needed) throws IOException {
        long free = Files.getFileStore(folder).getUsableSpace();
        if (free < needed + RESERVED) {
            throw new PullException(String.format(
                    Locale.ROOT,
                    "%.1f GB are to come, and %s has %.1f GB free: make room, or set OSSICLE_MODELS to a folder on another"
                            + " disk",
                    needed / 1e9,
                    folder,
                    free / 1e9));
        }
    }

    /** Another revision that is in the way goes when the new one is there. */
    private static void moveIntoPlace(Path partial, Path target) throws IOException {
        Path parent = target.getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        if (!Files.exists(target)) {
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
            return;
        }
        if (StoredRepository.in(target).isEmpty()) {
            throw new PullException(
                    target + " is in the way, and was not made by Ossicle: move it; the download is in " + partial);
        }
        Path old = partial.resolveSibling(partial.getFileName() + ".old");
        delete(old);
        Files.move(target, old, StandardCopyOption.ATOMIC_MOVE);
        Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
        delete(old);
    }

    static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        List<Path> all;
        try (Stream<Path> paths = Files.walk(folder)) { // does not follow links
            all = paths.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : all) {
            Files.deleteIfExists(path);
        }
    }
}
