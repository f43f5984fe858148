package dev.ossicle.models;

import dev.ossicle.models.FoundModel.Source;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The cache of huggingface_hub, which the newer llama.cpp uses too: {@code models--OWNER--NAME/} with {@code refs/main}, which holds a
 * commit, and {@code snapshots/COMMIT/} with links into {@code blobs/}. See huggingface.co/docs/hub/local-cache.
 */
record HuggingFaceShelf(Path root) implements Shelf {
    static HuggingFaceShelf of(Environment environment) {
        return new HuggingFaceShelf(environment
                .path("HF_HUB_CACHE")
                .or(() -> environment.path("HUGGINGFACE_HUB_CACHE"))
                .or(() -> environment.path("HF_HOME").map(home -> home.resolve("hub")))
                .orElseGet(() -> environment
                        .path("XDG_CACHE_HOME")
                        .orElse(environment.home().resolve(".cache"))
                        .resolve(Path.of("huggingface", "hub"))));
    }

    @Override
    public List<Path> folders() {
        return List.of(root);
    }

    @Override
    public List<FoundModel> models() {
        List<FoundModel> models = new ArrayList<>();
        for (Path repository : Folders.entries(root)) {
            String folderName = Folders.name(repository);
            if (!folderName.startsWith("models--")) {
                continue;
            }
            String name = folderName.substring("models--".length()).replaceFirst("--", "/");
            for (Path snapshot : snapshots(repository)) {
                List<FoundModel> found = new ArrayList<>(OwnShelf.ggufs(name, Source.HUGGING_FACE, snapshot));
                Peek.folder(name, Source.HUGGING_FACE, snapshot).ifPresent(found::add);
                if (!found.isEmpty()) {
                    models.addAll(found);
                    break;
                }
            }
        }
        return models;
    }

    /** What {@code main} points to, then the others: a revision that was asked for by its commit has no name. */
    private static List<Path> snapshots(Path repository) {
        Path all = repository.resolve("snapshots");
        List<Path> snapshots = new ArrayList<>(Folders.entries(all));
        try {
            String commit = Files.readString(repository.resolve(Path.of("refs", "main")))
                    .strip();
            if (commit.matches("[0-9a-f]{4,64}") && snapshots.remove(all.resolve(commit))) {
                snapshots.addFirst(all.resolve(commit));
            }
        } catch (IOException e) {
            // no main
        }
        return snapshots;
    }
}
