package dev.ossicle.models.hub;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/** A hub with one repository, and another host to which it sends those who ask for weights, as the real one does. */
final class FakeHub implements AutoCloseable {
    static final String NAME = "someone/small-model";
    static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    /** What a host does with a request for a file; null lets it answer as it should. */
    @FunctionalInterface
    interface Trouble {
        /** Returns whether it has answered. */
        boolean answer(HttpExchange exchange, byte[] content) throws IOException;
    }

    record Request(
            String path,
            @Nullable String authorization,
            @Nullable String range) {}

    final Map<String, byte[]> files = new TreeMap<>();
    /** Digests that are announced instead of the right ones. */
    final Map<String, String> announced = new TreeMap<>();

    final ConcurrentLinkedQueue<Request> atEndpoint = new ConcurrentLinkedQueue<>();
    final ConcurrentLinkedQueue<Request> atOtherHost = new ConcurrentLinkedQueue<>();
    volatile @Nullable Trouble trouble;
    volatile @Nullable Trouble descriptionTrouble;
    private final HttpServer endpoint = start(this::answer);
    private final HttpServer other = start(exchange -> serve(exchange, atOtherHost));

    private static HttpServer start(HttpHandler handler) {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/", handler);
            server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
            server.start();
            return server;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    URI address() {
        return URI.create("http://127.0.0.1:" + endpoint.getAddress().getPort());
    }

    URI otherAddress() {
        return URI.create("http://localhost:" + other.getAddress().getPort());
    }

    private static Request request(HttpExchange exchange) {
        return new Request(
                exchange.getRequestURI().getPath(),
                exchange.getRequestHeaders().getFirst("Authorization"),
                exchange.getRequestHeaders().getFirst("Range"));
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        if (path.startsWith("/api/models/" + NAME + "/revision/")) {
            atEndpoint.add(request(exchange));
            byte[] description = description().toString().getBytes(StandardCharsets.UTF_8);
            Trouble now = descriptionTrouble;
            if (now == null || !now.answer(exchange, description)) {
                send(exchange, 200, description, 0, description.length);
            }
        } else if (path.startsWith("/" + NAME + "/resolve/" + COMMIT + "/") && path.endsWith(".safetensors")) {
            atEndpoint.add(request(exchange));
            exchange.getResponseHeaders().set("Location", otherAddress() + path + "?Signature=abc");
            send(exchange, 302, new byte[0], 0, 0);
        } else {
            serve(exchange, atEndpoint);
        }
    }

    private void serve(HttpExchange exchange, ConcurrentLinkedQueue<Request> log) throws IOException {
        Request request = request(exchange);
        log.add(request);
        byte[] content = files.get(request.path().replace("/" + NAME + "/resolve/" + COMMIT + "/", ""));
        if (content == null) {
            send(exchange, 404, new byte[0], 0, 0);
            return;
        }
        Trouble now = trouble;
        if (now != null && now.answer(exchange, content)) {
            return;
        }
        if (request.range() == null) {
            send(exchange, 200, content, 0, content.length);
            return;
        }
        long[] range = range(request.range());
        exchange.getResponseHeaders().set("Content-Range", "bytes " + range[0] + "-" + range[1] + "/" + content.length);
        send(exchange, 206, content, (int) range[0], (int) (range[1] - range[0] + 1));
    }

    /** First and last byte of "bytes=1-2". */
    static long[] range(String header) {
        return Arrays.stream(header.substring("bytes=".length()).split("-"))
                .mapToLong(Long::parseLong)
                .toArray();
    }

    static void send(HttpExchange exchange, int status, byte[] content, int at, int length) throws IOException {
        exchange.sendResponseHeaders(status, length == 0 ? -1 : length);
        if (length > 0) {
            exchange.getResponseBody().write(content, at, length);
        }
        exchange.close();
    }

    /** Announces all that was asked for, sends some of it and hangs up. */
    static void hangUp(HttpExchange exchange, byte[] content, double after) throws IOException {
        String header = exchange.getRequestHeaders().getFirst("Range");
        long[] range = header == null ? new long[] {0, content.length - 1} : range(header);
        int length = (int) (range[1] - range[0] + 1);
        if (header != null) {
            exchange.getResponseHeaders()
                    .set("Content-Range", "bytes " + range[0] + "-" + range[1] + "/" + content.length);
        }
        exchange.sendResponseHeaders(header == null ? 200 : 206, length);
        exchange.getResponseBody().write(content, (int) range[0], (int) Math.max(1, after * length));
        exchange.getResponseBody().flush();
        exchange.close();
    }

    private JsonObject description() {
        List<Json> siblings = new ArrayList<>();
        files.forEach((path, content) -> {
            JsonObject.Builder file =
                    JsonObject.builder().put("rfilename", path).put("size", content.length);
            if (path.endsWith(".safetensors") || path.endsWith(".gguf")) {
                String digest = announced.getOrDefault(path, sha256(content));
                file.put("blobId", "1".repeat(40))
                        .put(
                                "lfs",
                                JsonObject.builder()
                                        .put("sha256", digest)
                                        .put("size", content.length)
                                        .put("pointerSize", 135)
                                        .build());
            } else {
                file.put("blobId", announced.getOrDefault(path, gitDigest(content)));
            }
            siblings.add(file.build());
        });
        return JsonObject.builder()
                .put("id", NAME)
                .put("sha", COMMIT)
                .put("siblings", Json.of(siblings))
                .build();
    }

    static String sha256(byte[] content) {
        return HexFormat.of().formatHex(digest("SHA-256").digest(content));
    }

    private static String gitDigest(byte[] content) {
        MessageDigest digest = digest("SHA-1");
        digest.update(("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII));
        return HexFormat.of().formatHex(digest.digest(content));
    }

    private static MessageDigest digest(String name) {
        try {
            return MessageDigest.getInstance(name);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        endpoint.stop(0);
        other.stop(0);
    }
}
