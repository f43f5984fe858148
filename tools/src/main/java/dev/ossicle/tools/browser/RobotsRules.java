package dev.ossicle.tools.browser;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What a site's robots.txt allows one crawler to visit (RFC 9309): the rules of all groups that name it, else of those for
 * everyone; the longest that matches decides, and of two as long the one that allows.
 */
final class RobotsRules {
    static final RobotsRules ALL = new RobotsRules(List.of());
    static final RobotsRules NONE = new RobotsRules(List.of(new Rule("/", false)));

    private final List<Rule> rules;

    private record Rule(String path, boolean allows) {}

    private RobotsRules(List<Rule> rules) {
        this.rules = rules;
    }

    /** @param agent the crawler's name: letters, "-" and "_" */
    static RobotsRules parse(String text, String agent) {
        List<Rule> own = new ArrayList<>();
        List<Rule> everyones = new ArrayList<>();
        boolean isNamed = false;
        boolean forOwn = false;
        boolean forEveryone = false;
        boolean inNames = false;
        for (String line : text.split("\r\n|[\r\n]")) {
            String[] parts = line.replaceFirst("#.*", "").split(":", 2);
            if (parts.length < 2) {
                continue;
            }
            String key = parts[0].strip().toLowerCase(Locale.ROOT);
            String value = parts[1].strip();
            if (key.equals("user-agent")) {
                if (!inNames) {
                    forOwn = false;
                    forEveryone = false;
                }
                inNames = true;
                forEveryone |= value.equals("*");
                forOwn |= name(value).equalsIgnoreCase(agent);
                isNamed |= forOwn;
            } else if (key.equals("allow") || key.equals("disallow")) {
                inNames = false;
                if (!value.isEmpty()) {
                    Rule rule = new Rule(normal(value), key.equals("allow"));
                    if (forOwn) {
                        own.add(rule);
                    }
                    if (forEveryone) {
                        everyones.add(rule);
                    }
                }
            }
        }
        return new RobotsRules(isNamed ? own : everyones);
    }

    /** A crawler's name without its version. */
    private static String name(String value) {
        int end = 0;
        while (end < value.length()
                && (Character.isLetter(value.charAt(end)) || "-_".indexOf(value.charAt(end)) >= 0)) {
            end++;
        }
        return value.substring(0, end);
    }

    /** @param path with the query, as in a request */
    boolean allow(String path) throws InterruptedException {
        String wanted = normal(path);
        int longest = -1;
        boolean allowed = true;
        for (Rule rule : rules) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            int length = rule.path.length();
            if ((length > longest || length == longest && rule.allows) && matches(rule.path, wanted)) {
                longest = length;
                allowed = rule.allows;
            }
        }
        return allowed;
    }

    /** Whether a path begins as the pattern says; "*" stands for anything, "$" at the end for the path's end. */
    static boolean matches(String rule, String path) {
        boolean toEnd = rule.endsWith("$");
        String pattern = toEnd ? rule.substring(0, rule.length() - 1) : rule + "*";
        int at = 0;
        int star = -1;
        int from = 0;
        int i = 0;
        while (i < path.length()) {
            if (at < pattern.length() && pattern.charAt(at) == '*') {
                star = at++;
                from = i;
            } else if (at < pattern.length() && pattern.charAt(at) == path.charAt(i)) {
                at++;
                i++;
            } else if (star >= 0) {
                at = star + 1;
                i = ++from;
            } else {
                return false;
            }
        }
        while (at < pattern.length() && pattern.charAt(at) == '*') {
            at++;
        }
        return at == pattern.length();
    }

    /** One way to write each path: bytes that are no ASCII quoted, letters and digits that are quoted plain. */
    private static String normal(String path) {
        StringBuilder normal = new StringBuilder();
        byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < bytes.length; i++) {
            int c = bytes[i] & 0xFF;
            int escaped = c == '%' && i + 2 < bytes.length
                    ? Character.digit(bytes[i + 1], 16) << 4 | Character.digit(bytes[i + 2], 16)
                    : -1;
            if (escaped >= 0) {
                i += 2;
                c = escaped;
            }
            boolean plain =
                    c > 0x20 && c < 0x7F && (escaped < 0 || Character.isLetterOrDigit(c) || "-._~".indexOf(c) >= 0);
            normal.append(plain ? Character.toString(c) : String.format(Locale.ROOT, "%%%02X", c));
        }
        return normal.toString();
    }
}
