package dev.ossicle.models;

import dev.ossicle.models.FoundModel.Source;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What {@code llama-server -hf} keeps: {@code OWNER_REPOSITORY_FILE.gguf}, or folders of that kind. (Since 2026 it keeps new models in
 * the Hugging Face cache.)
 */
record LlamaCppShelf(Path root) implements Shelf {
    static LlamaCppShelf of(Environment environment) {
        return new LlamaCppShelf(environment
                .path("LLAMA_CACHE")
                .orElseGet(() -> environment.caches().resolve("llama.cpp")));
    }

    @Override
    public List<Path> folders() {
        return List.of(root);
    }

    @Override
    public List<FoundModel> models() {
        List<FoundModel> models = new ArrayList<>();
        for (Path file : Folders.files(root, 4)) {
            if (Folders.name(file).endsWith(".gguf")) {
                Peek.gguf(root.relativize(file).toString().replace('\\', '/'), Source.LLAMA_CPP, file)
                        .ifPresent(models::add);
            }
        }
        return models;
    }
}
