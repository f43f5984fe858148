package dev.ossicle.tools.browser;

import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.ManagedHttpClientConnectionFactory;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManager;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/**
 * Fetches pages from the public network: http and https on their own ports, text only, within limits, where the site's
 * robots.txt allows it. Where the address leads is checked by {@link AddressGuard} for each connection, redirects included.
 * No cookies, no proxy, no credentials. Thread-safe: one for all conversations.
 */
public final class Fetcher implements PageSource, AutoCloseable {
    /** The name under which sites can allow or forbid visits. */
    public static final String AGENT = "Ossicle";

    private static final Set<Integer> PORTS = Set.of(-1, 80, 443, 8080, 8443);
    private static final int ROBOTS_BYTES = 500 << 10;
    private static final int ROBOTS_REDIRECTS = 5;
    private static final int MOST_SITES = 1000;
    private static final Duration ROBOTS_LAST = Duration.ofHours(12);
    private static final Duration FAILURES_LAST = Duration.ofMinutes(5);
    private static final Http1Config HEADERS = Http1Config.custom()
            .setMaxLineLength(32 << 10)
            .setMaxHeaderCount(200)
            .build();

    private final FetchLimits limits;
    private final Set<Integer> ports;
    private final boolean asksRobots;
    private final PoolingHttpClientConnectionManager connections;
    private final CloseableHttpClient client;

