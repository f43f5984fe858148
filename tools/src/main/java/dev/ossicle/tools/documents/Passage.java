package dev.ossicle.tools.documents;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The piece of a text that tells most of what is looked for. */
final class Passage {
    private static final int LENGTH = 320;

    /** What stands before the first word is often the sentence's beginning. */
    private static final int BEFORE = 60;

    private Passage() {}

    /**
     * A word of the query in the text.
     *
     * @param weight the more, the rarer it is
     */
    record Match(int term, float weight, int start, int end) {}

    /** @param matches in the order of the text */
    static String of(String text, List<Match> matches) {
        Deque<Match> window = new ArrayDeque<>();
        Map<Integer, Integer> counts = new HashMap<>();
        float weight = 0;
        float best = 0;
        int from = 0;
        for (Match match : matches) {
            window.addLast(match);
            weight += weight(match, counts.merge(match.term, 1, Integer::sum));
            while (window.size() > 1 && match.end - window.getFirst().start > LENGTH - BEFORE) {
                Match gone = window.removeFirst();
                weight -= weight(gone, counts.merge(gone.term, -1, Integer::sum) + 1);
            }
            if (weight > best + 1e-4f) {
                best = weight;
                from = window.getFirst().start;
            }
        }
        return cut(text, matches.isEmpty() ? 0 : from);
    }

    /** A word that comes again tells little. */
    private static float weight(Match match, int time) {
        return match.weight / (time * time);
    }

    private static String cut(String text, int first) {
        int start = Math.max(0, first - BEFORE);
        for (int i = first; i > start; i--) {
            if (i >= 2
                    && Character.isWhitespace(text.charAt(i - 1))
                    && ".!?\n\u3002".indexOf(text.charAt(i - 2)) >= 0) {
                start = i; // a sentence begins here
            }
        }
        start = start == 0 ? 0 : atWord(text, start, first);
        int end = Math.min(text.length(), start + LENGTH);
        boolean ends = end == text.length();
        for (int i = end; !ends && i > end - BEFORE; i--) {
            if (Character.isWhitespace(text.charAt(i))) {
                end = i;
                ends = true;
            }
        }
        if (end < text.length() && end > 0 && Character.isHighSurrogate(text.charAt(end - 1))) {
            end--;
        }
        String cut = text.substring(start, end).strip().replaceAll("\\s+", " ");
        return (start > 0 ? "... " : "") + cut + (end < text.length() ? " ..." : "");
    }

    /** The next beginning of a word. */
    private static int atWord(String text, int start, int first) {
        for (int i = start; i < first; i++) {
            if (Character.isWhitespace(text.charAt(i - 1)) && !Character.isWhitespace(text.charAt(i))) {
                return i;
            }
        }
        return start > 0 && Character.isLowSurrogate(text.charAt(start)) ? start - 1 : start;
    }
}
