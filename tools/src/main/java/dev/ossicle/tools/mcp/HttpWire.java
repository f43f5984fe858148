package dev.ossicle.tools.mcp;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.apache.hc.client5.http.classic.methods.HttpDelete;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.client5.http.classic.methods.HttpUriRequestBase;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.io.entity.StringEntity;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/**
 * Streamable HTTP: a message is a POST, and the answer comes in its body, alone or among the events of a stream. The stream of
 * its own that a server may offer beside that is not opened: there is nothing that it could ask of us.
 */
final class HttpWire implements Wire {
    private static final String SESSION = "Mcp-Session-Id";
    private static final int MAX_CONNECTIONS = 64;
    private static final int EXCERPT = 300;
    private static final Duration FAREWELL = Duration.ofSeconds(2);

    private final McpAddress.Url address;
    private final McpLimits limits;
    private final CloseableHttpClient client;
    private volatile @Nullable Listener listener;
    private volatile @Nullable String session;

    HttpWire(McpAddress.Url address, McpLimits limits) {
        this.address = address;
        this.limits = limits;
        client = HttpClients.custom()
                .setConnectionManager(PoolingHttpClientConnectionManagerBuilder.create()
                        .setDnsResolver(address.names())
                        .setMaxConnTotal(MAX_CONNECTIONS)
                        .setMaxConnPerRoute(MAX_CONNECTIONS)
                        .setDefaultConnectionConfig(ConnectionConfig.custom()
                                .setConnectTimeout(Timeout.of(limits.connect()))
                                .setSocketTimeout(Timeout.of(limits.call()))
                                .build())
                        .build())
                .setDefaultRequestConfig(RequestConfig.custom()
                        .setResponseTimeout(Timeout.of(limits.call()))
                        .build())
                .disableRedirectHandling()
                .disableCookieManagement()
                .disableAuthCaching()
                .disableAutomaticRetries()
                .setUserAgent("ossicle")
                .build();
    }

    @Override
    public void open(Listener newListener) {
        listener = newListener;
    }

    @Override
    public boolean send(String json, @Nullable String version, Exchange exchange) throws IOException {
        HttpPost post = new HttpPost(address.uri());
        post.setHeader("Accept", "application/json, text/event-stream");
        post.setEntity(new StringEntity(json, ContentType.APPLICATION_JSON));
        head(post, version);
        exchange.onGiveUp(post::abort);
        try (ClassicHttpResponse response = client.executeOpen(null, post, null)) {
            receive(response, exchange);
        }
        return false;
    }

    private void head(HttpUriRequestBase request, @Nullable String version) {
        String id = session;
        if (id != null) {
            request.setHeader(SESSION, id);
        }
        if (version != null) {
            request.setHeader("MCP-Protocol-Version", version);
        }
        address.headers().forEach(request::setHeader);
    }

    private void receive(ClassicHttpResponse response, Exchange exchange) throws IOException {
        int status = response.getCode();
        HttpEntity entity = response.getEntity();
        if (status < 200 || status >= 300) {
            throw refused(response, status, entity);
        }
        Header given = response.getFirstHeader(SESSION);
        if (given != null && session == null) {
            session = given.getValue();
        }
        Listener to = listener;
        if (status == 202 || entity == null || to == null) {
            return;
        }
        ContentType type = ContentType.parseLenient(entity.getContentType());
        String mime = type == null ? "" : type.getMimeType();
        // Not closed by itself: that would read a stream to its end, which may never come. Closing the response does
        // not.
        InputStream body = entity.getContent();
        if (mime.equalsIgnoreCase("text/event-stream")) {
            events(body, to, exchange);
            return;
        }
        byte[] bytes = body.readNBytes(limits.message() + 1);
        if (bytes.length > limits.message()) {
            throw new IOException("sent a message of more than " + limits.message() + " bytes");
        }
        if (mime.equalsIgnoreCase("application/json")) {
            to.message(new String(bytes, StandardCharsets.UTF_8));
        } else if (bytes.length > 0) {
            throw new IOException("answered with " + (mime.isEmpty() ? "no content type" : mime)
                    + " instead of JSON or an event stream; is this the URL of an MCP server?");
        }
    }

    /** Until the answer is there: a server may leave the stream open. */
    private void events(InputStream body, Listener to, Exchange exchange) throws IOException {
        LineReader lines = new LineReader(body, limits.message());
        StringBuilder data = new StringBuilder();
        boolean message = true;
        for (String line = lines.next(); line != null && !exchange.answered(); line = lines.next()) {
            if (line.isEmpty()) {
                if (message && !data.toString().isBlank()) {
                    to.message(data.toString());
                }
                if (exchange.answered()) {
                    return;
                }
                data.setLength(0);
                message = true;
            } else if (line.startsWith("data:")) {
                data.append(data.isEmpty() ? "" : "\n").append(value(line));
                if (data.length() > limits.message()) {
                    throw new IOException("sent a message of more than " + limits.message() + " bytes");
                }
            } else if (line.startsWith("event:")) {
                message = value(line).equals("message");
            }
        }
    }

    private static String value(String line) {
        String value = line.substring(line.indexOf(':') + 1);
        return value.startsWith(" ") ? value.substring(1) : value;
    }

    private IOException refused(ClassicHttpResponse response, int status, @Nullable HttpEntity entity)
            throws IOException {
        Header location = response.getFirstHeader("Location");
        if (status < 400 && location != null) {
            return new IOException("redirects to " + location.getValue() + ", which is not followed: give that URL");
        }
        if (status == 404 && session != null) {
            String why = "has forgotten this session";
            Listener to = listener;
            if (to != null) {
                to.ended(why);
            }
            return new IOException(why);
        }
        String body = "";
        if (entity != null) {
            body = new String(entity.getContent().readNBytes(EXCERPT), StandardCharsets.UTF_8).strip();
        }
        String advice = switch (status) {
            case 401, 403 -> " (it wants another key: see its authorization header)";
            case 404, 405, 406 -> " (is this the URL of its streamable HTTP? It often ends in /mcp)";
            default -> "";
        };
        return new IOException("answered with status " + status + advice + (body.isEmpty() ? "" : ": " + body));
    }

    @Override
    public String lastWords() {
        return "";
    }

    /** Tells the server that the session is over, if it has one, and waits for that as long as is polite. */
    @Override
    public void close() {
        String id = session;
        if (id != null) {
            HttpDelete delete = new HttpDelete(address.uri());
            head(delete, null);
            Thread farewell = Thread.ofVirtual().name("ossicle-mcp-farewell").start(() -> {
                try (ClassicHttpResponse ignored = client.executeOpen(null, delete, null)) {
                    session = null;
                } catch (IOException e) {
                    // it will find out
                }
            });
            try {
                farewell.join(FAREWELL);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            delete.abort();
        }
        client.close(CloseMode.IMMEDIATE);
    }
}
