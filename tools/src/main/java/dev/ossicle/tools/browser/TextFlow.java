package dev.ossicle.tools.browser;

import dev.ossicle.tools.PythonStrings;
import java.util.regex.Pattern;

/**
 * Text that flows out: breaks are asked for before they are needed and made once something follows, white space melts
 * together, quotes and preformatted lines get their margin.
 */
final class TextFlow {
    private static final Pattern SPACES = Pattern.compile("[\\s\\x1c-\\x1f\\x85\\p{Z}]+");

    /** Margins grow no further: a page could else be made to grow without bounds. */
    static final int DEEPEST = 20;

    private final StringBuilder out = new StringBuilder();
    private int breaks;
    private boolean softBreak;
    private boolean space;

    /** Nothing has come yet, or only the mark of a list's item or a quote: breaks and spaces here are void. */
    private boolean atStart = true;

    private int quotes;
    private int lists;
    private boolean preformatted;
    private boolean preformattedBegins;

    /** At least an end of line before what follows. */
    void line() {
        breaks = Math.max(breaks, 1);
    }

    /** The same, marked as Markdown's hard break. */
    void hardLine() {
        line();
        softBreak = true;
    }

    /** An empty line before what follows. */
    void paragraph() {
        breaks = 2;
    }

    /** The number of lists around what follows. */
    void lists(int depth) {
        lists = depth;
    }

    void quote() {
        paragraph();
        write("> ", margin().stripTrailing());
        atStart = true;
        quotes++;
    }

    void endQuote() {
        if (quotes > 0) {
            quotes--;
        }
        paragraph();
    }

    void preformatted(boolean begins) {
        preformatted = begins;
        preformattedBegins = begins;
        paragraph();
    }

    boolean isPreformatted() {
        return preformatted;
    }

    /** An end of line in the text itself. */
    void lineEnd() {
        mark(quotes > 0 ? "  \n> " : "  \n");
    }

    /** The mark before a list's item: breaks within what follows directly are void. */
    void bullet(String mark) {
        mark(mark);
        atStart = true;
    }

    /** Something that is not the page's own text, written as it is. */
    void mark(String text) {
        write(text, margin());
    }

    /** Text of the page. */
    void text(String text) {
        String data = text;
        if (!preformatted) {
            data = SPACES.matcher(data).replaceAll(" ");
            if (data.startsWith(" ")) {
                space = true;
                data = data.substring(1);
            }
        }
        if (!data.isEmpty()) {
            write(data, margin());
        }
    }

    private String margin() {
        String margin = quotes == 0 ? "" : ">".repeat(Math.min(quotes, DEEPEST)) + " ";
        return preformatted ? margin + "    ".repeat(1 + Math.min(lists, DEEPEST)) : margin;
    }

    private void write(String text, String margin) {
        String data = text;
        if (preformattedBegins) {
            preformattedBegins = false;
            data = lists > 0 ? stripLineEnds(data) : data.startsWith("\n") ? data : "\n" + data;
        }
        if (preformatted) {
            data = data.replace("\n", "\n" + margin);
        }
        if (atStart) {
            space = false;
            breaks = 0;
            atStart = false;
        }
        if (breaks > 0) {
            out.append(((softBreak ? "  \n" : "\n") + margin).repeat(breaks));
            space = false;
            softBreak = false;
            breaks = 0;
        }
        if (space && !out.isEmpty() && out.charAt(out.length() - 1) != '\n') {
            out.append(' ');
        }
        space = false;
        out.append(data);
    }

    private static String stripLineEnds(String data) {
        int start = 0;
        while (start < data.length() && data.charAt(start) == '\n') {
            start++;
        }
        return data.substring(start);
    }

    /** All of it, without white space around. */
    @Override
    public String toString() {
        return PythonStrings.strip(out.toString());
    }
}
