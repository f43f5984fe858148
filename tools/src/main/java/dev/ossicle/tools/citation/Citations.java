package dev.ossicle.tools.citation;

import dev.ossicle.tools.Source;
import dev.ossicle.tools.ToolSession;
import dev.ossicle.tools.browser.Urls;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.IntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Puts links in place of the markers that the model cites with, such as {@code 【4†L10-L15】}, as the text comes: what may
 * become a marker is held back until it is one or cannot be. One answer's own; not thread-safe.
 */
public final class Citations {
    /** Digits, a dagger, text, and perhaps another dagger and text, in lenticular brackets. */
    private static final Pattern MARKER =
            Pattern.compile("\u3010([0-9]+)\u2020([^\u2020\u3011]+)(?:\u2020[^\u2020\u3011]+)?\u3011");

    /** Longer ones are text: a bracket that nobody closes must not hold back the rest of the answer. */
    private static final int LONGEST = 512;

    private final IntFunction<@Nullable Source> sources;
    private final StringBuilder held = new StringBuilder();

    /** @param sources where a cursor leads; null where it leads nowhere, and then its markers stay as they are */
    public Citations(IntFunction<@Nullable Source> sources) {
        this.sources = sources;
    }

    /** Of what the tools of a conversation showed. */
    public static Citations of(List<ToolSession> sessions) {
        List<ToolSession> all = List.copyOf(sessions);
        return new Citations(cursor -> all.stream()
                .map(session -> session.source(cursor))
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null));
    }

    /** What can be shown once this has come. */
    public List<CitedText> next(String delta) {
        held.append(delta);
        return take(false);
    }

    /** What was held back: the text is at an end. */
    public List<CitedText> end() {
        return take(true);
    }

    private List<CitedText> take(boolean last) {
        List<CitedText> pieces = new ArrayList<>();
        int from = 0; // of what is plain and not yet told
        int at = held.indexOf("\u3010");
        boolean waits = false;
        while (at >= 0 && !waits) {
            int most = Math.min(held.length(), at + LONGEST);
            Matcher matcher = MARKER.matcher(held).region(at, most);
            if (matcher.lookingAt()) {
                Source source = source(matcher.group(1));
                if (source != null) {
                    add(held.substring(from, at), null, pieces);
                    add(link(source), source, pieces);
                    from = matcher.end();
                }
                at = held.indexOf("\u3010", matcher.end());
            } else if (!last && matcher.hitEnd() && most < at + LONGEST) {
                waits = true;
            } else {
                at = held.indexOf("\u3010", at + 1);
            }
        }
        int to = waits ? at : held.length();
        add(held.substring(from, to), null, pieces);
        held.delete(0, to);
        return pieces;
    }

    private static void add(String text, @Nullable Source source, List<CitedText> pieces) {
        if (!text.isEmpty()) {
            pieces.add(new CitedText(text, source));
        }
    }

    private @Nullable Source source(String cursor) {
        try {
            return sources.apply(Integer.parseInt(cursor));
        } catch (NumberFormatException e) {
            return null; // no conversation has that many pages
        }
    }

    /** As gpt-oss's own server writes it: the page's host, and spaces around. */
    private static String link(Source source) {
        String[] parts = Urls.unquote(source.url()).split("/", -1);
        return " ([" + (parts.length > 2 ? parts[2] : parts[0]) + "](" + source.url() + ")) ";
    }
}
