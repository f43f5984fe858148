package dev.ossicle.bench;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonNumber;
import dev.ossicle.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Loads any server that speaks OpenAI's completions: so many clients, each of which asks again when it was answered. Times are
 * those that a client sees. Arguments: address, prompt tokens, answer tokens, requests at each concurrency, concurrencies.
 */
public final class ServerLoad {
    private static final long SEED = 1;
    private static final int WARM_UP = 2;
    /** Below all control tokens and above the bytes: words of the o200k vocabulary. */
    private static final int FIRST_WORD = 1000;

    private static final int WORDS = 100_000;

    private record Measured(double firstToken, double[] gaps, int tokens) {}

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .executor(Executors.newVirtualThreadPerTaskExecutor())
            .build();
    private final URI endpoint;
    private final int promptTokens;
    private final int answerTokens;

    private ServerLoad(String address, int promptTokens, int answerTokens) {
        this.endpoint = URI.create(address + "/v1/completions");
        this.promptTokens = promptTokens;
        this.answerTokens = answerTokens;
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length < 5) {
            System.err.println("ServerLoad ADDRESS PROMPT_TOKENS ANSWER_TOKENS REQUESTS CONCURRENCY[,CONCURRENCY...]");
            System.exit(2);
        }
        ServerLoad load = new ServerLoad(arguments[0], Integer.parseInt(arguments[1]), Integer.parseInt(arguments[2]));
        int requests = Integer.parseInt(arguments[3]);
        load.run(1, WARM_UP, new Random(SEED - 1));
        System.out.println(
                "| clients | requests/s | tokens/s | first token p50 | p90 | p99 | between tokens p50 | p90 | p99 |");
        System.out.println("|---|---|---|---|---|---|---|---|---|");
        for (String word : arguments[4].split(",")) {
            int concurrency = Integer.parseInt(word);
            Random random = new Random(SEED + concurrency);
            long start = System.nanoTime();
            List<Measured> measured = load.run(concurrency, Math.max(requests, concurrency), random);
            report(concurrency, measured, (System.nanoTime() - start) * 1e-9);
        }
        System.exit(0);
    }

    private List<Measured> run(int concurrency, int requests, Random random) throws Exception {
        List<String> bodies = new ArrayList<>();
        for (int i = 0; i < requests; i++) {
            bodies.add(body(random)); // different prompts: nothing is in any cache
        }
        AtomicInteger next = new AtomicInteger();
        List<Measured> measured = new ArrayList<>();
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<List<Measured>>> all = new ArrayList<>();
            for (int i = 0; i < concurrency; i++) {
                all.add(clients.submit(() -> {
                    List<Measured> mine = new ArrayList<>();
                    for (int n = next.getAndIncrement(); n < requests; n = next.getAndIncrement()) {
                        mine.add(ask(bodies.get(n)));
                    }
                    return mine;
                }));
            }
            for (Future<List<Measured>> each : all) {
                measured.addAll(each.get());
            }
        }
        return measured;
    }

    private String body(Random random) {
        List<Json> prompt = new ArrayList<>();
        for (int i = 0; i < promptTokens; i++) {
            prompt.add(Json.of(FIRST_WORD + random.nextInt(WORDS)));
        }
        return JsonObject.builder()
                .put("prompt", Json.of(prompt))
                .put("max_tokens", answerTokens)
                .put("temperature", 0)
                .put("stream", true)
                .put(
                        "stream_options",
                        JsonObject.builder().put("include_usage", true).build())
                .build()
                .toString();
    }

    private Measured ask(String body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(endpoint)
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        long start = System.nanoTime();
        HttpResponse<Stream<String>> response = http.send(request, HttpResponse.BodyHandlers.ofLines());
        List<Long> times = new ArrayList<>();
        int[] tokens = {0};
        try (Stream<String> lines = response.body()) {
            lines.forEach(line -> {
                if (response.statusCode() != 200) {
                    throw new IllegalStateException(response.statusCode() + " " + line);
                }
                if (line.startsWith("data: {")) {
                    JsonObject event = (JsonObject) Json.parse(line.substring(6));
                    if (event.present("usage") instanceof JsonObject usage
                            && usage.get("completion_tokens") instanceof JsonNumber count) {
                        tokens[0] = count.intValueExact();
                    } else if (hasText(event)) {
                        times.add(System.nanoTime());
                    }
                }
            });
        }
        if (times.isEmpty()) {
            throw new IllegalStateException("an answer without text: " + body);
        }
        double[] gaps = new double[times.size() - 1];
        for (int i = 0; i < gaps.length; i++) {
            gaps[i] = (times.get(i + 1) - times.get(i)) * 1e-6;
        }
        return new Measured((times.getFirst() - start) * 1e-6, gaps, tokens[0]);
    }

    private static boolean hasText(JsonObject event) {
        @Nullable Json choices = event.get("choices");
        return choices instanceof JsonArray array
                && array.size() > 0
                && array.get(0) instanceof JsonObject choice
                && !Json.of("").equals(choice.get("text"));
    }

    private static void report(int concurrency, List<Measured> measured, double seconds) {
        int tokens = measured.stream().mapToInt(Measured::tokens).sum();
        double[] first =
                measured.stream().mapToDouble(Measured::firstToken).sorted().toArray();
        double[] gaps = measured.stream()
                .flatMapToDouble(each -> Arrays.stream(each.gaps))
                .sorted()
                .toArray();
        System.out.printf(
                Locale.ROOT,
                "| %d | %.2f | %.1f | %.0f ms | %.0f | %.0f | %.1f ms | %.1f | %.1f |%n",
                concurrency,
                measured.size() / seconds,
                tokens / seconds,
                percentile(first, 0.5),
                percentile(first, 0.9),
                percentile(first, 0.99),
                percentile(gaps, 0.5),
                percentile(gaps, 0.9),
                percentile(gaps, 0.99));
    }

    private static double percentile(double[] sorted, double share) {
        return sorted.length == 0 ? 0 : sorted[(int) Math.min(sorted.length - 1, share * sorted.length)];
    }
}
