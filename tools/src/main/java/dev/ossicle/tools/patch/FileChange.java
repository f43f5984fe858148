package dev.ossicle.tools.patch;

import org.jspecify.annotations.Nullable;

/** What a patch does to one file. */
public sealed interface FileChange {
    /** As the patch says it. */
    String path();

    /** Makes a file, or overwrites what is there. */
    record Add(String path, String content) implements FileChange {}

    /** Removes a file. */
    record Delete(String path) implements FileChange {}

    /**
     * Changes a file.
     *
     * @param content all of it
     * @param moveTo where it goes to, or null if it stays
     */
    record Update(String path, String content, @Nullable String moveTo) implements FileChange {
        /** Where the content goes. */
        String target() {
            return moveTo == null ? path : moveTo;
        }
    }
}
