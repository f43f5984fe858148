package dev.ossicle.tools.patch;

import dev.ossicle.tools.PythonStrings;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads a patch against the files that it names. To the letter what OpenAI's apply_patch.py does, oddities included
 * (https://github.com/openai/gpt-oss/blob/main/gpt_oss/tools/apply_patch.py), since a model was trained with its answers.
 */
public final class PatchParser {
    private static final String BEGIN = "*** Begin Patch";
    private static final String END = "*** End Patch";
    private static final String UPDATE = "*** Update File: ";
    private static final String DELETE = "*** Delete File: ";
    private static final String ADD = "*** Add File: ";
    private static final String MOVE = "*** Move to: ";

    /** Beginnings of lines that end whatever stands before them. */
    static final List<String> OPERATIONS = List.of(END, "*** Update File:", "*** Delete File:", "*** Add File:");

    private final List<String> patch;
    private final Map<String, String> files;
    private final List<FileChange> changes = new ArrayList<>();
    private final Set<String> seen = new HashSet<>();
    private int index = 1;
    private int fuzz;

    private PatchParser(List<String> patch, Map<String, String> files) {
        this.patch = patch;
        this.files = files;
    }

    /** The files that a patch changes or removes, which {@link #parse} must be given. */
    public static Set<String> filesNeeded(String text) {
        Set<String> needed = new LinkedHashSet<>();
        for (String line : PythonStrings.lines(text)) {
            if (line.startsWith(UPDATE)) {
                needed.add(line.substring(UPDATE.length()));
            } else if (line.startsWith(DELETE)) {
                needed.add(line.substring(DELETE.length()));
            }
        }
        return needed;
    }

    /**
     * What a patch does.
     *
     * @param files content by path as the patch says it
     */
    public static Patch parse(String text, Map<String, String> files) throws PatchException {
        if (!text.startsWith(BEGIN)) {
            throw new PatchException("Patch text must start with " + BEGIN);
        }
        List<String> lines = PythonStrings.lines(text);
        if (lines.size() < 2 || !lines.getLast().equals(END)) {
            throw new PatchException("Invalid patch text - missing sentinels");
        }
        PatchParser parser = new PatchParser(lines, files);
        parser.operations();
        return new Patch(parser.changes, parser.fuzz);
    }

    private void operations() throws PatchException {
        while (index < patch.size() && !line().startsWith(END)) {
            String path = read(UPDATE);
            if (!path.isEmpty()) {
                once(path, "update");
                changes.add(update(path));
                continue;
            }
            path = read(DELETE);
            if (!path.isEmpty()) {
                once(path, "delete");
                if (!files.containsKey(path)) {
                    throw new PatchException("Delete File Error - missing file: " + path);
                }
                changes.add(new FileChange.Delete(path));
                continue;
            }
            path = read(ADD);
            if (!path.isEmpty()) {
                once(path, "add");
                if (files.containsKey(path)) {
                    throw new PatchException("Add File Error - file already exists: " + path);
                }
                changes.add(new FileChange.Add(path, added()));
                continue;
            }
            throw new PatchException("Unknown line while parsing: " + line());
        }
        if (!line().startsWith(END)) {
            throw new PatchException("Missing " + END + " sentinel");
        }
    }

    private void once(String path, String operation) throws PatchException {
        if (!seen.add(path)) {
            throw new PatchException("Duplicate " + operation + " for file: " + path);
        }
    }

    private FileChange update(String path) throws PatchException {
        String moveTo = read(MOVE);
        String text = files.get(path);
        if (text == null) {
            throw new PatchException("Update File Error - missing file: " + path);
        }
        List<String> lines = List.of(text.split("\n", -1));
        List<Chunk> chunks = new ArrayList<>();
        int at = 0;
        while (!atOperation() && !line().startsWith("*** End of File")) {
            String anchor = read("@@ ");
            boolean bare = anchor.isEmpty() && line().equals("@@");
            if (bare) {
                index++;
            }
            if (anchor.isEmpty() && !bare && at != 0) {
                throw new PatchException("Invalid line in update section:\n" + line());
            }
            at = anchored(lines, anchor, at);
            Hunk hunk = Hunk.read(patch, index);
            Context found = Context.find(lines, hunk.context(), at, hunk.atEnd());
            if (found.at() < 0) {
                throw new PatchException("Invalid " + (hunk.atEnd() ? "EOF " : "") + "context at " + at + ":\n"
                        + String.join("\n", hunk.context()));
            }
            fuzz += found.fuzz();
            hunk.chunks().forEach(chunk -> chunks.add(chunk.movedBy(found.at())));
            at = found.at() + hunk.context().size();
            index = hunk.end();
        }
        return new FileChange.Update(path, Chunk.apply(lines, chunks, path), moveTo.isEmpty() ? null : moveTo);
    }

    /** The line behind the anchor; unmoved if there is none, or it stands in what was passed already. */
    private int anchored(List<String> lines, String anchor, int at) {
        String stripped = PythonStrings.strip(anchor);
        if (stripped.isEmpty()) {
            return at;
        }
        List<String> passed = lines.subList(0, at);
        if (!passed.contains(anchor)) {
            for (int i = at; i < lines.size(); i++) {
                if (lines.get(i).equals(anchor)) {
                    return i + 1;
                }
            }
        }
        if (passed.stream().map(PythonStrings::strip).noneMatch(stripped::equals)) {
            for (int i = at; i < lines.size(); i++) {
                if (PythonStrings.strip(lines.get(i)).equals(stripped)) {
                    fuzz++;
                    return i + 1;
                }
            }
        }
        return at;
    }

    private String added() throws PatchException {
        List<String> lines = new ArrayList<>();
        while (!atOperation()) {
            String line = line();
            if (!line.startsWith("+")) {
                throw new PatchException("Invalid Add File line (missing '+'): " + line);
            }
            lines.add(line.substring(1));
            index++;
        }
        return String.join("\n", lines);
    }

    private boolean atOperation() {
        return index >= patch.size() || OPERATIONS.stream().anyMatch(patch.get(index)::startsWith);
    }

    private String line() throws PatchException {
        if (index >= patch.size()) {
            throw new PatchException("Unexpected end of input while parsing patch");
        }
        return patch.get(index);
    }

    /** What follows a prefix, with the line passed; empty, with nothing passed, where the line has another beginning. */
    private String read(String prefix) throws PatchException {
        if (!line().startsWith(prefix)) {
            return "";
        }
        return patch.get(index++).substring(prefix.length());
    }
}
