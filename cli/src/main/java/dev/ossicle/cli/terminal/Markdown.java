package dev.ossicle.cli.terminal;

import java.util.ArrayList;
import java.util.List;
import org.commonmark.ext.gfm.tables.TableBlock;
import org.commonmark.ext.gfm.tables.TablesExtension;
import org.commonmark.node.Block;
import org.commonmark.node.BlockQuote;
import org.commonmark.node.BulletList;
import org.commonmark.node.FencedCodeBlock;
import org.commonmark.node.Heading;
import org.commonmark.node.HtmlBlock;
import org.commonmark.node.IndentedCodeBlock;
import org.commonmark.node.LinkReferenceDefinition;
import org.commonmark.node.ListBlock;
import org.commonmark.node.Node;
import org.commonmark.node.OrderedList;
import org.commonmark.node.ThematicBreak;
import org.commonmark.parser.IncludeSourceSpans;
import org.commonmark.parser.Parser;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStringBuilder;
import org.jline.utils.AttributedStyle;

/**
 * Markdown as lines of a terminal. No line is wider than asked for, whatever the text; code can be copied as it stands, since
 * nothing is drawn beside it. Immutable.
 */
final class Markdown {
    /** Blocks in blocks, and marks in marks, beyond which text is taken as it is. */
    private static final int MAX_NESTING = 32;

    /** What indentation leaves at least to the text. */
    private static final int MIN_WIDTH = 8;

    private static final int TAB = 4;

    private final Parser parser = Parser.builder()
            .extensions(List.of(TablesExtension.create()))
            .includeSourceSpans(IncludeSourceSpans.BLOCKS)
            .maxOpenBlockParsers(MAX_NESTING)
            .maxInlineNesting(MAX_NESTING)
            .build();

    private final boolean styled;

    /** @param styled whether there are colours; else marks of emphasis stay as they were written */
    Markdown(boolean styled) {
        this.styled = styled;
    }

    /** The top-level blocks, with their places in the text. */
    Node parse(String text) {
        return parser.parse(text);
    }

    List<AttributedString> lines(String text, int width) {
        return children(parse(text), width, true);
    }

    /** Of one block, of {@link #parse}. */
    List<AttributedString> lines(Node block, int width) {
        List<AttributedString> lines = new ArrayList<>();
        for (AttributedString line : block(block, Math.max(1, width))) {
            // Deep indentation on a narrow screen.
            if (Cells.width(line) <= width) {
                lines.add(line);
            } else {
                lines.addAll(Wrap.hard(line, Math.max(1, width)));
            }
        }
        return lines;
    }

    private List<AttributedString> children(Node parent, int width, boolean apart) {
        List<AttributedString> lines = new ArrayList<>();
        for (Node node = parent.getFirstChild(); node != null; node = node.getNext()) {
            List<AttributedString> block = parent.getParent() == null ? lines(node, width) : block(node, width);
            if (apart && !lines.isEmpty() && !block.isEmpty()) {
                lines.add(AttributedString.EMPTY);
            }
            lines.addAll(block);
        }
        return lines;
    }

    private List<AttributedString> block(Node block, int width) {
        return switch (block) {
            case Heading heading -> heading(heading, width);
            case FencedCodeBlock code ->
                code(code.getLiteral(), code.getInfo(), code.getClosingFenceLength() != null, width);
            case IndentedCodeBlock code -> code(code.getLiteral(), "", true, width);
            case BulletList list -> list(list, width);
            case OrderedList list -> list(list, width);
            case BlockQuote quote -> quote(quote, width);
            case ThematicBreak ignored -> List.of(rule("", width));
            case TableBlock table ->
                new Table(table, this::inline, styled ? AttributedStyle.BOLD : Styles.PLAIN).lines(width, dim());
            case HtmlBlock html -> literal(html.getLiteral(), width);
            case LinkReferenceDefinition definition ->
                Wrap.words(text("[" + definition.getLabel() + "]: " + definition.getDestination(), dim()), width);
            case Block other when other.getFirstChild() instanceof Block -> children(other, width, true);
            default -> Wrap.words(inline(block, Styles.PLAIN), width);
        };
    }

