package dev.ossicle.tools.browser;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jsoup.nodes.DataNode;
import org.jsoup.nodes.Element;
import org.jsoup.nodes.Node;
import org.jsoup.nodes.TextNode;
import org.jsoup.select.NodeVisitor;
import org.jspecify.annotations.Nullable;

/** Takes a document apart, with superscripts and subscripts written out and words kept apart where only tags part them. */
final class HtmlTokens implements NodeVisitor {
    private final List<HtmlToken> tokens = new ArrayList<>();
    private final StringBuilder text = new StringBuilder();

    /** Index of the last text, if a character of a word ends it; else -1. */
    private int wordBefore = -1;

    private HtmlTokens() {}

    static List<HtmlToken> of(Element root) {
        HtmlTokens visitor = new HtmlTokens();
        root.traverse(visitor);
        visitor.flush();
        return visitor.tokens;
    }

    @Override
    public void head(Node node, int depth) {
        switch (node) {
            case TextNode data -> text.append(data.getWholeText());
            case DataNode data -> text.append(data.getWholeData());
            case Element element
            when index(element) != null -> text.append(index(element)).append("{");
            case Element element -> {
                flush();
                Map<String, String> attributes = new HashMap<>();
                element.attributes().forEach(attribute -> attributes.put(attribute.getKey(), attribute.getValue()));
                tokens.add(new HtmlToken.Open(element.normalName(), attributes));
            }
            default -> {
                flush();
                tokens.add(new HtmlToken.Gap());
            }
        }
    }

    @Override
    public void tail(Node node, int depth) {
        if (node instanceof Element element) {
            if (index(element) != null) {
                text.append("}");
                return;
            }
            flush();
            tokens.add(new HtmlToken.Close(element.normalName()));
        }
    }

    private void flush() {
        if (text.isEmpty()) {
            return;
        }
        if (wordBefore >= 0 && wordBefore < tokens.size() - 1 && isWord(text.codePointAt(0))) {
            HtmlToken.Text before = (HtmlToken.Text) tokens.get(wordBefore);
            tokens.set(wordBefore, new HtmlToken.Text(before.text() + " "));
        }
        wordBefore = isWord(text.codePointBefore(text.length())) ? tokens.size() : -1;
        tokens.add(new HtmlToken.Text(text.toString()));
        text.setLength(0);
    }

    /** "^" or "_" before a superscript or subscript of one word, null for anything else. */
    private static @Nullable String index(Element element) {
        if (element.childNodeSize() != 1 || !(element.childNode(0) instanceof TextNode data)) {
            return null;
        }
        String mark = switch (element.normalName()) {
            case "sup" -> "^";
            case "sub" -> "_";
            default -> null;
        };
        boolean word = data.getWholeText().codePoints().allMatch(c -> isWord(c) || c == '-');
        return word && !data.getWholeText().isEmpty() ? mark : null;
    }

    /** Python's \\w. */
    private static boolean isWord(int c) {
        int type = Character.getType(c);
        return Character.isLetterOrDigit(c)
                || c == '_'
                || type == Character.LETTER_NUMBER
                || type == Character.OTHER_NUMBER;
    }
}
