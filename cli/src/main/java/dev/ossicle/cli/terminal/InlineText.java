package dev.ossicle.cli.terminal;

import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.commonmark.node.Code;
import org.commonmark.node.Emphasis;
import org.commonmark.node.HardLineBreak;
import org.commonmark.node.HtmlInline;
import org.commonmark.node.Image;
import org.commonmark.node.Link;
import org.commonmark.node.Node;
import org.commonmark.node.SoftLineBreak;
import org.commonmark.node.StrongEmphasis;
import org.commonmark.node.Text;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStringBuilder;
import org.jline.utils.AttributedStyle;

/**
 * What is inside a block: emphasis, code, links with their address. Where there are no styles the marks stay, so that nothing
 * is lost.
 */
final class InlineText {
    private static final Pattern BREAK = Pattern.compile("<br\\s*/?>", Pattern.CASE_INSENSITIVE);

    private final boolean styled;
    private final AttributedStringBuilder out = new AttributedStringBuilder();

    private InlineText(boolean styled) {
        this.styled = styled;
    }

    static AttributedString of(Node block, boolean styled, AttributedStyle style) {
        InlineText text = new InlineText(styled);
        text.children(block, style);
        return text.out.toAttributedString();
    }

    private void children(Node parent, AttributedStyle style) {
        for (Node node = parent.getFirstChild(); node != null; node = node.getNext()) {
            append(node, style);
        }
    }

    private void append(Node node, AttributedStyle style) {
        switch (node) {
            case Text text -> add(text.getLiteral(), style);
            case SoftLineBreak ignored -> add(" ", style);
            case HardLineBreak ignored -> add("\n", style);
            case Code code -> marked("`", style, s -> s.foreground(AttributedStyle.CYAN), code.getLiteral());
            case Emphasis emphasis -> marked("*", style, AttributedStyle::italic, emphasis);
            case StrongEmphasis strong -> marked("**", style, AttributedStyle::bold, strong);
            case Link link -> link("", link, link.getDestination(), style);
            case Image image -> link("image: ", image, image.getDestination(), style);
            case HtmlInline html -> add(BREAK.matcher(html.getLiteral()).matches() ? "\n" : html.getLiteral(), style);
            default -> children(node, style);
        }
    }

    private void marked(String mark, AttributedStyle style, UnaryOperator<AttributedStyle> change, Node content) {
        if (!styled) {
            add(mark, style);
        }
        children(content, styled ? change.apply(style) : style);
        if (!styled) {
            add(mark, style);
        }
    }

    private void marked(String mark, AttributedStyle style, UnaryOperator<AttributedStyle> change, String content) {
        add(styled ? content : mark + content + mark, styled ? change.apply(style) : style);
    }

    private void link(String label, Node link, String address, AttributedStyle style) {
        int start = out.length();
        add(label, style);
        children(link, styled ? style.underline() : style);
        String shown = out.subSequence(start, out.length()).toString();
        if (!shown.equals(address) && !("mailto:" + shown).equals(address)) {
            add((shown.isEmpty() ? "" : " ") + "(" + address + ")", styled ? style.faint() : style);
        }
    }

    /** Entities become characters only in the parser, so this is the place to make them harmless. */
    private void add(String text, AttributedStyle style) {
        out.append(Harmless.text(text).replace('\t', ' '), style);
    }
}
