package dev.ossicle.models.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What the files of a model should be, as far as anybody said so, and what they are. */
public final class Digests {
    /** How Ollama and the Hugging Face cache name a blob: SHA-256, or git's SHA-1. */
    private static final Pattern BLOB = Pattern.compile("(?:sha256-)?([0-9a-f]{64}|[0-9a-f]{40})");

    /**
     * A file of a model.
     *
     * @param expected its digest, hexadecimal; null if nobody says
     * @param from who says so
     */
    public record Known(Path file, @Nullable String expected, String from) {}

    private Digests() {}

    /** The files of a model, a folder or a GGUF file, with what is known of each. */
    public static List<Known> of(Path model) throws IOException {
        if (!Files.isDirectory(model)) {
            return parts(model).map(Digests::fromItsName).toList();
        }
        Map<Path, Known> known = new TreeMap<>();
        try (Stream<Path> all = Files.walk(model, 2, FileVisitOption.FOLLOW_LINKS)) {
            all.filter(Files::isRegularFile)
                    .filter(file -> Selection.mayWant(model.relativize(file).toString()))
                    .forEach(file -> known.put(file, fromItsName(file)));
        }
        StoredRepository.in(model)
                .ifPresent(stored -> stored.files().forEach(file -> {
                    Path path = model.resolve(file.path());
                    known.put(path, new Known(path, file.digest(), "ossicle pull"));
                }));
        published(model)
                .ifPresent(repository -> repository.files().forEach(file -> {
                    Path path = model.resolve(file.path());
                    if (known.containsKey(path)) {
                        known.put(path, new Known(path, file.digest(), repository.name()));
                    }
                }));
        return List.copyOf(known.values());
    }

    /** OpenAI's repository that a folder has the weights of, judging by their names and sizes. */
    private static Optional<Repository> published(Path folder) throws IOException {
        for (String name : List.of("openai/gpt-oss-20b", "openai/gpt-oss-120b")) {
            Repository repository = Official.find(name).orElseThrow();
            boolean fits = true;
            for (RemoteFile file : repository.files()) {
                Path path = folder.resolve(file.path());
                fits &= !file.path().endsWith(".safetensors")
                        || (Files.isRegularFile(path) && Files.size(path) == file.size());
            }
            if (fits) {
                return Optional.of(repository);
            }
        }
        return Optional.empty();
    }

    private static Stream<Path> parts(Path gguf) {
        Matcher name = Pattern.compile("(.*)-\\d{5}-of-(\\d{5})\\.gguf").matcher(String.valueOf(gguf.getFileName()));
        if (!name.matches()) {
            return Stream.of(gguf);
        }
        List<Path> parts = new ArrayList<>();
        for (int i = 1; i <= Integer.parseInt(name.group(2)); i++) {
            parts.add(gguf.resolveSibling(
                    String.format(Locale.ROOT, "%s-%05d-of-%s.gguf", name.group(1), i, name.group(2))));
        }
        return parts.stream();
    }

    private static Known fromItsName(Path file) {
        Path blob = file;
        try {
            blob = file.toRealPath();
        } catch (IOException e) {
            // it will be missed when it is read
        }
        Matcher name = BLOB.matcher(String.valueOf(blob.getFileName()));
        return name.matches()
                ? new Known(file, name.group(1), "the cache that it is in")
                : new Known(file, null, "nobody");
    }

    /**
     * Reads a file.
     *
     * @param like a digest of the kind that is wanted
     * @param progress told of bytes that were read
     */
    public static String read(Path file, String like, LongConsumer progress) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return read(channel, channel.size(), like, progress);
        }
    }

    static String read(FileChannel channel, long size, String like, LongConsumer progress) throws IOException {
        boolean isGit = like.length() == 40;
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance(isGit ? "SHA-1" : "SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has it", e);
        }
        if (isGit) {
            digest.update(("blob " + size + "\0").getBytes(StandardCharsets.US_ASCII));
        }
        ByteBuffer buffer = ByteBuffer.allocate(1 << 20);
        for (long at = 0; at < size; ) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), size - at));
            int read = channel.read(buffer, at);
            if (read < 0) {
                throw new IOException("the file was cut short while it was read");
            }
            digest.update(buffer.flip());
            at += read;
            progress.accept(read);
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
