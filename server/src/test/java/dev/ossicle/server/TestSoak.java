package dev.ossicle.server;

import static dev.ossicle.server.Scripted.at;
import static dev.ossicle.server.Scripted.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.engine.EngineOptions;
import dev.ossicle.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Many clients at once, some of which leave, read slowly or send nonsense. Each prompt has a word that is nowhere else, which
 * the answer must have and no other.
 */
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class TestSoak {
    private static final int CLIENTS = 64;
    private static final Pattern NONCE = Pattern.compile("nonce-(\\d+)-");
    private static final int MAX_BODY = 1 << 18;

    private final AtomicInteger nonces = new AtomicInteger();
    private final AtomicInteger whole = new AtomicInteger();
    private final AtomicInteger odd = new AtomicInteger();
    private final ConcurrentLinkedQueue<String> faults = new ConcurrentLinkedQueue<>();
    private final Scripted scripted;
    private volatile boolean ending;

    TestSoak() throws IOException {
        scripted = new Scripted(
                ServerOptions.DEFAULT.withLimits(
                        MAX_BODY, Duration.ofSeconds(10), Duration.ofMinutes(2), Duration.ofSeconds(10)),
                new EngineOptions(32, 256, 2_000_000),
                true);
        scripted.runner.author(prompt -> {
            Matcher nonce = NONCE.matcher(Scripted.TOKENIZER.decode(prompt));
            String last = "none";
            while (nonce.find()) {
                last = nonce.group(1);
            }
            return Scripted.tokens("<|channel|>analysis<|message|>It is " + last
                    + ".<|end|><|start|>assistant<|channel|>final<|message|>"
                    + expected(last) + "<|return|>");
        });
    }

    private static String expected(String nonce) {
        return ("<" + nonce + ">").repeat(1 + Integer.parseInt(nonce) % 40);
    }

    @Test
    void forSomeSeconds() throws Exception {
        soak(Duration.ofSeconds(10));
    }

    @Test
    @Tag("slow")
    void forTenMinutes() throws Exception {
        soak(Duration.ofMinutes(10));
    }

    private void soak(Duration duration) throws Exception {
        scripted.post("/v1/responses", "{\"input\": \"nonce-0-\"}"); // loads the model
        long end = System.nanoTime() + duration.toNanos();
        List<Long> health = new ArrayList<>();
        List<Long> heaps = new ArrayList<>();
        try (scripted;
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> clients = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                int seed = i;
                clients.add(threads.submit(() -> client(new SplittableRandom(seed), end)));
            }
            try (HttpClient http = HttpClient.newHttpClient()) {
                long nextHeap = System.nanoTime() + duration.toNanos() / 5;
                while (System.nanoTime() < end) {
                    long start = System.nanoTime();
                    int status = http.send(scripted.request("/health").build(), HttpResponse.BodyHandlers.discarding())
                            .statusCode();
                    health.add(System.nanoTime() - start);
                    if (status != 200) {
                        faults.add("health answered " + status);
                    }
                    if (System.nanoTime() > nextHeap) {
                        heaps.add(usedHeap());
                        nextHeap += duration.toNanos() / 5;
                    }
                    LockSupport.parkNanos(20_000_000); // so often is enough, and leaves the machine to the others
                }
            }
            ending = true;
            for (Future<?> client : clients) {
                client.get();
            }
            scripted.runner.beforeForward(() -> {});
            while (scripted.open() > 0) {
                Thread.yield();
            }
            while (scripted.server.openRequests() > 0) {
                Thread.yield();
            }
            assertThat(scripted.runner.cacheBytes()).isLessThan(2_100_000);
        }
        assertThat(scripted.runner.openSequences())
                .as("sequences that were not freed")
                .isZero();
        long[] times = health.stream().mapToLong(Long::longValue).sorted().toArray();
        double p99 = times[(int) (times.length * 0.99)] * 1e-6;
        System.out.printf(
                "%d whole answers, %d odd clients, health p50 %.1f ms, p99 %.1f ms, heap %s MB%n",
                whole.get(),
                odd.get(),
                times[times.length / 2] * 1e-6,
                p99,
                heaps.stream().map(bytes -> bytes >> 20).toList());
        assertThat(faults.stream().limit(10)).isEmpty();
        assertThat(whole.get()).isGreaterThan(CLIENTS);
        // The store of responses fills up to its bound of 64 MB.
        assertThat(heaps.getLast() - heaps.getFirst()).as("heap %s", heaps).isLessThan(64L << 20);
    }

    private static long usedHeap() {
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }

    private void client(SplittableRandom random, long end) {
        while (System.nanoTime() < end) {
            String nonce = Integer.toString(nonces.incrementAndGet());
            try {
                switch (random.nextInt(10)) {
                    case 0 -> leave(random, nonce);
                    case 1 -> readSlowly(random, nonce);
                    case 2 -> sendNonsense(random);
                    default -> ask(random, nonce);
                }
            } catch (InterruptedException e) {
                return;
            } catch (IOException | RuntimeException | AssertionError e) {
                if (!ending) {
                    faults.add(nonce + ": " + e);
                }
            }
        }
    }

    private static String prompt(SplittableRandom random, String nonce) {
        return "word ".repeat(random.nextInt(random.nextInt(10) == 0 ? 1500 : 30)) + "nonce-" + nonce + "-";
    }

    private record Form(String path, String body, Object... text) {}

    private static Form form(SplittableRandom random, String nonce, boolean stream) {
        String messages = "\"messages\": [{\"role\": \"user\", \"content\": \"" + prompt(random, nonce) + "\"}]";
        return switch (random.nextInt(4)) {
            case 0 ->
                new Form(
                        "/v1/chat/completions",
                        "{" + messages + ", \"stream\": " + stream + "}",
                        "choices",
                        0,
                        stream ? "delta" : "message",
                        "content");
            case 1 ->
                new Form(
                        "/v1/responses",
                        "{\"input\": \"" + prompt(random, nonce) + "\", \"store\": " + random.nextBoolean()
                                + ", \"stream\": " + stream + "}",
                        stream ? new Object[] {"delta"} : new Object[] {"output", 1, "content", 0, "text"});
            case 2 ->
                new Form(
                        "/v1/messages",
                        "{\"max_tokens\": 1000, " + messages + ", \"stream\": " + stream + "}",
                        stream ? new Object[] {"delta", "text"} : new Object[] {"content", 0, "text"});
            default ->
                new Form(
                        "/api/chat",
                        "{\"model\": \"gpt-oss\", " + messages + ", \"stream\": " + stream + "}",
                        "message",
                        "content");
        };
    }

    private void ask(SplittableRandom random, String nonce) throws IOException, InterruptedException {
        boolean stream = random.nextBoolean();
        Form form = form(random, nonce, stream);
        HttpResponse<String> response = scripted.post(form.path, form.body);
        String said = response.statusCode() == 200 ? said(form, stream, response.body()) : "";
        if (!said.equals(expected(nonce))) {
            faults.add(form.path + " stream " + stream + " answered " + response.statusCode() + " " + said + " to "
                    + nonce + ": " + response.body());
        }
        whole.incrementAndGet();
    }

    private static String said(Form form, boolean stream, String body) {
        if (!stream) {
            return text(Json.parse(body), form.text);
        }
        StringBuilder said = new StringBuilder();
        for (String line : body.split("\n")) {
            String data = line.startsWith("data: ") ? line.substring(6) : line;
            if (data.startsWith("{")) {
                Json json = Json.parse(data);
                if (!text(json, "type").startsWith("response.")
                        || text(json, "type").equals("response.output_text.delta")) {
                    said.append(text(json, form.text));
                }
            }
        }
        return said.toString();
    }

    private Socket open(Form form) throws IOException {
        Socket socket = new Socket("127.0.0.1", scripted.server.port());
        socket.setSoTimeout(60_000);
        socket.getOutputStream()
                .write(("POST " + form.path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                + "Connection: close\r\nContent-Length: " + form.body.length() + "\r\n\r\n" + form.body)
                        .getBytes(StandardCharsets.ISO_8859_1));
        socket.getOutputStream().flush();
        return socket;
    }

    private void leave(SplittableRandom random, String nonce) throws IOException {
        try (Socket socket = open(form(random, nonce, random.nextBoolean()))) {
            byte[] some = socket.getInputStream().readNBytes(random.nextInt(400));
            assertThat(some).isNotNull();
            if (random.nextBoolean()) {
                socket.setSoLinger(true, 0); // a reset rather than a goodbye
            }
        }
        odd.incrementAndGet();
    }

    private void readSlowly(SplittableRandom random, String nonce) throws IOException {
        Form form = form(random, nonce, true);
        StringBuilder all = new StringBuilder();
        try (Socket socket = open(form)) {
            InputStream in = socket.getInputStream();
            byte[] buffer = new byte[2000];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                all.append(new String(buffer, 0, count, StandardCharsets.ISO_8859_1));
                LockSupport.parkNanos(10_000_000); // what it is about
            }
        }
        // Chunked: take the frames out.
        String body = all.substring(all.indexOf("\r\n\r\n") + 4)
                .replaceAll("(?<=^|\r\n)[0-9a-f]+\r\n", "")
                .replace("\r\n", "");
        String said = said(form, true, body);
        if (!said.equals(expected(nonce))) {
            faults.add("slowly, " + form.path + ": " + said + " to " + nonce + ": " + all);
        }
        odd.incrementAndGet();
    }

    private void sendNonsense(SplittableRandom random) throws IOException, InterruptedException {
        String body = switch (random.nextInt(5)) {
            case 0 -> "x".repeat(MAX_BODY + 1);
            case 1 -> "{\"messages\": [";
            case 2 ->
                "{\"messages\": [{\"role\": 7}], \"input\": [{\"type\": 7}], \"max_tokens\": 5, \"model\": \"gpt-oss\"}";
            case 3 -> "";
            default ->
                "{\"messages\": [{\"role\": \"user\", \"content\": \"" + "y".repeat(80_000) + "\"}], \"input\": \""
                        + "y".repeat(80_000) + "\", \"max_tokens\": 5, \"model\": \"gpt-oss\"}";
        };
        List<String> paths = List.of("/v1/chat/completions", "/v1/responses", "/v1/messages", "/api/chat");
        String path = paths.get(random.nextInt(paths.size()));
        try {
            HttpRequest request = scripted.request(path)
                    .header("content-type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(body))
                    .build();
            HttpResponse<String> response = scripted.http.send(request, HttpResponse.BodyHandlers.ofString());
            int status = response.statusCode();
            if (status < 400 || status >= 500 || at(Json.parse(response.body()), "error") == null) {
                faults.add(path + " answered " + status + " to " + body.substring(0, Math.min(100, body.length()))
                        + ": " + response.body());
            }
        } catch (IOException e) {
            if (body.length() <= MAX_BODY) { // else the connection may end before all of it is sent
                throw e;
            }
        }
        odd.incrementAndGet();
    }
}
