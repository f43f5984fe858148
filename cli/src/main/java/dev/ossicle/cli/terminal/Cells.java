package dev.ossicle.cli.terminal;

import org.jline.utils.WCWidth;

/**
 * How many columns text takes. Terminals disagree about clusters of emoji; the sum over their characters is the widest that any
 * of them draws, so what is laid out by it never runs over the edge.
 */
final class Cells {
    private static final int EMOJI_PRESENTATION = 0xFE0F;
    private static final int JOINER = 0x200D;

    private Cells() {}

    static int width(CharSequence text) {
        return width(text, 0, text.length());
    }

    static int width(CharSequence text, int start, int end) {
        int width = 0;
        for (int i = start; i < end; ) {
            int codePoint = Character.codePointAt(text, i);
            width += width(codePoint);
            i += Character.charCount(codePoint);
        }
        return width;
    }

    static int width(int codePoint) {
        if (codePoint == EMOJI_PRESENTATION) {
            return 1; // it widens what is before it
        }
        return isSkinTone(codePoint) ? 2 : Math.max(0, WCWidth.wcwidth(codePoint));
    }

    static boolean isWide(int codePoint) {
        return width(codePoint) == 2;
    }

    /** Whether a character belongs to the one before it. */
    static boolean continues(int previous, int codePoint) {
        return previous == JOINER || codePoint == EMOJI_PRESENTATION || isSkinTone(codePoint) || width(codePoint) == 0;
    }

    private static boolean isSkinTone(int codePoint) {
        return codePoint >= 0x1F3FB && codePoint <= 0x1F3FF;
    }

    /** The end of as much as fits into some columns, at least one character; marks stay with what they mark. */
    static int fit(CharSequence text, int start, int end, int columns) {
        int width = 0;
        int i = start;
        while (i < end) {
            int next = clusterEnd(text, i, end);
            width += width(text, i, next);
            if (width > columns) {
                return i > start ? i : next;
            }
            i = next;
        }
        return end;
    }

    private static int clusterEnd(CharSequence text, int start, int end) {
        int previous = Character.codePointAt(text, start);
        int i = start + Character.charCount(previous);
        while (i < end) {
            int codePoint = Character.codePointAt(text, i);
            if (!continues(previous, codePoint)) {
                break;
            }
            previous = codePoint;
            i += Character.charCount(codePoint);
        }
        return i;
    }
}
