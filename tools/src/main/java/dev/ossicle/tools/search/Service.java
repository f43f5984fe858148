package dev.ossicle.tools.search;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonException;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Asks a service over HTTP and reads its JSON, in bounded time and space. Redirects are not followed: they could carry a key away. */
final class Service implements AutoCloseable {
    static final Duration TIME = Duration.ofSeconds(30);
    private static final int MOST_BYTES = 32 << 20;
    private static final int MOST_OF_ERROR = 2000;

    private final String name;
    private final Map<String, String> headers;
    private final Duration time;
    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(TIME)
            .build();

    /**
     * A service.
     *
     * @param name for messages
     * @param headers of each request
     * @param time for an answer, to its end
     */
    Service(String name, Map<String, String> headers, Duration time) {
        this.name = name;
        this.headers = headers;
        this.time = time;
    }

    /** A key from the operator's environment. */
    static String key(Map<String, String> environment, String variable) {
        String key = environment.getOrDefault(variable, "").strip();
        if (key.isEmpty()) {
            throw new IllegalArgumentException(variable + " is not set");
        }
        return key;
    }

    Json get(URI uri) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(uri).GET());
    }

    Json post(URI uri, JsonObject body) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(uri)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body.toString())));
    }

    private Json send(HttpRequest.Builder request) throws IOException, InterruptedException {
        headers.forEach(request::header);
        request.header("Accept", "application/json");
        FutureTask<Json> task = new FutureTask<>(() -> answer(request.build()));
        Thread worker = Thread.ofVirtual().name("ossicle-search").start(task);
        try {
            return task.get(time.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new IOException(name + " did not answer within " + time.toMillis() / 1000.0 + " seconds");
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException failure) {
                String message = failure.getMessage();
                throw new IOException(
                        message != null && message.startsWith(name)
                                ? message
                                : name + " cannot be reached: "
                                        + (message == null ? failure.getClass().getSimpleName() : message),
                        failure);
            }
            throw new IOException(name + " cannot be asked: " + e.getCause(), e.getCause());
        } finally {
            worker.interrupt();
        }
    }

    private Json answer(HttpRequest request) throws IOException, InterruptedException {
        HttpResponse<InputStream> response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        byte[] bytes;
        try (InputStream body = response.body()) {
            bytes = body.readNBytes(MOST_BYTES + 1);
        }
        String text = new String(bytes, StandardCharsets.UTF_8);
        if (response.statusCode() != 200) {
            String said = text.substring(0, Math.min(text.length(), MOST_OF_ERROR));
            throw new IOException(name + " error " + response.statusCode() + ": " + said);
        }
        if (bytes.length > MOST_BYTES) {
            throw new IOException(name + "'s answer has more than " + MOST_BYTES + " bytes");
        }
        try {
            return Json.parse(text);
        } catch (JsonException e) {
            throw new IOException(name + "'s answer is no JSON: " + e.getMessage(), e);
        }
    }

    /** The objects of a list in an answer; none if there is no such list. */
    static List<JsonObject> objects(@Nullable Json answer, String list) {
        Json found = answer instanceof JsonObject object ? object.present(list) : null;
        return objects(found);
    }

    static List<JsonObject> objects(@Nullable Json list) {
        return list instanceof JsonArray array
                ? array.elements().stream()
                        .filter(JsonObject.class::isInstance)
                        .map(JsonObject.class::cast)
                        .toList()
                : List.of();
    }

    /** A text in an answer; empty if there is none. */
    static String text(JsonObject object, String name) {
        return object.present(name) instanceof JsonString text ? text.value() : "";
    }

    @Override
    public void close() {
        client.shutdownNow();
    }
}
