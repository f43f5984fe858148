package dev.ossicle.tools.browser;

import java.io.IOException;
import java.net.IDN;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Makes what pages and models write for a URL one that can be fetched, or says why it cannot. */
final class WebUrl {
    private static final Set<String> SCHEMES = Set.of("http", "https");
    private static final int LONGEST = 8192;
    private static final Pattern AUTHORITY =
            Pattern.compile("(\\[[0-9a-fA-F:.]+]|[^:\\[\\]@%/\\\\\\s]+)(?::([0-9]{0,5}))?");
    private static final Pattern HOST = Pattern.compile("\\[[0-9a-f:.]+]|[a-z0-9._-]+");
    private static final String PLAIN = "-._~!$&'()*+,;=:@/?";

    private WebUrl() {}

    /** @param ports that may be visited; -1 stands for the scheme's own */
    static URI of(String url, Set<Integer> ports) throws IOException {
        String text = url.strip();
        if (text.length() > LONGEST) {
            throw new IOException("the URL has more than " + LONGEST + " characters");
        }
        Urls.Parts parts;
        try {
            parts = Urls.Parts.of(text.contains("://") ? text : "https://" + text);
        } catch (IllegalArgumentException e) {
            throw new IOException("not a URL: " + url);
        }
        if (!SCHEMES.contains(parts.scheme())) {
            throw new IOException("only http and https are fetched, not " + parts.scheme());
        }
        Matcher authority = AUTHORITY.matcher(parts.authority());
        if (!authority.matches()) {
            throw new IOException("not a URL that can be fetched: " + url);
        }
        String host = host(authority.group(1), url);
        int port = port(authority.group(2));
        if (!ports.contains(port)) {
            throw new IOException("port " + port + " is not one of the web's");
        }
        String path = parts.path().isEmpty() ? "/" : parts.path();
        String query = parts.query().isEmpty() ? "" : "?" + quote(parts.query());
        return URI.create(parts.scheme() + "://" + host + (port < 0 ? "" : ":" + port) + quote(path) + query);
    }

    private static String host(String written, String url) throws IOException {
        try {
            String host = written.startsWith("[") ? written : IDN.toASCII(written);
            host = host.toLowerCase(Locale.ROOT);
            if (HOST.matcher(host).matches()) {
                return host;
            }
        } catch (IllegalArgumentException e) {
            // said below
        }
        throw new IOException("not a URL that can be fetched: " + url);
    }

    private static int port(String digits) {
        return digits == null || digits.isEmpty() ? -1 : Integer.parseInt(digits);
    }

    /** Quotes what may not stand in a URL; what is quoted already stays. */
    private static String quote(String text) {
        StringBuilder quoted = new StringBuilder();
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < bytes.length; i++) {
            int c = bytes[i] & 0xFF;
            boolean escape = c == '%' && i + 2 < bytes.length && isHex(bytes[i + 1]) && isHex(bytes[i + 2]);
            if (escape || c < 0x80 && (Character.isLetterOrDigit(c) || PLAIN.indexOf(c) >= 0)) {
                quoted.append((char) c);
            } else {
                quoted.append(String.format(Locale.ROOT, "%%%02X", c));
            }
        }
        return quoted.toString();
    }

    private static boolean isHex(byte c) {
        return Character.digit(c, 16) >= 0;
    }
}
