package dev.ossicle.models;

import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import dev.ossicle.models.FoundModel.Source;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;

/** LM Studio's models: {@code OWNER/REPOSITORY/} with GGUF files or safetensors, below a folder that its settings may name. */
record LmStudioShelf(List<Path> folders) implements Shelf {
    static LmStudioShelf of(Environment environment) {
        Path home = environment.home();
        LinkedHashSet<Path> folders = new LinkedHashSet<>();
        // A file that only says where LM Studio's own folder is.
        Path own = home.resolve(".lmstudio");
        Path pointer = home.resolve(".lmstudio-home-pointer");
        try {
            if (Files.isRegularFile(pointer)) {
                own = Path.of(Files.readString(pointer).strip());
            }
        } catch (IOException | InvalidPathException e) {
            // then the usual one
        }
        JsonObject settings = Peek.json(own.resolve("settings.json"));
        if (settings != null && settings.get("downloadsFolder") instanceof JsonString folder) {
            try {
                folders.add(Path.of(folder.value()));
            } catch (InvalidPathException e) {
                // of another system
            }
        }
        folders.add(own.resolve("models"));
        folders.add(home.resolve(Path.of(".cache", "lm-studio", "models")));
        return new LmStudioShelf(List.copyOf(folders));
    }

    @Override
    public List<FoundModel> models() {
        List<FoundModel> models = new ArrayList<>();
        for (Path root : folders) {
            for (Path owner : Folders.entries(root)) {
                for (Path repository : Folders.entries(owner)) {
                    String name = Folders.name(owner) + "/" + Folders.name(repository);
                    Peek.folder(name, Source.LM_STUDIO, repository).ifPresent(models::add);
                    models.addAll(OwnShelf.ggufs(name, Source.LM_STUDIO, repository));
                }
            }
        }
        return models;
    }
}
