package dev.ossicle.tools.patch;

import dev.ossicle.tools.PythonStrings;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Where a hunk's old lines stand in a file: exactly, or but for white space at their ends, or at both their sides.
 *
 * @param at index of the first line, -1 if nowhere
 */
record Context(int at, int fuzz) {
    private static final int NOT_AT_END = 10_000;

    static Context find(List<String> lines, List<String> context, int start, boolean atEnd) {
        if (!atEnd) {
            return find(lines, context, start);
        }
        Context end = find(lines, context, Math.max(0, lines.size() - context.size()));
        if (end.at >= 0) {
            return end;
        }
        Context anywhere = find(lines, context, start);
        return new Context(anywhere.at, anywhere.fuzz + NOT_AT_END);
    }

    private static Context find(List<String> lines, List<String> context, int start) {
        if (context.isEmpty()) {
            return new Context(start, 0);
        }
        int at = indexOf(lines, context, start, UnaryOperator.identity());
        if (at >= 0) {
            return new Context(at, 0);
        }
        at = indexOf(lines, context, start, PythonStrings::stripEnd);
        if (at >= 0) {
            return new Context(at, 1);
        }
        at = indexOf(lines, context, start, PythonStrings::strip);
        return new Context(at, at >= 0 ? 100 : 0);
    }

    private static int indexOf(List<String> lines, List<String> context, int start, UnaryOperator<String> normal) {
        List<String> wanted = context.stream().map(normal).toList();
        List<String> given = lines.stream().map(normal).toList();
        for (int i = start; i + wanted.size() <= given.size(); i++) {
            if (given.subList(i, i + wanted.size()).equals(wanted)) {
                return i;
            }
        }
        return -1;
    }
}
