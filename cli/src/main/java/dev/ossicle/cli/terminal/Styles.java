package dev.ossicle.cli.terminal;

import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStyle;

/** What things look like where colours are wanted: the terminal's own sixteen, so that its theme decides. */
final class Styles {
    static final AttributedStyle PLAIN = AttributedStyle.DEFAULT;
    static final AttributedStyle DIM = AttributedStyle.DEFAULT.faint();
    static final AttributedStyle HEADING = AttributedStyle.BOLD.foreground(AttributedStyle.CYAN);
    static final AttributedStyle CODE = AttributedStyle.DEFAULT.foreground(AttributedStyle.CYAN);
    static final AttributedStyle TOOL = AttributedStyle.DEFAULT.foreground(AttributedStyle.YELLOW);
    static final AttributedStyle ERROR = AttributedStyle.DEFAULT.foreground(AttributedStyle.RED);
    static final AttributedStyle PROMPT = AttributedStyle.BOLD;

    private Styles() {}

    static AttributedString dim(String text) {
        return new AttributedString(text, DIM);
    }
}
