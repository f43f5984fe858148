package dev.ossicle.tools.browser;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jsoup.Jsoup;
import org.jsoup.nodes.DataNode;
import org.jsoup.nodes.Document;
import org.jsoup.nodes.Element;
import org.jsoup.nodes.Node;
import org.jsoup.nodes.TextNode;
import org.jsoup.select.NodeVisitor;
import org.jspecify.annotations.Nullable;

/**
 * Makes HTML a {@link Page}, as gpt-oss's browser does: links become markers with an id, images placeholders with a number,
 * the rest light Markdown (https://github.com/openai/gpt-oss/blob/main/gpt_oss/tools/simple_browser/page_contents.py).
 * Its HTML parser is HTML5's, not libxml2's: broken markup may come out differently.
 */
final class PageReader {
    private static final String SPACE = "[\\s\\x1c-\\x1f\\x85\\p{Z}]";
    private static final Pattern SPACES = Pattern.compile(SPACE + "+");
    private static final Pattern BLANK_LINES = Pattern.compile("(?md)^" + SPACE + "+$");
    private static final Pattern LINE_ENDS = Pattern.compile("\n(" + SPACE + "*\n)+");

    private PageReader() {}

    /** @param title or null, to take the page's own */
    static Page read(String html, String url, @Nullable String title) {
        Document document = Jsoup.parse(replaceMarkers(html));
        document.traverse((node, depth) -> {
            if (node instanceof TextNode text) {
                text.text(replaceBrackets(text.getWholeText()));
            }
        });
        String finalTitle = title(document, url, title);
        Map<String, String> links = markLinks(document, url, base(document, url));
        markImages(document);
        document.select("math")
                .forEach(math -> math.replaceWith(new TextNode(""))); // removing takes time by its siblings
        String text = HtmlText.of(HtmlTokens.of(document));
        text = BLANK_LINES.matcher(text).replaceAll("");
        text = LINE_ENDS.matcher(text).replaceAll("\n\n");
        return new Page(url, finalTitle, "\nURL: " + url + "\n" + text, links, Map.of());
    }

    /** What means something to the model may not come from a page. */
    static String replaceMarkers(String html) {
        StringBuilder text = new StringBuilder(html.length());
        html.codePoints().filter(c -> c < 0x10000 || c > 0x1FFFF).forEach(text::appendCodePoint);
        return replaceBrackets(text.toString()).replace('\u25FC', '\u25FE').replace("\u200B", "");
    }

    /** Also of what an entity stood for, which gpt-oss's own browser lets pass: a page could write links that are not its own. */
    private static String replaceBrackets(String text) {
        return text.replace('\u3010', '\u3016').replace('\u3011', '\u3017');
    }

    private static String title(Document document, String url, @Nullable String given) {
        if (given != null && !given.isEmpty()) {
            return given;
        }
        Element title = document.selectFirst("title");
        return title != null ? title.wholeText() : url.isEmpty() ? "" : domainOrNothing(url);
    }

    /** What links are relative to; gpt-oss's own browser takes the page's URL always, which leads astray. */
    private static String base(Document document, String url) {
        Element base = document.selectFirst("base[href]");
        try {
            return base == null ? url : Urls.join(url, base.attr("href").strip());
        } catch (IllegalArgumentException e) {
            return url;
        }
    }

    private static Map<String, String> markLinks(Document document, String url, String base) {
        String pageDomain = domainOrNothing(url);
        Map<String, String> links = new LinkedHashMap<>();
        Map<String, String> ids = new HashMap<>();
        for (Element anchor : document.select("a[href]")) {
            String link = anchor.attr("href");
            String text = text(anchor).replace('\u2020', '\u2021');
            if (link.startsWith("mailto:") || link.startsWith("javascript:") || text.isEmpty()) {
                continue;
            }
            if (link.startsWith("#")) {
                anchor.replaceWith(new TextNode(text));
                continue;
            }
            String domain = "";
            try {
                link = Urls.join(base, link);
                domain = Urls.domain(link);
            } catch (IllegalArgumentException e) {
                // no link then
            }
            if (domain.isEmpty()) {
                continue;
            }
            link = link.replaceAll("arxiv.org", "ar5iv.org");
            String id = ids.computeIfAbsent(link, ignored -> Integer.toString(links.size()));
            links.put(id, link);
            String marker = "\u3010" + id + "\u2020" + text + (domain.equals(pageDomain) ? "" : "\u2020" + domain);
            anchor.replaceWith(new TextNode(marker + "\u3011"));
        }
        return links;
    }

    private static String domainOrNothing(String url) {
        try {
            return Urls.domain(url);
        } catch (IllegalArgumentException e) {
            return "";
        }
    }

    /** All text in an element, pieces joined by a space. */
    private static String text(Element element) {
        List<String> pieces = new ArrayList<>();
        NodeVisitor collect = (node, depth) -> {
            String piece = switch (node) {
                case TextNode data -> data.getWholeText();
                case DataNode data -> data.getWholeData();
                default -> "";
            };
            if (!piece.isEmpty()) {
                pieces.add(piece);
            }
        };
        element.traverse(collect);
        return SPACES.matcher(String.join(" ", pieces)).replaceAll(" ");
    }

    private static void markImages(Document document) {
        int number = 0;
        for (Element image : document.select("img")) {
            String name = image.hasAttr("alt") ? image.attr("alt") : image.attr("title");
            Node mark =
                    new TextNode("[Image " + number++ + (name.isEmpty() ? "]" : ": " + replaceBrackets(name) + "]"));
            image.replaceWith(mark);
        }
    }
}
