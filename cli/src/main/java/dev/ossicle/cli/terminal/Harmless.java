package dev.ossicle.cli.terminal;

/**
 * Text from elsewhere that cannot steer a terminal: control characters become visible ones. An escape sequence could otherwise
 * rename the window, read the clipboard, hide text or answer in the user's name.
 */
public final class Harmless {
    private static final char UNKNOWN = '\uFFFD';
    private static final int CONTROL_PICTURES = 0x2400;
    private static final int DELETE = 0x7F;

    private Harmless() {}

    /** The text with nothing but line feeds, tabs and what can be seen; carriage returns go where they end a line. */
    public static String text(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (isHarmful(text.charAt(i))) {
                return replaced(text);
            }
        }
        return text;
    }

    private static String replaced(String text) {
        StringBuilder harmless = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!isHarmful(c)) {
                harmless.append(c);
            } else if (c == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n') {
                // a line's end as Windows writes it
            } else if (c < ' ') {
                harmless.append((char) (CONTROL_PICTURES + c));
            } else if (c == DELETE) {
                harmless.append('\u2421');
            } else {
                harmless.append(UNKNOWN);
            }
        }
        return harmless.toString();
    }

    private static boolean isHarmful(char c) {
        return (c < ' ' && c != '\n' && c != '\t')
                || (c >= DELETE && c <= 0x9F) // the second half: what eight-bit terminals take for ESC [ and its like
                || (c >= '\u202A' && c <= '\u202E') // turn the direction of what follows, beyond the text itself
                || (c >= '\u2066' && c <= '\u2069')
                || c == '\u2028'
                || c == '\u2029';
    }
}
