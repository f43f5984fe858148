package dev.ossicle.tools.patch;

import java.util.ArrayList;
import java.util.List;

/**
 * Lines of a patch under one anchor.
 *
 * @param context the lines that the file must have
 * @param chunks counted from the first of them
 * @param end index of the patch's line behind the hunk
 * @param atEnd whether the hunk says that it is the end of the file
 */
record Hunk(List<String> context, List<Chunk> chunks, int end, boolean atEnd) {
    private static final String END_OF_FILE = "*** End of File";

    static Hunk read(List<String> patch, int start) throws PatchException {
        List<String> context = new ArrayList<>();
        List<Chunk> chunks = new ArrayList<>();
        int deleted = 0;
        List<String> inserted = new ArrayList<>();
        boolean kept = true;
        int index = start;
        for (; index < patch.size() && !ends(patch.get(index)); index++) {
            String line = patch.get(index).isEmpty() ? " " : patch.get(index);
            char mark = line.startsWith("***") ? '*' : line.charAt(0);
            String text = line.substring(1);
            if (mark == ' ' && !kept && (deleted > 0 || !inserted.isEmpty())) {
                chunks.add(new Chunk(context.size() - deleted, deleted, inserted));
                deleted = 0;
                inserted.clear();
            }
            kept = mark == ' ';
            switch (mark) {
                case ' ' -> context.add(text);
                case '-' -> {
                    context.add(text);
                    deleted++;
                }
                case '+' -> inserted.add(text);
                default -> throw new PatchException("Invalid Line: " + line);
            }
        }
        if (deleted > 0 || !inserted.isEmpty()) {
            chunks.add(new Chunk(context.size() - deleted, deleted, inserted));
        }
        if (index < patch.size() && patch.get(index).equals(END_OF_FILE)) {
            return new Hunk(context, chunks, index + 1, true);
        }
        if (index == start) {
            throw new PatchException("Nothing in this section");
        }
        return new Hunk(context, chunks, index, false);
    }

    private static boolean ends(String line) {
        return line.startsWith("@@")
                || line.equals("***")
                || line.startsWith(END_OF_FILE)
                || PatchParser.OPERATIONS.stream().anyMatch(line::startsWith);
    }
}
