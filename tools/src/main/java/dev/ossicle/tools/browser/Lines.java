package dev.ossicle.tools.browser;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Text in lines of {@value #WIDTH} code points at most, white space kept: Python's {@code textwrap.wrap(line, 80,
 * replace_whitespace=False, drop_whitespace=False)} on each line.
 */
final class Lines {
    private static final int WIDTH = 80;
    private static final int TAB = 8;

    private static final String WORD = "[\\p{L}\\p{N}_]";
    private static final String LETTER = "[\\p{L}\\p{Nl}\\p{No}_]";
    private static final String PUNCTUATED = "[\\p{L}\\p{N}_!\"'&.,?]";
    private static final String SPACE = "[\\t\\n\\x0b\\x0c\\r ]";
    private static final String NO_SPACE = "[^\\t\\n\\x0b\\x0c\\r ]";

    /** White space, a dash between words, or a word up to where it may be broken. */
    private static final Pattern CHUNK = Pattern.compile(SPACE + "+"
            + "|(?<=" + PUNCTUATED + ")-{2,}(?=" + WORD + ")"
            + "|" + NO_SPACE + "+?(?:"
            + "-(?:(?<=" + LETTER + "{2}-)|(?<=" + LETTER + "-" + PUNCTUATED + "-))(?=" + LETTER + "-?" + LETTER + ")"
            + "|(?=" + SPACE + "|\\z)"
            + "|(?<=" + PUNCTUATED + ")(?=-{2,}" + WORD + "))");

    private Lines() {}

    static List<String> wrap(String text) {
        List<String> lines = new ArrayList<>();
        for (String line : text.split("\n", -1)) {
            if (line.isEmpty()) {
                lines.add("");
            } else {
                wrapLine(expandTabs(line), lines);
            }
        }
        return lines;
    }

    private static void wrapLine(String text, List<String> lines) {
        Deque<String> chunks = chunks(text);
        while (!chunks.isEmpty()) {
            StringBuilder line = new StringBuilder();
            int left = WIDTH;
            while (!chunks.isEmpty() && length(chunks.getFirst()) <= left) {
                left -= length(chunks.getFirst());
                line.append(chunks.removeFirst());
            }
            if (!chunks.isEmpty() && length(chunks.getFirst()) > WIDTH) {
                String chunk = chunks.removeFirst();
                int from = 0;
                while (chunk.codePointCount(from, Math.min(chunk.length(), from + 2 * WIDTH + 2)) > WIDTH) {
                    int end = end(chunk, from, left);
                    lines.add(line.append(chunk, from, end).toString());
                    line.setLength(0);
                    left = WIDTH;
                    from = end;
                }
                chunks.addFirst(chunk.substring(from));
                continue;
            }
            lines.add(line.toString());
        }
    }

    /** Where a word that is longer than a line is broken. */
    private static int end(String chunk, int from, int left) {
        int end = chunk.offsetByCodePoints(from, left);
        int hyphen = chunk.substring(from, end).lastIndexOf('-');
        return hyphen > 0 && chunk.substring(from, from + hyphen).chars().anyMatch(c -> c != '-')
                ? from + hyphen + 1
                : end;
    }

    private static int length(String text) {
        return text.codePointCount(0, text.length());
    }

    private static Deque<String> chunks(String text) {
        List<String> chunks = new ArrayList<>();
        Matcher matcher = CHUNK.matcher(text);
        int end = 0;
        while (matcher.find()) {
            chunks.add(text.substring(end, matcher.start()));
            chunks.add(matcher.group());
            end = matcher.end();
        }
        chunks.add(text.substring(end));
        chunks.removeAll(Collections.singleton(""));
        return new ArrayDeque<>(chunks);
    }

    private static String expandTabs(String line) {
        if (line.indexOf('\t') < 0) {
            return line;
        }
        StringBuilder expanded = new StringBuilder();
        int column = 0;
        for (int c : line.codePoints().toArray()) {
            if (c == '\t') {
                int spaces = TAB - column % TAB;
                expanded.repeat(" ", spaces);
                column += spaces;
            } else {
                expanded.appendCodePoint(c);
                column = c == '\r' ? 0 : column + 1;
            }
        }
        return expanded.toString();
    }
}
