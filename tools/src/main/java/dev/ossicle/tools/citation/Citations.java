package dev.ossicle.tools.citation;

import dev.ossicle.tools.Source;
import dev.ossicle.tools.browser.Urls;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Puts links in place of the markers that the model cites with, such as {@code 【4†L10-L15】} or {@code 【4†source】}, as the text
 * comes: what may become a marker is held back until it is one or cannot be. One answer's own; not thread-safe.
 */
public final class Citations {
    private static final Pattern MARKER =
            Pattern.compile("\u3010([0-9]+)\u2020([^\u2020\u3011]+)(?:\u2020[^\u2020\u3011]+)?\u3011");

    /** Longer ones are text: a bracket that nobody closes must not hold back the rest of the answer. */
    private static final int LONGEST = 512;

    private final IntFunction<@Nullable Source> sources;
    private final StringBuilder held = new StringBuilder();
    private int written;

    /** @param sources where a cursor leads, or null: then its markers stay as they are */
    public Citations(IntFunction<@Nullable Source> sources) {
        this.sources = sources;
    }

    /** A whole text. */
    public static CitedText resolve(String text, IntFunction<@Nullable Source> sources) {
        return new Citations(sources).take(text, true);
    }

    /** What can be shown once this has come; places are those in all that was shown. */
    public CitedText next(String delta) {
        return take(delta, false);
    }

    /** What was held back. */
    public CitedText end() {
        return take("", true);
    }

    private CitedText take(String delta, boolean last) {
        held.append(delta);
        StringBuilder text = new StringBuilder();
        List<Citation> citations = new ArrayList<>();
        Matcher matcher = MARKER.matcher(held);
        int done = 0;
        while (done < held.length()) {
            int begin = held.indexOf("\u3010", done);
            if (begin < 0) {
                // half a character would count as a whole one
                boolean half = !last && Character.isHighSurrogate(held.charAt(held.length() - 1));
                begin = half ? held.length() - 1 : held.length();
            }
            write(held.substring(done, begin), text);
            done = begin;
            if (done == held.length() || held.charAt(done) != '\u3010') {
                break;
            }
            boolean all = held.length() - done <= LONGEST;
            boolean found =
                    matcher.region(done, all ? held.length() : done + LONGEST).lookingAt();
            if (!found && matcher.hitEnd() && held.length() - done < LONGEST && !last) {
                break;
            }
            Source source = found ? source(matcher.group(1)) : null;
            if (source == null) {
                int end = found ? matcher.end() : done + 1;
                write(held.substring(done, end), text);
                done = end;
                continue;
            }
            int start = written;
            String domain = domain(source.url());
            write(" ([" + domain + "](" + source.url() + ")) ", text);
            citations.add(new Citation(source, domain, start, written));
            done = matcher.end();
        }
        held.delete(0, done);
        return new CitedText(text.toString(), citations);
    }

    private void write(String piece, StringBuilder text) {
        written += piece.codePointCount(0, piece.length());
        text.append(piece);
    }

    private @Nullable Source source(String cursor) {
        try {
            return sources.apply(Integer.parseInt(cursor));
        } catch (NumberFormatException e) {
            return null; // no conversation has that many pages
        }
    }

    /** What stands after the scheme, as it reads. */
    static String domain(String url) {
        String[] parts = Urls.unquote(url).split("/", -1);
        return parts.length > 2 ? parts[2] : parts[0];
    }
}
