package dev.ossicle.cli.terminal;

import java.util.ArrayList;
import java.util.List;
import org.jline.utils.AttributedString;

/** Breaks text into lines of some columns. */
final class Wrap {
    /** No line begins with one of these, as far as it can be helped. */
    private static final String CLOSING = "、。，．：；！？）」』】》〉］｝,.:;!?)]}»”’%";

    private static final String OPENING = "（「『【《〈［｛([{«“‘";

    private Wrap() {}

    /** Between words, and between ideographs; a word that is too long is cut. Line feeds are kept. */
    static List<AttributedString> words(AttributedString text, int width) {
        List<AttributedString> lines = new ArrayList<>();
        for (AttributedString line : lines(text)) {
            int start = 0;
            do {
                int limit = Cells.fit(line, start, line.length(), width);
                int cut = limit == line.length() ? limit : breakBefore(line, start, limit);
                int end = cut;
                while (end > start && line.charAt(end - 1) == ' ') {
                    end--;
                }
                lines.add(line.subSequence(start, end));
                start = cut;
                while (start < line.length() && line.charAt(start) == ' ') {
                    start++;
                }
            } while (start < line.length());
        }
        return lines;
    }

    /** Wherever the line is full, as code needs it: spaces are kept. */
    static List<AttributedString> hard(AttributedString text, int width) {
        List<AttributedString> lines = new ArrayList<>();
        for (AttributedString line : lines(text)) {
            int start = 0;
            do {
                int end = Cells.fit(line, start, line.length(), width);
                lines.add(line.subSequence(start, end));
                start = end;
            } while (start < line.length());
        }
        return lines;
    }

    private static List<AttributedString> lines(AttributedString text) {
        List<AttributedString> lines = new ArrayList<>();
        int start = 0;
        for (int i = 0; i <= text.length(); i++) {
            if (i == text.length() || text.charAt(i) == '\n') {
                lines.add(text.subSequence(start, i));
                start = i + 1;
            }
        }
        return lines;
    }

    /** The last place up to the limit where a line may break; the limit itself where there is none. */
    private static int breakBefore(AttributedString line, int start, int limit) {
        int first = start; // an indentation alone makes no line
        while (first < limit && line.charAt(first) == ' ') {
            first++;
        }
        for (int i = limit; i > first; i--) {
            if (mayBreak(line, i)) {
                return i;
            }
        }
        return limit;
    }

    private static boolean mayBreak(AttributedString line, int i) {
        if (line.charAt(i) == ' ' || line.charAt(i - 1) == ' ') {
            return true;
        }
        int after = Character.codePointAt(line, i);
        int before = Character.codePointBefore(line, i);
        if (Cells.continues(before, after) || Character.isLowSurrogate(line.charAt(i))) {
            return false;
        }
        return (Cells.isWide(before) || Cells.isWide(after))
                && CLOSING.indexOf(after) < 0
                && OPENING.indexOf(before) < 0;
    }
}
