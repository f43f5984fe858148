package dev.ossicle.server.http;

import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.jspecify.annotations.Nullable;

/**
 * Who may ask. A server on a desk is reached by every page that its owner's browser shows: a page may point a name of its own
 * at this machine (DNS rebinding), and may send some requests without asking. So the name that the request was sent to must be
 * one of ours, and a page must be from here or from where the owner says.
 */
public final class Guard {
    private static final Pattern ADDRESS = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}|\\[[0-9a-fA-F:.]+]");

    private final Set<String> hosts = new HashSet<>();
    private final Set<String> origins;
    private final List<byte[]> keys;

    /**
     * @param hosts names that the server is known by, beside those of every machine
     * @param origins of pages that may ask, such as {@code https://chat.example.org}; {@code *} for all
     * @param keys any of which a client must have; empty for none
     */
    public Guard(List<String> hosts, List<String> origins, List<String> keys) {
        this.hosts.addAll(List.of("localhost", "host.docker.internal"));
        hosts.forEach(host -> this.hosts.add(host.toLowerCase(Locale.ROOT)));
        try {
            this.hosts.add(InetAddress.getLocalHost().getHostName().toLowerCase(Locale.ROOT));
        } catch (UnknownHostException e) {
            // a machine without a name
        }
        this.origins = Set.copyOf(origins);
        this.keys =
                keys.stream().map(key -> key.getBytes(StandardCharsets.UTF_8)).toList();
    }

    /** @throws ApiException if the request is not to be looked at */
    void checkOrigin(Request request) {
        String host = hostName(request.getHeaders().get(HttpHeader.HOST));
        if (host != null && !isOurs(host)) {
            throw ApiException.forbidden("this server is not known as \"" + host
                    + "\": if it should be, start it with --allow-host " + host);
        }
        String origin = request.getHeaders().get(HttpHeader.ORIGIN);
        if (origin != null && !isAllowed(origin) && !isSame(origin, request)) {
            throw ApiException.forbidden("pages of " + origin
                    + " may not use this server: if they should, start it with" + " --cors " + origin);
        }
    }

    /** @throws ApiException if the request brings none of the keys */
    void checkKey(Request request) {
        if (keys.isEmpty()) {
            return;
        }
        String bearer = request.getHeaders().get(HttpHeader.AUTHORIZATION);
        String key = bearer != null && bearer.regionMatches(true, 0, "Bearer ", 0, 7)
                ? bearer.substring(7).strip()
                : request.getHeaders().get("x-api-key");
        if (key == null) {
            throw ApiException.unauthorized("this server needs a key: send \"Authorization: Bearer KEY\"");
        }
        byte[] given = key.getBytes(StandardCharsets.UTF_8);
        boolean known = false;
        for (byte[] each : keys) {
            known |= MessageDigest.isEqual(each, given); // all of them, in the same time whatever is given
        }
        if (!known) {
            throw ApiException.unauthorized("the key is not one of this server's");
        }
    }

    /** Lets a page of an allowed origin read the response; says whether the request was only the question for that. */
    boolean answerPreflight(Request request, Response response) {
        String origin = request.getHeaders().get(HttpHeader.ORIGIN);
        if (origin == null || !isAllowed(origin)) {
            return false;
        }
        response.getHeaders().put(HttpHeader.ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        response.getHeaders().add(HttpHeader.VARY, "Origin");
        response.getHeaders().put("Access-Control-Expose-Headers", "x-request-id, x-ossicle-ignored, retry-after");
        if (!request.getMethod().equals("OPTIONS")) {
            return false;
        }
        response.getHeaders().put("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS");
        String asked = request.getHeaders().get("Access-Control-Request-Headers");
        response.getHeaders()
                .put("Access-Control-Allow-Headers", asked == null ? "authorization, content-type" : asked);
        response.getHeaders().put("Access-Control-Max-Age", "600");
        response.setStatus(204);
        return true;
    }

    private boolean isAllowed(String origin) {
        return origins.contains("*") || origins.contains(origin);
    }

    private static boolean isSame(String origin, Request request) {
        try {
            URI uri = URI.create(origin);
            return uri.getAuthority() != null
                    && uri.getAuthority().equalsIgnoreCase(request.getHeaders().get(HttpHeader.HOST));
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** Addresses cannot be rebound; names can. */
    private boolean isOurs(String host) {
        return hosts.contains(host)
                || host.endsWith(".localhost")
                || ADDRESS.matcher(host).matches()
                || hosts.contains("*");
    }

    /** Without the port, in lower case; null if there is none. */
    private static @Nullable String hostName(@Nullable String header) {
        if (header == null) {
            return null;
        }
        String name = header.strip().toLowerCase(Locale.ROOT);
        int colon = name.lastIndexOf(':');
        return colon > name.lastIndexOf(']') ? name.substring(0, colon) : name;
    }

    /** Whether an address as sockets have it is this machine's own. */
    public static boolean isLoopback(String address) {
        String plain = address.replaceAll("[\\[\\]]", "");
        return plain.startsWith("127.")
                || plain.equals("::1")
                || plain.equals("0:0:0:0:0:0:0:1")
                || plain.startsWith("::ffff:127.")
                || plain.equals("localhost");
    }
}
