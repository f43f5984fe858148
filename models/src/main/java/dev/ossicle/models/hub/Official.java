package dev.ossicle.models.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * OpenAI's repositories at the commit that Ossicle knows, with the digests of their files: what a host says of them is checked against
 * this. The list is {@code official.txt} beside this class.
 */
public final class Official {
    private static final Map<String, Repository> PINNED = read();

    private Official() {}

    private static Map<String, Repository> read() {
        Map<String, Repository> all = new TreeMap<>();
        List<RemoteFile> files = new ArrayList<>();
        try (InputStream in = Official.class.getResourceAsStream("official.txt")) {
            if (in == null) {
                throw new IllegalStateException("official.txt is missing from this build");
            }
            for (String line : new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList()) {
                String[] words = line.split(" ");
                if (words[0].equals("repository")) {
                    files = new ArrayList<>();
                    all.put(words[1], new Repository(words[1], words[2], files));
                } else if (!words[0].equals("#")) {
                    files.add(new RemoteFile(words[0], Long.parseLong(words[1]), words[2]));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return all;
    }

    static Optional<Repository> find(String repository) {
        return Optional.ofNullable(PINNED.get(repository.toLowerCase(Locale.ROOT)));
    }

    /** The SHA-256 of the published {@code tokenizer.json}, which is the same in all repositories. */
    public static String tokenizerDigest() {
        return find("openai/gpt-oss-20b").orElseThrow().files().stream()
                .filter(file -> file.path().equals("tokenizer.json"))
                .findFirst()
                .orElseThrow()
                .digest();
    }

    /** Bytes that pulling a repository takes; 0 if that is not known beforehand. */
    public static long bytes(String repository) {
        return find(repository).stream()
                .flatMap(pinned -> pinned.files().stream())
                .mapToLong(RemoteFile::size)
                .sum();
    }

    /** @throws PullException if a host describes files otherwise than they are known to be */
    static void check(Repository pinned, List<RemoteFile> described) {
        Map<String, RemoteFile> byPath =
                described.stream().collect(Collectors.toMap(RemoteFile::path, Function.identity()));
        for (RemoteFile known : pinned.files()) {
            RemoteFile found = byPath.get(known.path());
            if (found == null) {
                throw new PullException("the host lists no " + known.path() + " in " + pinned.name() + " at "
                        + pinned.revision() + ", where it is known to be");
            }
            boolean isSha256 = found.digest().length() == 64;
            if (found.size() != known.size() || (isSha256 && !found.digest().equals(known.digest()))) {
                throw new PullException(
                        "the host describes " + pinned.name() + "/" + known.path() + " as " + found.size()
                                + " bytes with the digest " + found.digest() + "; known are " + known.size() + " and "
                                + known.digest() + ": this is not OpenAI's file");
            }
        }
    }

    /** The files with the digests that are known, which a download is then checked against. */
    static List<RemoteFile> withKnownDigests(Repository pinned, List<RemoteFile> described) {
        Map<String, RemoteFile> known =
                pinned.files().stream().collect(Collectors.toMap(RemoteFile::path, Function.identity()));
        return described.stream()
                .map(file -> known.getOrDefault(file.path(), file))
                .toList();
    }
}
