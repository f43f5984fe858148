package dev.ossicle.grammar;

import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * String formats as regular expressions: those that OpenAI's structured outputs name. Each is a part of what its standard
 * allows, so that every validator agrees: no leap seconds, upper case letters in times, plain addresses.
 */
final class Formats {
    private static final String LEAP_YEAR = "(([02468][048]|[13579][26])00|[0-9]{2}(0[48]|[2468][048]|[13579][26]))";
    private static final String DATE = "([0-9]{4}-((01|03|05|07|08|10|12)-(0[1-9]|[12][0-9]|3[01])"
            + "|(04|06|09|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|" + LEAP_YEAR + "-02-29)";
    private static final String TIME =
            "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?" + "(Z|[+-](0[0-9]|1[0-7]):[0-5][0-9])";

    /** RFC 3339, appendix A: units in order, without gaps. */
    private static final String DURATION_TIME =
            "T([0-9]{1,9}H([0-9]{1,9}M([0-9]{1,9}S)?)?" + "|[0-9]{1,9}M([0-9]{1,9}S)?|[0-9]{1,9}S)";

    private static final String DURATION = "P([0-9]{1,9}W|(([0-9]{1,9}Y([0-9]{1,9}M([0-9]{1,9}D)?)?"
            + "|[0-9]{1,9}M([0-9]{1,9}D)?|[0-9]{1,9}D)(" + DURATION_TIME + ")?|" + DURATION_TIME + "))";

    private static final String LABEL = "[A-Za-z0-9]{1,24}(-[A-Za-z0-9]{1,18}){0,2}";
    private static final String HOSTNAME = LABEL + "(\\." + LABEL + "){0,3}";
    private static final String ATOM = "[A-Za-z0-9_+-]{1,20}";
    private static final String EMAIL =
            ATOM + "(\\." + ATOM + "){0,2}@" + LABEL + "(\\." + LABEL + "){0,1}\\.[A-Za-z]{2,10}";
    private static final String OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    private static final String HEX = "[0-9A-Fa-f]";
    private static final String GROUP = HEX + "{1,4}";

    private static final Map<String, String> PATTERNS = Map.of(
            "date", DATE,
            "time", TIME,
            "date-time", DATE + "T" + TIME,
            "duration", DURATION,
            "hostname", HOSTNAME,
            "email", EMAIL,
            "ipv4", OCTET + "(\\." + OCTET + "){3}",
            "ipv6", ipv6(),
            "uuid", HEX + "{8}(-" + HEX + "{4}){3}-" + HEX + "{12}");

    private Formats() {}

    /** Eight groups, or fewer with {@code ::} in place of two or more. */
    private static String ipv6() {
        StringBuilder out = new StringBuilder("((" + GROUP + ":){7}" + GROUP);
        for (int before = 0; before <= 6; before++) {
            int after = 6 - before;
            out.append('|');
            out.append(before == 0 ? ":" : "(" + GROUP + ":){" + before + "}");
            out.append(":");
            if (after > 0) {
                out.append("(")
                        .append(GROUP)
                        .append("(:")
                        .append(GROUP)
                        .append("){0,")
                        .append(after - 1)
                        .append("})?");
            }
        }
        return out.append(')').toString();
    }

    /** The pattern of a whole text of the format; null if there is none of that name. */
    static @Nullable String pattern(String format) {
        return PATTERNS.get(format);
    }

    static String names() {
        return String.join(", ", new TreeSet<>(PATTERNS.keySet()));
    }
}
