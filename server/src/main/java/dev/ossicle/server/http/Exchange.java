package dev.ossicle.server.http;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonException;
import dev.ossicle.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.io.ssl.SslConnection;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.jspecify.annotations.Nullable;

/** One request and its response. One thread handles it; it may block. */
public final class Exchange {
    private final Request request;
    private final Response response;
    private final Dialect dialect;
    private final Map<String, String> pathParameters;
    private final long maxBody;
    private final Watch watch;
    private @Nullable EventStream stream;
    private Map<String, Object> notes = Map.of();
    private String bodyText = "";

    Exchange(
            Request request,
            Response response,
            Dialect dialect,
            Map<String, String> pathParameters,
            long maxBody,
            Watch watch) {
        this.request = request;
        this.response = response;
        this.dialect = dialect;
        this.pathParameters = pathParameters;
        this.maxBody = maxBody;
        this.watch = watch;
        response.getHeaders().put("x-request-id", id());
    }

    /** That the client gave it, if it is short and plain, or our own. */
    public String id() {
        return RequestId.of(request);
    }

    public Dialect dialect() {
        return dialect;
    }

    /** The part of the path that the route names. */
    public String pathParameter(String name) {
        return pathParameters.getOrDefault(name, "");
    }

    public @Nullable String query(String name) {
        return Request.extractQueryParameters(request).getValue(name);
    }

    public @Nullable String header(String name) {
        return request.getHeaders().get(name);
    }

    /** Whether the client is on this machine. */
    public boolean isLocal() {
        return Guard.isLoopback(Request.getRemoteAddr(request));
    }

    /**
     * The body, a JSON object.
     *
     * @throws ApiException if it is something else, or too large
     */
    public Fields body() throws IOException {
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes()))
                    .toString();
        } catch (CharacterCodingException e) {
            throw ApiException.badRequest(null, "the body is not UTF-8");
        }
        bodyText = text;
        if (text.isBlank()) {
            throw ApiException.badRequest(null, "the body is empty: send a JSON object");
        }
        try {
            if (Json.parse(text) instanceof JsonObject object) {
                return new Fields(object, "");
            }
        } catch (JsonException e) {
            throw ApiException.badRequest(null, "the body is not JSON: " + e.getMessage());
        }
        throw ApiException.badRequest(null, "the body must be a JSON object");
    }

    private byte[] bytes() throws IOException {
        String type = header("content-type");
        String plain = type == null ? "" : type.split(";")[0].strip().toLowerCase(Locale.ROOT);
        if (!plain.equals("application/json") && !plain.endsWith("+json")) {
            // A page of another site could send the types that forms have without asking.
            throw ApiException.refused(
                    415,
                    "unsupported_media_type",
                    "the body's type is " + (plain.isEmpty() ? "not named" : plain)
                            + ": send \"Content-Type: application/json\"");
        }
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        if (request.getLength() > maxBody) {
            throw tooLarge();
        }
        try (InputStream in = Content.Source.asInputStream(request)) {
            byte[] buffer = new byte[16 << 10];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                body.write(buffer, 0, count);
                if (body.size() > maxBody) {
                    throw tooLarge();
                }
            }
        } catch (EofException e) {
            throw new ClientGoneException(e);
        } catch (IOException e) {
            if (e.getCause() instanceof TimeoutException) {
                throw ApiException.refused(408, "request_timeout", "the body did not come in time");
            }
            throw e;
        }
        return body.toByteArray();
    }

    private ApiException tooLarge() {
        return ApiException.refused(
                413, "request_too_large", "the body has more than " + maxBody + " bytes, which is the maximum");
    }

    /** Answers with a whole JSON value. */
    public void send(Json json) throws IOException {
        send(200, "application/json", json.toString());
    }

    public void send(int status, String contentType, String body) throws IOException {
        send(status, contentType, body.getBytes(StandardCharsets.UTF_8));
    }

    public void send(int status, String contentType, byte[] bytes) throws IOException {
        response.setStatus(status);
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, contentType);
        response.getHeaders().put(HttpHeader.CONTENT_LENGTH, bytes.length);
        watch.forget(this);
        try {
            Content.Sink.write(response, true, ByteBuffer.wrap(bytes));
        } catch (IOException e) {
            throw new ClientGoneException(e);
        }
    }

    /** Tells an error in the client's words: as a whole response, or where one has begun at its end. */
    public void sendError(ApiException error) throws IOException {
        if (!request.consumeAvailable()) {
            // The rest of the body will not be read: nobody should send another request behind it.
            response.getHeaders().put(HttpHeader.CONNECTION, "close");
        }
        if (error.retryAfter() > 0) {
            response.getHeaders().put(HttpHeader.RETRY_AFTER, error.retryAfter());
        }
        send(error.status(), "application/json", dialect.error(error).toString());
    }

    /** A header of the response, before it begins. */
    public void setHeader(String name, String value) {
        response.getHeaders().put(name, value);
    }

    /** Says which fields of the request had no effect. */
    public void ignored(List<String> fields) {
        if (!fields.isEmpty()) {
            setHeader("x-ossicle-ignored", String.join(", ", fields));
        }
    }

    /**
     * Begins an answer in pieces. The stream ends with the exchange.
     *
     * @param whenGone runs, on any thread, when it is found that the client has gone
     */
    public EventStream stream(EventStream.Format format, Runnable whenGone) {
        EventStream begun = new EventStream(response, format, whenGone);
        stream = begun;
        watch.add(begun);
        watch(whenGone); // long before the first piece there may be nothing to write
        return begun;
    }

    /** Has {@code whenGone} run, on any thread, if the client leaves while it waits for a whole answer. */
    public void watch(Runnable whenGone) {
        EndPoint endPoint = request.getConnectionMetaData().getConnection().getEndPoint();
        if (endPoint instanceof SslConnection.SslEndPoint secure) {
            endPoint = secure.getSslConnection().getEndPoint();
        }
        if (endPoint instanceof PeekingEndPoint peeking) {
            watch.add(this, peeking, whenGone);
        }
    }

    /** What the log is to say of it. */
    public void note(Map<String, Object> whatHappened) {
        notes = whatHappened;
    }

    /** The body that was read; empty before. */
    String bodyText() {
        return bodyText;
    }

    Map<String, Object> notes() {
        return notes;
    }

    boolean hasBegun() {
        return response.isCommitted() || stream != null;
    }

    int status() {
        return response.getStatus();
    }

    /** Ends what is open. */
    void end() throws IOException {
        EventStream open = stream;
        if (open != null) {
            open.end();
        }
    }

    /** Lets go of it, however it ended. */
    void release() {
        watch.forget(this);
        EventStream open = stream;
        if (open != null) {
            watch.forget(open);
        }
    }
}
