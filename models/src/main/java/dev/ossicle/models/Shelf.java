package dev.ossicle.models;

import java.nio.file.Path;
import java.util.List;

/** The folders in which one program keeps models. */
sealed interface Shelf permits OwnShelf, HuggingFaceShelf, OllamaShelf, LlamaCppShelf, LmStudioShelf {
    /** Where it looks; they need not exist. */
    List<Path> folders();

    /** The gpt-oss models in them, by name; what cannot be read is passed over. */
    List<FoundModel> models();
}
