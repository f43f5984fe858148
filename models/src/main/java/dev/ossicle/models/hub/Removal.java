package dev.ossicle.models.hub;

import dev.ossicle.models.Environment;
import dev.ossicle.models.FoundModel;
import dev.ossicle.models.OfficialName;
import dev.ossicle.models.Shelves;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Removes what was pulled, and nothing else. */
public final class Removal {
    /** The pack that {@code ossicle pack} writes into a model's folder. */
    private static final String PACK = "ossicle.pack";

    /**
     * What was removed.
     *
     * @param left files in the folder that pull did not put there
     */
    public record Result(String repository, long bytes, List<Path> left) {}

    private Removal() {}

    /**
     * @param name of a model, under any of its names, or OWNER/NAME
     * @throws PullException if Ossicle stored none of this name, saying who did
     */
    public static Result of(Environment environment, String name) throws IOException {
        String repository = OfficialName.of(name).map(OfficialName::repository).orElse(name);
        if (!Repository.NAME.matcher(repository).matches() || repository.contains("..")) {
            repository = name.replaceFirst("^([^/]+/[^/]+)/[^/]+\\.gguf$", "$1"); // a GGUF file of a repository
        }
        boolean isName = Repository.NAME.matcher(repository).matches() && !repository.contains("..");
        Path folder = environment.models().resolve(isName ? repository : ".");
        Optional<StoredRepository> stored = isName ? StoredRepository.in(folder) : Optional.empty();
        List<Path> partial = isName ? partial(environment.models(), repository) : List.of();
        if (stored.isEmpty() && partial.isEmpty()) {
            Optional<FoundModel> other = new Shelves(environment).find(name);
            throw new PullException(
                    other.isPresent()
                            ? name + " was not stored by `ossicle pull`: it is in "
                                    + other.get().source() + ", at "
                                    + other.get().path()
                            : "there is no model " + name + " in " + environment.models());
        }
        long bytes = 0;
        List<Path> left = new ArrayList<>();
        if (stored.isPresent()) {
            List<Path> files = new ArrayList<>();
            stored.get().files().forEach(file -> files.add(folder.resolve(file.path())));
            files.add(folder.resolve(PACK));
            for (Path file : files) {
                bytes += Files.isRegularFile(file) ? Files.size(file) : 0;
                Files.deleteIfExists(file);
            }
            Files.deleteIfExists(folder.resolve(StoredRepository.FILE));
            left.addAll(removeEmpty(folder));
            Path owner = folder.getParent();
            if (owner != null) {
                removeIfEmpty(owner);
            }
        }
        for (Path download : partial) {
            try (Stream<Path> all = Files.walk(download)) {
                for (Path file : all.filter(Files::isRegularFile).toList()) {
                    bytes += Files.size(file);
                }
            }
            Pull.delete(download);
        }
        return new Result(repository, bytes, List.copyOf(left));
    }

    private static List<Path> partial(Path root, String repository) throws IOException {
        Path all = root.resolve(Pull.PARTIAL);
        if (!Files.isDirectory(all)) {
            return List.of();
        }
        try (Stream<Path> downloads = Files.list(all)) {
            return downloads
                    .filter(path -> path.getFileName().toString().startsWith(repository.replace("/", "--") + "@"))
                    .toList();
        }
    }

    /** Removes folders that are empty now; returns the files that are in the way. */
    private static List<Path> removeEmpty(Path folder) throws IOException {
        List<Path> all;
        try (Stream<Path> paths = Files.walk(folder)) {
            all = new ArrayList<>(paths.toList());
        }
        List<Path> left = all.stream().filter(path -> !Files.isDirectory(path)).toList();
        for (Path path : all.reversed()) {
            if (Files.isDirectory(path)) {
                removeIfEmpty(path);
            }
        }
        return left;
    }

    private static void removeIfEmpty(Path folder) throws IOException {
        try {
            Files.deleteIfExists(folder);
        } catch (DirectoryNotEmptyException e) {
            // somebody else's files
        }
    }
}
