package dev.ossicle.cli.terminal;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.commonmark.node.Node;
import org.commonmark.node.SourceSpan;
import org.jline.utils.AttributedString;
import org.jspecify.annotations.Nullable;

/**
 * Markdown that is still coming. Blocks that can change no more are handed out once; only the open one is parsed again.
 * Blocks are known to have ended when another begins on a complete line.
 */
final class MarkdownStream {
    /** An unfinished line of these may be the beginning of anything: it is not shown before it is clear of what. */
    private static final Pattern UNCLEAR = Pattern.compile("[-=*_#>+`~|:\\s]*|\\s*+\\d{1,9}[.)]?|\\s*+\\|.*");

    /**
     * Parsing again and again costs, in all, so many times the length of an open block: it is worth while only when the block
     * has grown by this share.
     */
    private static final int GROWTH = 128;

    private final Markdown markdown;
    private final StringBuilder open = new StringBuilder();
    private int seen;
    private boolean begun;

    /**
     * Lines, blank ones between blocks included.
     *
     * @param closed will not change
     * @param open may
     */
    record Step(List<AttributedString> closed, List<AttributedString> open) {}

    MarkdownStream(Markdown markdown) {
        this.markdown = markdown;
    }

    void append(String text) {
        open.append(text);
    }

    /** Whether enough has come since the last step to be worth another. */
    boolean isDue() {
        return open.length() - seen > seen / GROWTH;
    }

    /** Chars of what the next step parses. */
    int length() {
        return open.length();
    }

    Step step(int width) {
        return step(width, false);
    }

    /** All is closed. */
    Step last(int width) {
        return step(width, true);
    }

    private Step step(int width, boolean last) {
        int complete = last ? open.length() : open.lastIndexOf("\n") + 1;
        String shown = last || !isUnclear(complete) ? open.toString() : open.substring(0, complete);
        @Nullable Node openBlock = null;
        Node document = markdown.parse(shown);
        if (!last) {
            for (Node block = document.getFirstChild(); block != null; block = block.getNext()) {
                if (start(block) < complete) {
                    openBlock = block;
                }
            }
        }
        List<AttributedString> closed = new ArrayList<>();
        List<AttributedString> stillOpen = new ArrayList<>();
        boolean isClosed = last || openBlock != null;
        for (Node block = document.getFirstChild(); block != null; block = block.getNext()) {
            isClosed &= !block.equals(openBlock);
            List<AttributedString> lines = isClosed ? closed : stillOpen;
            if (begun || block.getPrevious() != null) {
                lines.add(AttributedString.EMPTY);
            }
            lines.addAll(markdown.lines(block, width));
        }
        begun |= !closed.isEmpty();
        if (last) {
            open.setLength(0);
        } else if (openBlock != null) {
            open.delete(0, shown.lastIndexOf('\n', start(openBlock) - 1) + 1); // with its indentation
        }
        seen = open.length();
        return new Step(closed, isTableBegun() ? List.of() : stillOpen);
    }

    private boolean isUnclear(int complete) {
        return UNCLEAR.matcher(open).region(complete, open.length()).matches();
    }

    /** The first line of a table looks like a paragraph until the second one is there. */
    private boolean isTableBegun() {
        return !open.isEmpty() && open.charAt(0) == '|' && open.indexOf("\n") == open.lastIndexOf("\n");
    }

    private static int start(Node block) {
        List<SourceSpan> spans = block.getSourceSpans();
        return spans.isEmpty() ? 0 : spans.getFirst().getInputIndex();
    }
}
