package dev.ossicle.tools.browser;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/** The page that tells where a text stands in another page. */
final class Finds {
    private static final int MOST = 50;
    private static final int LINES = 4;
    private static final Pattern LINK =
            Pattern.compile("\u3010\\d+\u2020([^\u2020\u3011]+)(?:\u2020[^\u3011]*)?\u3011");

    private Finds() {}

    static Page in(Page page, List<String> lines, String pattern) {
        String wanted = pattern.toLowerCase(Locale.ROOT);
        List<String> chunks = new ArrayList<>();
        Map<String, Page.Snippet> snippets = new LinkedHashMap<>();
        for (int i = 0; i < lines.size() && chunks.size() < MOST; i++) {
            if (!plain(lines.get(i)).contains(wanted)) {
                continue;
            }
            String text = String.join("\n", lines.subList(i, Math.min(i + LINES, lines.size())));
            String id = Integer.toString(chunks.size());
            String title = "#" + id;
            chunks.add("# \u3010" + id + "\u2020match at L" + i + "\u3011\n" + text);
            snippets.put(id, new Page.Snippet(page.url(), text, title, i));
            i += LINES - 1;
        }
        String text =
                chunks.isEmpty() ? "No `find` results for pattern: `" + wanted + "`" : String.join("\n\n", chunks);
        Map<String, String> links = new LinkedHashMap<>();
        snippets.keySet().forEach(id -> links.put(id, page.url()));
        return new Page(
                page.url() + "/find?pattern=" + Urls.quote(wanted),
                "Find results for text: `" + wanted + "` in `" + page.title() + "`",
                text,
                links,
                snippets);
    }

    private static String plain(String line) {
        return LINK.matcher(line).replaceAll("$1").toLowerCase(Locale.ROOT);
    }
}
