package dev.ossicle.tools.documents;

import dev.ossicle.tools.Encoding;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jsoup.Jsoup;
import org.jsoup.nodes.Document;
import org.jsoup.nodes.Element;

/**
 * A file as text.
 *
 * @param file its name without folders
 * @param source as it stands in the file
 */
record DocumentText(String file, String source, boolean html) {
    private static final int LONGEST_TITLE = 200;
    private static final Pattern HEADING = Pattern.compile("(?m)^#{1,6}[ \t]+(\\S.*)$");
    private static final Pattern UNDERLINED = Pattern.compile("\\A\\s*(?:[=~#*-]{3,}\\R)?(\\S.*)\\R([=~#*-])\\2{2,}");
    private static final Pattern HTML =
            Pattern.compile("(?is)\\A\\s*(?:<!--.*?-->\\s*)*<(?:!doctype html|html|head|body)\\b");

    /** What is searched. */
    record Contents(String title, String words) {}

    /** @return nothing if the bytes are no text */
    static Optional<DocumentText> of(String name, byte[] bytes) {
        return Encoding.decode(bytes, null).map(text -> {
            String file = name.substring(name.lastIndexOf('/') + 1);
            boolean html = switch (extension(file)) {
                case "html", "htm", "xhtml" -> true;
                case "md", "markdown", "txt", "rst", "json", "csv" -> false;
                default ->
                    HTML.matcher(text.substring(0, Math.min(text.length(), 1024)))
                            .lookingAt();
            };
            return new DocumentText(file, text, html);
        });
    }

    private static String extension(String file) {
        return file.substring(file.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    }

    Contents contents() {
        if (html) {
            Document document = Jsoup.parse(source);
            Element heading = document.selectFirst("h1");
            String title = document.title().isBlank() && heading != null ? heading.text() : document.title();
            return new Contents(titleOr(title), document.body().text());
        }
        return switch (extension(file)) {
            case "md", "markdown" -> new Contents(titleOr(first(HEADING)), source);
            case "rst", "txt" -> new Contents(titleOr(first(UNDERLINED)), source);
            default -> new Contents(file, source);
        };
    }

    private String titleOr(String found) {
        String title = found.strip();
        title = title.codePointCount(0, title.length()) > LONGEST_TITLE
                ? title.substring(0, title.offsetByCodePoints(0, LONGEST_TITLE))
                : title;
        return title.isEmpty() ? file : title;
    }

    private String first(Pattern pattern) {
        Matcher matcher = pattern.matcher(source);
        if (!matcher.find()) {
            return "";
        }
        String heading = matcher.group(1).stripTrailing();
        int end = heading.length();
        while (end > 0 && heading.charAt(end - 1) == '#') {
            end--;
        }
        return heading.substring(0, end);
    }
}