    private AttributedString inline(Node node, AttributedStyle style) {
        return InlineText.of(node, styled, style);
    }

    /** The marks stay: they say which level it is, in any colour. */
    private List<AttributedString> heading(Heading heading, int width) {
        AttributedStyle style = styled ? Styles.HEADING : Styles.PLAIN;
        AttributedStringBuilder line = new AttributedStringBuilder();
        line.append("#".repeat(heading.getLevel()) + " ", style);
        line.append(inline(heading, style));
        return Wrap.words(line.toAttributedString(), width);
    }

    private List<AttributedString> code(String literal, String info, boolean closed, int width) {
        List<AttributedString> lines = new ArrayList<>();
        String language =
                info == null || info.isBlank() ? "" : Harmless.text(info.strip().split("\\s", 2)[0]);
        lines.add(rule(language, width));
        for (String line : literal.lines().toList()) {
            lines.addAll(Wrap.hard(text(untabbed(Harmless.text(line)), code()), width));
        }
        if (closed) {
            lines.add(rule("", width));
        }
        return lines;
    }

    private static String untabbed(String line) {
        if (line.indexOf('\t') < 0) {
            return line;
        }
        StringBuilder spaces = new StringBuilder();
        for (int i = 0; i < line.length(); i++) {
            if (line.charAt(i) == '\t') {
                spaces.append(" ".repeat(TAB - Cells.width(spaces) % TAB));
            } else {
                spaces.append(line.charAt(i));
            }
        }
        return spaces.toString();
    }

    private List<AttributedString> list(ListBlock list, int width) {
        List<AttributedString> lines = new ArrayList<>();
        Integer start = list instanceof OrderedList ordered ? ordered.getMarkerStartNumber() : null;
        int number = start == null ? 1 : start;
        for (Node item = list.getFirstChild(); item != null; item = item.getNext()) {
            String mark = list instanceof OrderedList ordered ? number++ + ordered.getMarkerDelimiter() + " " : "• ";
            List<AttributedString> content = children(item, inner(width, mark.length()), !list.isTight());
            if (!lines.isEmpty() && !list.isTight()) {
                lines.add(AttributedString.EMPTY);
            }
            AttributedString indentation = new AttributedString(" ".repeat(mark.length()));
            lines.addAll(prefixed(
                    content.isEmpty() ? List.of(AttributedString.EMPTY) : content, text(mark, dim()), indentation));
        }
        return lines;
    }

    private List<AttributedString> quote(BlockQuote quote, int width) {
        AttributedString bar = text("│ ", dim());
        return prefixed(children(quote, inner(width, 2), true), bar, bar);
    }

    private static int inner(int width, int taken) {
        return Math.max(Math.min(width, MIN_WIDTH), width - taken);
    }

    private static List<AttributedString> prefixed(
            List<AttributedString> lines, AttributedString first, AttributedString others) {
        List<AttributedString> prefixed = new ArrayList<>();
        for (AttributedString line : lines) {
            AttributedString prefix = prefixed.isEmpty() ? first : others;
            prefixed.add(
                    line.length() == 0 && prefix.toString().isBlank()
                            ? line
                            : new AttributedStringBuilder()
                                    .append(prefix)
                                    .append(line)
                                    .toAttributedString());
        }
        return prefixed;
    }

    private List<AttributedString> literal(String text, int width) {
        return Wrap.hard(text(untabbed(Harmless.text(text.stripTrailing())), Styles.PLAIN), width);
    }

    private AttributedString rule(String label, int width) {
        int taken = label.isEmpty() ? 0 : Math.min(Cells.width(label) + 4, width);
        AttributedStringBuilder line = new AttributedStringBuilder();
        if (!label.isEmpty()) {
            line.append("── " + label + " ", dim());
        }
        line.append("─".repeat(Math.max(0, width - taken)), dim());
        return line.toAttributedString();
    }

    private static AttributedString text(String text, AttributedStyle style) {
        return new AttributedString(text, style);
    }

    private AttributedStyle dim() {
        return styled ? Styles.DIM : Styles.PLAIN;
    }

    private AttributedStyle code() {
        return styled ? Styles.CODE : Styles.PLAIN;
    }
}
