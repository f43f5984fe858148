package dev.ossicle.tools.patch;

import java.util.ArrayList;
import java.util.List;

/**
 * Lines that go and lines that come in their place.
 *
 * @param at index of the first line that goes
 */
record Chunk(int at, int deleted, List<String> inserted) {
    Chunk {
        inserted = List.copyOf(inserted);
    }

    Chunk movedBy(int lines) {
        return new Chunk(at + lines, deleted, inserted);
    }

    /** The text with all chunks applied. */
    static String apply(List<String> lines, List<Chunk> chunks, String path) throws PatchException {
        List<String> result = new ArrayList<>();
        int next = 0;
        for (Chunk chunk : chunks) {
            if (chunk.at > lines.size()) {
                throw new PatchException(path + ": chunk.orig_index " + chunk.at + " exceeds file length");
            }
            if (next > chunk.at) {
                throw new PatchException(path + ": overlapping chunks at " + next + " > " + chunk.at);
            }
            result.addAll(lines.subList(next, chunk.at));
            result.addAll(chunk.inserted);
            next = chunk.at + chunk.deleted;
        }
        if (next < lines.size()) {
            result.addAll(lines.subList(next, lines.size()));
        }
        return String.join("\n", result);
    }
}
