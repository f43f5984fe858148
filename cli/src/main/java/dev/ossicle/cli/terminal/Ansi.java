package dev.ossicle.cli.terminal;

import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStyle;

/** Escape sequences of styled text. JLine's own would replace lines of boxes by letters of another character set. */
final class Ansi {
    private static final String START = "\u001b[";
    private static final String RESET = "\u001b[0m";

    private Ansi() {}

    /** Begins and ends without a style. */
    static String text(AttributedString line) {
        StringBuilder out = new StringBuilder();
        int start = 0;
        while (start < line.length()) {
            AttributedStyle style = line.styleAt(start);
            int end = line.runLimit(start);
            if (style.equals(AttributedStyle.DEFAULT)) {
                out.append(line, start, end);
            } else {
                out.append(START)
                        .append(style.toAnsi())
                        .append('m')
                        .append(line, start, end)
                        .append(RESET);
            }
            start = end;
        }
        return out.toString();
    }
}
