package dev.ossicle.tools.browser;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** URLs as Python's urllib.parse takes them apart: any text is one, only brackets can be wrong. */
public final class Urls {
    private static final Set<String> RELATIVE = Set.of("", "http", "https", "ftp", "file", "sftp", "ws", "wss", "rtsp");

    private Urls() {}

    /** The five parts; scheme in lower case, absent ones empty. */
    record Parts(String scheme, String authority, String path, String query, String fragment) {
        static Parts of(String url) {
            String rest = url.replaceAll("^[\\x00-\\x20]+|[\t\r\n]", "");
            String scheme = "";
            int colon = rest.indexOf(':');
            if (colon > 0 && rest.substring(0, colon).matches("[a-zA-Z][a-zA-Z0-9+.-]*")) {
                scheme = rest.substring(0, colon).toLowerCase(Locale.ROOT);
                rest = rest.substring(colon + 1);
            }
            String authority = "";
            if (rest.startsWith("//")) {
                int end = 2;
                while (end < rest.length() && "/?#".indexOf(rest.charAt(end)) < 0) {
                    end++;
                }
                authority = rest.substring(2, end);
                rest = rest.substring(end);
                if (authority.contains("[") != authority.contains("]")) {
                    throw new IllegalArgumentException("Invalid IPv6 URL");
                }
            }
            int hash = rest.indexOf('#');
            String fragment = hash < 0 ? "" : rest.substring(hash + 1);
            rest = hash < 0 ? rest : rest.substring(0, hash);
            int mark = rest.indexOf('?');
            String query = mark < 0 ? "" : rest.substring(mark + 1);
            return new Parts(scheme, authority, mark < 0 ? rest : rest.substring(0, mark), query, fragment);
        }

        @Override
        public String toString() {
            String rooted = !authority.isEmpty() && !path.isEmpty() && !path.startsWith("/") ? "/" + path : path;
            return (scheme.isEmpty() ? "" : scheme + ":")
                    + (authority.isEmpty() ? "" : "//" + authority)
                    + rooted
                    + (query.isEmpty() ? "" : "?" + query)
                    + (fragment.isEmpty() ? "" : "#" + fragment);
        }
    }

    /** Host and port, whether or not a scheme stands before them. */
    public static String domain(String url) {
        return Parts.of(url.contains("http") ? url : "http://" + url).authority();
    }

    /** Where a link on a page leads. */
    static String join(String base, String link) {
        if (base.isEmpty() || link.isEmpty()) {
            return base.isEmpty() ? link : base;
        }
        Parts from = Parts.of(base);
        Parts to = Parts.of(link);
        String scheme = to.scheme().isEmpty() ? from.scheme() : to.scheme();
        if (!scheme.equals(from.scheme()) || !RELATIVE.contains(scheme)) {
            return link;
        }
        if (!to.authority().isEmpty()) {
            return new Parts(scheme, to.authority(), to.path(), to.query(), to.fragment()).toString();
        }
        if (to.path().isEmpty()) {
            String query = to.query().isEmpty() ? from.query() : to.query();
            return new Parts(scheme, from.authority(), from.path(), query, to.fragment()).toString();
        }
        return new Parts(scheme, from.authority(), path(from.path(), to.path()), to.query(), to.fragment()).toString();
    }

    private static String path(String base, String link) {
        List<String> segments = new ArrayList<>();
        if (!link.startsWith("/")) {
            segments.addAll(List.of(base.split("/", -1)));
            segments.removeLast();
        }
        segments.addAll(List.of(link.split("/", -1)));
        if (segments.size() > 2) {
            List<String> inner = segments.subList(1, segments.size() - 1);
            inner.removeIf(String::isEmpty);
        }
        List<String> resolved = new ArrayList<>();
        for (String segment : segments) {
            if (segment.equals("..")) {
                if (!resolved.isEmpty()) {
                    resolved.removeLast();
                }
            } else if (!segment.equals(".")) {
                resolved.add(segment);
            }
        }
        if (segments.getLast().equals(".") || segments.getLast().equals("..")) {
            resolved.add("");
        }
        String path = String.join("/", resolved);
        return path.isEmpty() ? "/" : path;
    }

    /** {@code urllib.parse.quote}. */
    public static String quote(String text) {
        StringBuilder quoted = new StringBuilder();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xFF);
            if (c < 128 && (Character.isLetterOrDigit(c) || "_.-~/".indexOf(c) >= 0)) {
                quoted.append(c);
            } else {
                quoted.append(String.format(Locale.ROOT, "%%%02X", (int) c));
            }
        }
        return quoted.toString();
    }

    /** {@code urllib.parse.unquote}: what is no escape stays, what is no UTF-8 is replaced. */
    public static String unquote(String text) {
        ByteBuffer bytes = ByteBuffer.allocate(text.length());
        StringBuilder plain = new StringBuilder();
        int i = 0;
        while (i < text.length()) {
            if (text.startsWith("%", i)
                    && i + 2 < text.length()
                    && text.substring(i + 1, i + 3).matches("[0-9a-fA-F]{2}")) {
                bytes.put((byte) Integer.parseInt(text, i + 1, i + 3, 16));
                i += 3;
                continue;
            }
            flush(bytes, plain);
            plain.append(text.charAt(i++));
        }
        flush(bytes, plain);
        return plain.toString();
    }

    private static void flush(ByteBuffer bytes, StringBuilder plain) {
        plain.append(StandardCharsets.UTF_8.decode(bytes.flip()));
        bytes.clear();
    }
}
