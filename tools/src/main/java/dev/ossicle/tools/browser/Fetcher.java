package dev.ossicle.tools.browser;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.charset.UnsupportedCharsetException;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/**
 * Fetches pages from the public network: http and https on their own ports, text only, within limits. Where the address leads
 * is checked by {@link AddressGuard} for each connection, redirects included. No cookies, no proxy, no credentials.
 */
public final class Fetcher implements PageSource, AutoCloseable {
    private static final Set<Integer> PORTS = Set.of(-1, 80, 443, 8080, 8443);
    private static final String AGENT = "ossicle";

    private final CloseableHttpClient client;
    private final FetchLimits limits;
    private final ScheduledExecutorService alarm = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("ossicle-fetch-alarm").factory());
    private final Set<Integer> ports;

    public Fetcher(FetchLimits limits) {
        this(limits, new AddressGuard(), PORTS);
    }

    /** With another guard, for tests against a server of their own. */
    Fetcher(FetchLimits limits, DnsResolver guard, Set<Integer> ports) {
        this.limits = limits;
        this.ports = ports;
        Timeout timeout = Timeout.of(limits.time());
        client = HttpClients.custom()
                .setConnectionManager(PoolingHttpClientConnectionManagerBuilder.create()
                        .setDnsResolver(guard)
                        .setDefaultConnectionConfig(ConnectionConfig.custom()
                                .setConnectTimeout(timeout)
                                .setSocketTimeout(timeout)
                                .build())
                        .build())
                .setDefaultRequestConfig(
                        RequestConfig.custom().setResponseTimeout(timeout).build())
                .disableRedirectHandling()
                .disableCookieManagement()
                .disableAuthCaching()
                .disableAutomaticRetries()
                .setUserAgent(AGENT)
                .build();
    }

    /** An answer: a document, or where else to look. */
    private record Answer(
            @Nullable Document document, @Nullable String redirect) {}

    @Override
    public Document fetch(String url) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + limits.time().toNanos();
        String next = url;
        for (int i = 0; i <= limits.redirects(); i++) {
            Answer answer = get(checked(next), deadline);
            if (answer.document != null) {
                return answer.document;
            }
            next = Urls.join(next, String.valueOf(answer.redirect));
        }
        throw new IOException("more than " + limits.redirects() + " redirects");
    }

    private URI checked(String url) throws IOException {
        try {
            URI uri = new URI(url.contains("://") ? url : "https://" + url);
            String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
            if (!scheme.equals("http") && !scheme.equals("https")) {
                throw new IOException("only http and https are fetched, not " + scheme);
            }
            if (uri.getHost() == null || uri.getRawUserInfo() != null) {
                throw new IOException("not a URL that can be fetched: " + url);
            }
            if (!ports.contains(uri.getPort())) {
                throw new IOException("port " + uri.getPort() + " is not one of the web's");
            }
            return uri;
        } catch (URISyntaxException e) {
            throw new IOException("not a URL: " + url);
        }
    }

    private Answer get(URI uri, long deadline) throws IOException, InterruptedException {
        HttpGet request = new HttpGet(uri);
        long left = Math.max(1, deadline - System.nanoTime());
        // a server that sends a byte now and then is never late for the socket's own timeout
        ScheduledFuture<?> ring = alarm.schedule(request::abort, left, TimeUnit.NANOSECONDS);
        try {
            return client.execute(request, response -> read(response));
        } catch (IOException e) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            if (request.isAborted()) {
                throw new IOException("took more than " + seconds(limits.time()) + " seconds");
            }
            throw e;
        } finally {
            ring.cancel(false);
        }
    }

    private static String seconds(Duration time) {
        return Double.toString(time.toMillis() / 1000.0);
    }

    private Answer read(ClassicHttpResponse response) throws IOException {
        int status = response.getCode();
        Header location = response.getFirstHeader("Location");
        if (status >= 300 && status < 400 && location != null) {
            return new Answer(null, location.getValue());
        }
        if (status != 200) {
            throw new IOException("status " + status + " " + response.getReasonPhrase());
        }
        HttpEntity entity = response.getEntity();
        ContentType type = entity == null ? null : ContentType.parseLenient(entity.getContentType());
        String mime = type == null ? "text/html" : type.getMimeType().toLowerCase(Locale.ROOT);
        boolean html = mime.equals("text/html") || mime.equals("application/xhtml+xml");
        if (!html && !mime.startsWith("text/") && !mime.endsWith("json") && !mime.endsWith("xml")) {
            throw new IOException("not a text but " + mime);
        }
        if (entity == null) {
            return new Answer(new Document("", html), null);
        }
        try (InputStream content = entity.getContent()) {
            byte[] bytes = content.readNBytes(limits.bytes() + 1);
            if (bytes.length > limits.bytes()) {
                throw new IOException("has more than " + limits.bytes() + " bytes");
            }
            return new Answer(new Document(new String(bytes, charset(type)), html), null);
        }
    }

    private static Charset charset(@Nullable ContentType type) {
        try {
            Charset charset = type == null ? null : type.getCharset();
            return charset == null ? StandardCharsets.UTF_8 : charset;
        } catch (UnsupportedCharsetException e) {
            return StandardCharsets.UTF_8;
        }
    }

    @Override
    public void close() throws IOException {
        alarm.shutdownNow();
        client.close();
    }
}
