package dev.ossicle.server.answer;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Ends a text before any of some stop texts, which may come in pieces. */
final class StopFilter {
    private final List<String> stops;
    /** What may be the beginning of a stop text. */
    private String held = "";

    private @Nullable String stopped;

    StopFilter(List<String> stops) {
        this.stops = stops;
    }

    /** What of all the text so far can be handed on now. */
    String add(String text) {
        if (stopped != null) {
            return "";
        }
        String all = held + text;
        int end = -1;
        String which = null;
        for (String stop : stops) {
            int at = all.indexOf(stop);
            if (at >= 0 && (end < 0 || at < end)) {
                end = at;
                which = stop;
            }
        }
        if (end >= 0) {
            stopped = which;
            held = "";
            return all.substring(0, end);
        }
        int keep = 0;
        for (String stop : stops) {
            for (int length = Math.min(stop.length() - 1, all.length()); length > keep; length--) {
                if (all.regionMatches(all.length() - length, stop, 0, length)) {
                    keep = length;
                }
            }
        }
        held = all.substring(all.length() - keep);
        return all.substring(0, all.length() - keep);
    }

    boolean isStopped() {
        return stopped != null;
    }

    /** Which one came; null if none did. */
    @Nullable
    String stopText() {
        return stopped;
    }

    /** What was held back and turned out to be text. */
    String rest() {
        String rest = stopped != null ? "" : held;
        held = "";
        return rest;
    }
}
