package dev.ossicle.tools.patch;

import java.util.List;

/**
 * A patch that fits.
 *
 * @param changes in the order of the patch
 * @param fuzz how inexactly it fits: 0 is exact, each context found but for white space counts 1 or 100, one that was to be at
 *     the end of the file and is not 10000
 */
public record Patch(List<FileChange> changes, int fuzz) {
    public Patch {
        changes = List.copyOf(changes);
    }
}
