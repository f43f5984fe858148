package dev.ossicle.models.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CancellationException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hc.client5.http.auth.AuthScope;
import org.apache.hc.client5.http.auth.UsernamePasswordCredentials;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.auth.BasicCredentialsProvider;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.impl.routing.DefaultRoutePlanner;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/** Asks the hub. Follows redirects itself: the token goes to the endpoint and to nobody else. Thread-safe. */
final class HubClient implements AutoCloseable {
    private static final int MOST_REDIRECTS = 6;
    private static final int LARGEST_ANSWER = 64 << 20;
    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d{1,18})-(\\d{1,18})/(\\d{1,18}|\\*)");

    /** Takes what came of a file, in pieces. */
    @FunctionalInterface
    interface Sink {
        /** @return false when it has enough */
        boolean accept(byte[] bytes, int length) throws IOException;
    }

    private final HubOptions options;
    private final CloseableHttpClient http;

    HubClient(HubOptions options) {
        this.options = options;
        Timeout patience = Timeout.ofMilliseconds(options.patience().toMillis());
        BasicCredentialsProvider credentials = new BasicCredentialsProvider();
        addCredentials(credentials, options.httpProxy());
        addCredentials(credentials, options.httpsProxy());
        this.http = HttpClients.custom()
                .setConnectionManager(PoolingHttpClientConnectionManagerBuilder.create()
                        .setMaxConnTotal(2 * options.connections())
                        .setMaxConnPerRoute(options.connections())
                        .setDefaultConnectionConfig(ConnectionConfig.custom()
                                .setConnectTimeout(patience)
                                .setSocketTimeout(patience)
                                .build())
                        .build())
                .setDefaultRequestConfig(RequestConfig.custom()
                        .setResponseTimeout(patience)
                        .setRedirectsEnabled(false)
                        .build())
                .setRoutePlanner(new DefaultRoutePlanner(null) {
                    @Override
                    protected @Nullable HttpHost determineProxy(HttpHost target, HttpContext context) {
                        URI proxy = options.proxyFor(target.getSchemeName(), target.getHostName());
                        return proxy == null ? null : host(proxy);
                    }
                })
                .setDefaultCredentialsProvider(credentials)
                .disableContentCompression() // ranges count the bytes that are sent
                .disableAutomaticRetries()
                .disableCookieManagement()
                .setUserAgent("ossicle")
                .build();
    }

    private static HttpHost host(URI uri) {
        return new HttpHost(uri.getScheme(), uri.getHost(), uri.getPort());
    }

    private static void addCredentials(BasicCredentialsProvider credentials, @Nullable URI proxy) {
        if (proxy != null && proxy.getUserInfo() != null) {
            String[] parts = proxy.getUserInfo().split(":", 2);
            credentials.setCredentials(
                    new AuthScope(host(proxy)),
                    new UsernamePasswordCredentials(parts[0], (parts.length == 2 ? parts[1] : "").toCharArray()));
        }
    }

    /** What a repository holds. */
    Repository repository(String name, String revision) throws IOException {
        URI uri = URI.create(options.endpoint() + "/api/models/" + name + "/revision/" + revision + "?blobs=true");
        try (ClassicHttpResponse response = open(uri, name, null)) {
            HttpEntity entity = response.getEntity();
            byte[] bytes = entity == null ? new byte[0] : entity.getContent().readNBytes(LARGEST_ANSWER + 1);
            if (bytes.length > LARGEST_ANSWER) {
                throw new PullException("the host's description of " + name + " has no end");
            }
            return Repository.of(name, new String(bytes, StandardCharsets.UTF_8));
        }
    }

    /**
     * Gets bytes of a file from {@code from} to {@code to - 1}, or fewer if the connection breaks, which is an exception.
     *
     * @throws PullException if the host answers something that is not these bytes
     */
    void read(Repository repository, RemoteFile file, long from, long to, Sink sink) throws IOException {
        URI uri = URI.create(
                options.endpoint() + "/" + repository.name() + "/resolve/" + repository.revision() + "/" + file.path());
        boolean whole = from == 0 && to == file.size();
        String what = repository.name() + "/" + file.path();
        try (ClassicHttpResponse response = open(uri, what, whole ? null : "bytes=" + from + "-" + (to - 1))) {
            boolean isPart = response.getCode() == 206;
            if (!whole && !isPart && from != 0) {
                throw new PullException(options.endpoint() + " ignores the range that was asked of " + what
                        + ": a download cannot go on where it stopped");
            }
            if (isPart) {
                checkRange(response, what, from, to, file.size());
            }
            HttpEntity entity = response.getEntity();
            if (entity == null) {
                throw new IOException("an answer without content");
            }
            InputStream content = entity.getContent();
            byte[] buffer = new byte[1 << 16];
            long at = from;
            while (at < to) {
                int length = content.read(buffer, 0, (int) Math.min(buffer.length, to - at));
                if (length < 0) {
                    throw new IOException("the connection ended early");
                }
                if (!sink.accept(buffer, length)) {
                    return;
                }
                at += length;
            }
        }
    }

    private static void checkRange(ClassicHttpResponse response, String what, long from, long to, long size) {
        Header header = response.getFirstHeader("Content-Range");
        Matcher range = CONTENT_RANGE.matcher(header == null ? "" : header.getValue());
        // The end may be earlier: then the rest is asked for again.
        if (!range.matches()
                || Long.parseLong(range.group(1)) != from
                || Long.parseLong(range.group(2)) >= to
                || (!range.group(3).equals("*") && Long.parseLong(range.group(3)) != size)) {
            throw new PullException("the host answers with the bytes \"" + (header == null ? "" : header.getValue())
                    + "\" of " + what + ", asked were " + from + " to " + (to - 1) + " of " + size);
        }
    }

    /** A successful answer, which is the caller's to close. */
    private ClassicHttpResponse open(URI start, String what, @Nullable String range) throws IOException {
        URI uri = start;
        for (int hop = 0; hop <= MOST_REDIRECTS; hop++) {
            HttpGet get = new HttpGet(uri);
            boolean isEndpoint = isSameOrigin(uri, options.endpoint());
            if (isEndpoint && options.token() != null) {
                get.setHeader("Authorization", "Bearer " + options.token());
            }
            if (range != null) {
                get.setHeader("Range", range);
            }
            ClassicHttpResponse response = execute(uri, get);
            boolean keep = false;
            try {
                int code = response.getCode();
                if (code == 200 || code == 206) {
                    keep = true;
                    return response;
                }
                if (code != 301 && code != 302 && code != 303 && code != 307 && code != 308) {
                    throw refusal(response, uri, what, isEndpoint);
                }
                uri = target(response, uri, what);
            } finally {
                if (!keep) {
                    response.close();
                }
            }
        }
        throw new PullException(options.endpoint() + " sends " + what + " around in circles");
    }

    private ClassicHttpResponse execute(URI uri, HttpGet get) throws IOException {
        try {
            return http.executeOpen(host(uri), get, null);
        } catch (CancellationException e) { // how the pool of connections says that the thread was interrupted
            throw new InterruptedIOException();
        }
    }

    private static URI target(ClassicHttpResponse response, URI from, String what) {
        Header location = response.getFirstHeader("Location");
        URI to = null;
        try {
            to = location == null ? null : from.resolve(new URI(location.getValue()));
        } catch (URISyntaxException | IllegalArgumentException e) {
            // said below
        }
        boolean isWeb =
                to != null && to.getHost() != null && ("https".equals(to.getScheme()) || "http".equals(to.getScheme()));
        if (to == null || !isWeb) {
            throw new PullException(from.getHost() + " sends " + what + " to no address");
        }
        if ("https".equals(from.getScheme()) && "http".equals(to.getScheme())) {
            throw new PullException(from.getHost() + " sends " + what + " from https to http, to " + to.getHost());
        }
        return to;
    }

    private static boolean isSameOrigin(URI a, URI b) {
        return a.getScheme().equalsIgnoreCase(b.getScheme())
                && a.getHost().equalsIgnoreCase(b.getHost())
                && port(a) == port(b);
    }

    private static int port(URI uri) {
        return uri.getPort() >= 0 ? uri.getPort() : uri.getScheme().equalsIgnoreCase("https") ? 443 : 80;
    }

    /** Throws or returns what an answer that is not the content means. */
    private RuntimeException refusal(ClassicHttpResponse response, URI uri, String what, boolean isEndpoint)
            throws TryAgainException {
        int code = response.getCode();
        String said = uri.getHost() + " answers " + code;
        // The address of another host was made for us a moment ago, and may have expired.
        if (code == 408 || code == 425 || code == 429 || code >= 500 || (code == 403 && !isEndpoint)) {
            throw new TryAgainException(said, retryAfter(response));
        }
        return new PullException(
                switch (code) {
                    case 401 ->
                        options.token() == null
                                ? said + " for " + what
                                        + ": it does not exist, or is not public; for that, set HF_TOKEN"
                                : said + " for " + what + ": the token in HF_TOKEN is not (or no longer) valid";
                    case 403 ->
                        said + " for " + what + ": open " + options.endpoint() + "/"
                                + what.replaceFirst("^([^/]+/[^/]+).*", "$1")
                                + " to see what it asks for, and set HF_TOKEN to a token that may read it";
                    case 404 -> said + ": there is no " + what + " (or it is not public; then set HF_TOKEN)";
                    default -> said + " for " + what;
                });
    }

    private static Duration retryAfter(ClassicHttpResponse response) {
        Header header = response.getFirstHeader("Retry-After");
        String value = header == null ? "" : header.getValue().strip().toLowerCase(Locale.ROOT);
        return value.matches("\\d{1,5}") ? Duration.ofSeconds(Long.parseLong(value)) : Duration.ZERO;
    }

    @Override
    public void close() throws IOException {
        http.close();
    }
}
