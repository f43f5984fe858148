package dev.ossicle.models;

import dev.ossicle.models.FoundModel.Source;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What {@code ossicle pull} stored: {@code OWNER/NAME/} with the files of the repository. */
record OwnShelf(Path root) implements Shelf {
    @Override
    public List<Path> folders() {
        return List.of(root);
    }

    @Override
    public List<FoundModel> models() {
        List<FoundModel> models = new ArrayList<>();
        for (Path owner : Folders.entries(root)) {
            if (Folders.name(owner).startsWith(".") || !Files.isDirectory(owner)) {
                continue;
            }
            for (Path folder : Folders.entries(owner)) {
                String name = Folders.name(owner) + "/" + Folders.name(folder);
                Peek.folder(name, Source.OSSICLE, folder).ifPresent(models::add);
                models.addAll(ggufs(name, Source.OSSICLE, folder));
            }
        }
        return models;
    }

    /** The GGUF files of a repository's folder. */
    static List<FoundModel> ggufs(String repository, Source source, Path folder) {
        List<FoundModel> models = new ArrayList<>();
        for (Path file : Folders.files(folder, 3)) {
            if (Folders.name(file).endsWith(".gguf")) {
                Peek.gguf(repository + "/" + Folders.name(file), source, file).ifPresent(models::add);
            }
        }
        return models;
    }
}