    /** By site, the one first that was asked for longest ago. */
    private final Map<String, Robots> robots = Collections.synchronizedMap(new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Robots> eldest) {
            return size() > MOST_SITES;
        }
    });

    /** Obeys each site's robots.txt. */
    public Fetcher(FetchLimits limits) {
        this(limits, true);
    }

    /** @param asksRobots whether a site's robots.txt is asked for and obeyed */
    public Fetcher(FetchLimits limits, boolean asksRobots) {
        this(limits, asksRobots, new AddressGuard(), PORTS);
    }

    /** With another guard, for tests against a server of their own. */
    Fetcher(FetchLimits limits, boolean asksRobots, DnsResolver guard, Set<Integer> ports) {
        this.limits = limits;
        this.asksRobots = asksRobots;
        this.ports = ports;
        Timeout timeout = Timeout.of(limits.time());
        connections = PoolingHttpClientConnectionManagerBuilder.create()
                .setDnsResolver(guard)
                .setConnectionFactory(ManagedHttpClientConnectionFactory.builder()
                        .http1Config(HEADERS)
                        .build())
                .setDefaultConnectionConfig(ConnectionConfig.custom()
                        .setConnectTimeout(timeout)
                        .setSocketTimeout(timeout)
                        .build())
                .setMaxConnPerRoute(16)
                .setMaxConnTotal(256)
                .build();
        client = HttpClients.custom()
                .setConnectionManager(connections)
                .setDefaultRequestConfig(RequestConfig.custom()
                        .setResponseTimeout(timeout)
                        .setConnectionRequestTimeout(timeout)
                        .build())
                .setConnectionReuseStrategy((request, response, context) -> false)
                .disableRedirectHandling()
                .disableCookieManagement()
                .disableAuthCaching()
                .disableAutomaticRetries()
                .setUserAgent(AGENT)
                .build();
    }

    /**
     * For services that fetch by themselves: whether a URL is one of the web's.
     *
     * @throws IOException if it is not
     */
    public static void check(String url) throws IOException {
        WebUrl.of(url, PORTS);
    }

    /** What a site allows, or why it could not be asked. */
    private record Robots(RobotsRules rules, @Nullable String failure, long until) {}

    /** An answer: something, or where else to look. */
    private record Answer<T>(@Nullable T found, @Nullable String redirect) {}

    @FunctionalInterface
    private interface Reader<T> {
        T read(ClassicHttpResponse response) throws IOException;
    }

    private IOException tooSlow() {
        return new IOException("took more than " + limits.time().toMillis() / 1000.0 + " seconds");
    }

    @Override
    public Document fetch(String url) throws IOException, InterruptedException {
        FutureTask<Document> task = new FutureTask<>(() -> follow(url));
        // a virtual thread's interruption closes its socket, whatever it waits for: connecting, shaking hands, a slow
        // byte
        Thread worker = Thread.ofVirtual().name("ossicle-fetch").start(task);
        try {
            return task.get(limits.time().toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw tooSlow();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof SocketTimeoutException) {
                throw tooSlow(); // of the same length, and now and then the first to notice
            }
            if (e.getCause() instanceof IOException failure) {
                throw failure;
            }
            throw new IOException("cannot be fetched: " + e.getCause(), e.getCause());
        } finally {
            worker.interrupt();
        }
    }

    private Document follow(String url) throws IOException, InterruptedException {
        String next = url;
        for (int i = 0; i <= limits.redirects(); i++) {
            URI uri = WebUrl.of(next, ports);
            askRobots(uri);
            Answer<Document> answer = get(uri, response -> page(uri, response));
            if (answer.found != null) {
                return answer.found;
            }
            next = Urls.join(uri.toString(), String.valueOf(answer.redirect));
        }
        throw new IOException("more than " + limits.redirects() + " redirects");
    }

    private void askRobots(URI uri) throws IOException, InterruptedException {
        if (!asksRobots) {
            return;
        }
        String site = uri.getScheme() + "://" + uri.getRawAuthority();
        Robots known = robots.get(site);
        if (known == null || known.until - System.nanoTime() < 0) {
            known = robots(site);
            robots.put(site, known);
        }
        if (known.failure != null) {
            throw new IOException("not visited, since " + site + "/robots.txt cannot be read: " + known.failure);
        }
        String query = uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery();
        if (!known.rules.allow(uri.getRawPath() + query)) {
            throw new IOException("not visited: the site's robots.txt does not allow it");
        }
    }

    /** RFC 9309, 2.3.1: a site without rules may be visited, one that cannot be asked may not. */
    private Robots robots(String site) throws InterruptedException {
        String next = site + "/robots.txt";
        try {
            for (int i = 0; i <= ROBOTS_REDIRECTS; i++) {
                Answer<RobotsRules> answer = get(WebUrl.of(next, ports), Fetcher::rules);
                if (answer.found != null) {
                    return new Robots(answer.found, null, System.nanoTime() + ROBOTS_LAST.toNanos());
                }
                next = Urls.join(next, String.valueOf(answer.redirect));
            }
            return new Robots(RobotsRules.ALL, null, System.nanoTime() + ROBOTS_LAST.toNanos());
        } catch (IOException e) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            String failure = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
            return new Robots(RobotsRules.NONE, failure, System.nanoTime() + FAILURES_LAST.toNanos());
        }
    }

    private static RobotsRules rules(ClassicHttpResponse response) throws IOException {
        int status = response.getCode();
        if (status >= 500) {
            throw new IOException("status " + status + " " + response.getReasonPhrase());
        }
        HttpEntity entity = response.getEntity();
        if (status / 100 != 2 || entity == null) {
            return RobotsRules.ALL;
        }
        InputStream content = entity.getContent();
        return RobotsRules.parse(
                new String(content.readNBytes(ROBOTS_BYTES), StandardCharsets.UTF_8).replace("\uFEFF", ""), AGENT);
    }

    private <T> Answer<T> get(URI uri, Reader<T> reader) throws IOException {
        HttpGet request = new HttpGet(uri);
        ClassicHttpResponse response = client.executeOpen(null, request, null);
        try {
            int status = response.getCode();
            Header location = response.getFirstHeader("Location");
            return status >= 300 && status < 400 && location != null
                    ? new Answer<>(null, location.getValue())
                    : new Answer<>(reader.read(response), null);
        } finally {
            // closing alone would read what is left, which may have no end
            request.abort();
            closeAborted(response);
        }
    }

    private static void closeAborted(ClassicHttpResponse response) {
        try {
            response.close();
        } catch (IOException e) {
            // that it was aborted
        }
    }

    private Document page(URI uri, ClassicHttpResponse response) throws IOException {
        if (response.getCode() != 200) {
            throw new IOException("status " + response.getCode() + " " + response.getReasonPhrase());
        }
        HttpEntity entity = response.getEntity();
        DocumentType type = DocumentType.of(entity == null ? null : entity.getContentType());
        byte[] bytes = new byte[0];
        if (entity != null) {
            InputStream content = entity.getContent();
            bytes = content.readNBytes(limits.bytes() + 1);
        }
        if (bytes.length > limits.bytes()) {
            throw new IOException("has more than " + limits.bytes() + " bytes");
        }
        return type.read(uri.toString(), bytes);
    }

    /** How many connections are open, in use or not. */
    int connections() {
        return connections.getTotalStats().getLeased()
                + connections.getTotalStats().getAvailable();
    }

    @Override
    public void close() throws IOException {
        client.close();
    }
}
