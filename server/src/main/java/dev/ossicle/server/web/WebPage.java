package dev.ossicle.server.web;

import dev.ossicle.server.http.ApiException;
import dev.ossicle.server.http.Exchange;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The page at {@code /}, and the files below {@code /web/} that it is made of. */
public final class WebPage {
    /** For those who ask whether a server is here, as Ollama's clients do. */
    private static final String RUNNING = "Ossicle is running\n";

    /**
     * Nothing runs that is not a file of ours, nothing is fetched from elsewhere, and no text can become HTML: a model's words
     * are harmless whatever they are.
     */
    private static final String POLICY = String.join(
            "; ",
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'");

    private static final Pattern NAME = Pattern.compile("(?:[a-z0-9-]+/)*[a-z0-9-]+\\.(js|css|svg)");
    private static final Map<String, String> TYPES = Map.of(
            "js", "text/javascript; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "svg", "image/svg+xml");

    /** @param tag of its content: what has the same is the same */
    private record StaticFile(String type, String content, String tag) {}

    private final Map<String, StaticFile> files = new ConcurrentHashMap<>();

    /** The page for a browser, a line of text for anybody else. */
    public void page(Exchange exchange) throws IOException {
        exchange.setHeader("vary", "Accept");
        String accept = exchange.header("accept");
        if (accept == null || !accept.contains("text/html")) {
            exchange.send(200, "text/plain; charset=utf-8", RUNNING);
            return;
        }
        exchange.setHeader("content-security-policy", POLICY);
        exchange.setHeader("cross-origin-opener-policy", "same-origin");
        exchange.setHeader("referrer-policy", "no-referrer");
        send(exchange, file("index.html", "text/html; charset=utf-8"));
    }

    /** One of its files. */
    public void file(Exchange exchange) throws IOException {
        String name = exchange.pathParameter("file");
        Matcher matcher = NAME.matcher(name);
        String type = matcher.matches() ? TYPES.get(matcher.group(1)) : null;
        StaticFile file = type == null ? null : file(name, type);
        if (file == null) {
            throw ApiException.notFound(null, "unknown_url", "the page has no file /web/" + name);
        }
        send(exchange, file);
    }

    private static void send(Exchange exchange, @Nullable StaticFile file) throws IOException {
        if (file == null) {
            throw ApiException.serverError("this build has no page");
        }
        exchange.setHeader("x-content-type-options", "nosniff");
        exchange.setHeader("etag", file.tag);
        exchange.setHeader("cache-control", "no-cache"); // that is: kept, and asked for again
        String known = exchange.header("if-none-match");
        if (known != null && Arrays.asList(known.split("\\s*,\\s*")).contains(file.tag)) {
            exchange.send(304, file.type, "");
            return;
        }
        exchange.send(200, file.type, file.content);
    }

    private @Nullable StaticFile file(String name, String type) throws IOException {
        StaticFile known = files.get(name);
        if (known != null) {
            return known;
        }
        try (InputStream in = WebPage.class.getResourceAsStream(name)) {
            if (in == null) {
                return null;
            }
            byte[] bytes = in.readAllBytes();
            StaticFile read = new StaticFile(type, new String(bytes, StandardCharsets.UTF_8), tag(bytes));
            files.put(name, read);
            return read;
        }
    }

    private static String tag(byte[] content) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(content);
            return '"' + HexFormat.of().formatHex(digest, 0, 16) + '"';
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
