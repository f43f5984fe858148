package dev.ossicle.tools.browser;

import dev.ossicle.harmony.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;

/** What of a page is shown at once. */
final class Window {
    private static final int TOKENS = 1024;
    private static final int MAX_URL = 1024;

    /** Code points of the longest token of o200k_base. */
    static final int LONGEST_TOKEN = 128;

    private Window() {}

    /** The page from a line on, as the model is told; the line must be one of the page's. */
    static String show(int cursor, Page page, List<String> lines, int from, int count) {
        long wanted = count > 0 ? count : fitting(lines, from);
        int end = (int) Math.min(from + wanted, lines.size());
        String url = Urls.unquote(page.url());
        url = url.codePointCount(0, url.length()) > MAX_URL
                ? url.substring(0, url.offsetByCodePoints(0, MAX_URL - 3)) + "..."
                : url;
        return "[" + cursor + "] " + page.title() + (url.isEmpty() ? "" : " (" + url + ")") + "\n**viewing lines ["
                + from + " - " + (end - 1) + "] of " + (lines.size() - 1) + "**\n\n"
                + String.join("\n", numbered(lines, from, end));
    }

    private static List<String> numbered(List<String> lines, int from, int end) {
        return IntStream.range(from, end)
                .mapToObj(i -> "L" + i + ": " + lines.get(i))
                .toList();
    }

    /** How many lines make up the window's tokens. */
    private static int fitting(List<String> lines, int from) {
        String text = String.join("\n", numbered(lines, from, lines.size()));
        int length = text.codePointCount(0, text.length());
        if (length <= TOKENS) {
            return lines.size();
        }
        Tokenizer tokenizer = Tokenizer.o200kHarmony();
        String head = text.substring(0, text.offsetByCodePoints(0, Math.min(length, (TOKENS + 1) * LONGEST_TOKEN)));
        int[] tokens = tokenizer.encodeOrdinary(head);
        if (tokens.length <= TOKENS) {
            return lines.size();
        }
        int end = 0;
        for (int i = 0; i < TOKENS; i++) {
            String token = new String(tokenizer.tokenBytes(tokens[i]), StandardCharsets.UTF_8);
            end += token.codePointCount(0, token.length());
        }
        String shown =
                head.substring(0, head.offsetByCodePoints(0, Math.min(end, head.codePointCount(0, head.length()))));
        return (int) shown.chars().filter(c -> c == '\n').count() + 1;
    }
}
