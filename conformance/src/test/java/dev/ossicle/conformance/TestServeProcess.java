package dev.ossicle.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code ossicle serve} as a process of its own, which is asked to end, and which is killed. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class TestServeProcess {
    private static final Pattern LISTENING = Pattern.compile("listening on (http://\\S+);");
    private static final String QUESTION = "What is 2 + 3?";

    private final HttpClient http = HttpClient.newHttpClient();

    private record Serving(Process process, String address) implements AutoCloseable {
        static Serving start(String... arguments) throws IOException {
            List<String> command = new ArrayList<>(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--add-modules",
                    "jdk.incubator.vector",
                    "--enable-native-access=ALL-UNNAMED",
                    "-cp",
                    System.getProperty("java.class.path"),
                    "dev.ossicle.cli.Main",
                    "serve",
                    "--port",
                    "0",
                    "--log",
                    "off"));
            command.addAll(List.of(arguments));
            Process process = new ProcessBuilder(command).start();
            StringBuilder said = new StringBuilder();
            BufferedReader err = process.errorReader();
            String address = null;
            for (String line = err.readLine(); line != null; line = err.readLine()) {
                said.append(line).append('\n');
                Matcher listening = LISTENING.matcher(line);
                if (listening.find()) {
                    address = listening.group(1);
                }
                if (line.contains("ready (")) {
                    Thread.startVirtualThread(() -> drain(err));
                    return new Serving(process, String.valueOf(address));
                }
            }
            throw new AssertionError("serve said: " + said);
        }

        /** Nobody must wait for room in the pipe. */
        private static void drain(BufferedReader lines) {
            try {
                while (lines.readLine() != null) {}
            } catch (IOException e) {
                // it was killed
            }
        }

        @Override
        public void close() {
            process.destroyForcibly();
        }
    }

    private HttpResponse<String> post(String url, String body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url))
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        return http.send(request, HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void killedItLosesNoResponseThatWasComplete(@TempDir Path folder) throws Exception {
        String store = folder.resolve("responses.db").toString();
        ConcurrentLinkedQueue<String> complete = new ConcurrentLinkedQueue<>();
        try (Serving serving = Serving.start("--store", store);
                ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 4; i++) {
                boolean stream = i % 2 == 0;
                clients.submit(() -> {
                    while (true) { // until the server is gone
                        String body = post(
                                        serving.address + "/v1/responses",
                                        "{\"input\": \"" + QUESTION + "\", \"max_output_tokens\": 60, \"stream\": "
                                                + stream + "}")
                                .body();
                        String last = stream
                                ? body.substring(body.lastIndexOf("data: ") + 6).strip()
                                : body;
                        JsonObject json = (JsonObject) Json.parse(last);
                        JsonObject response = stream ? (JsonObject) json.get("response") : json;
                        if (response != null && response.get("id") instanceof JsonString id) {
                            complete.add(id.value());
                        }
                    }
                });
            }
            while (complete.size() < 12) {
                Thread.yield();
            }
            serving.process.destroyForcibly().waitFor(); // SIGKILL
        }
        try (Serving serving = Serving.start("--store", store)) {
            assertThat(complete).hasSizeGreaterThanOrEqualTo(12);
            for (String id : complete) {
                HttpRequest request = HttpRequest.newBuilder(URI.create(serving.address + "/v1/responses/" + id))
                        .build();
                assertThat(http.send(request, HttpResponse.BodyHandlers.ofString())
                                .statusCode())
                        .isEqualTo(200);
            }
        }
    }

    @Test
    void askedToEndItEndsWhatItBegan() throws Exception {
        try (Serving serving = Serving.start("--grace", "60s");
                ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<HttpResponse<String>>> answers = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                boolean stream = i % 2 == 0;
                answers.add(clients.submit(() -> post(
                        serving.address + "/v1/chat/completions",
                        "{\"messages\": [{\"role\": \"user\", \"content\": \"" + QUESTION + "\"}], \"stream\": "
                                + stream + "}")));
            }
            // All of them have begun when so many run or wait.
            HttpRequest health = HttpRequest.newBuilder(URI.create(serving.address + "/metrics"))
                    .build();
            Pattern begun = Pattern.compile("ossicle_passes_total [1-9]");
            while (!begun.matcher(http.send(health, HttpResponse.BodyHandlers.ofString())
                            .body())
                    .find()) {
                Thread.yield();
            }
            serving.process.destroy(); // SIGTERM
            int whole = 0;
            for (Future<HttpResponse<String>> answer : answers) {
                HttpResponse<String> response;
                try {
                    response = answer.get();
                } catch (ExecutionException e) {
                    assertThat(e).as("came too late to begin").hasRootCauseInstanceOf(IOException.class);
                    continue;
                }
                if (response.statusCode() == 503) {
                    continue; // came too late to begin
                }
                assertThat(response.statusCode()).isEqualTo(200);
                assertThat(response.body())
                        .contains("\"finish_reason\":\"stop\"")
                        .doesNotContain("\"error\"");
                whole++;
            }
            assertThat(whole).isPositive();
            assertThat(serving.process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        }
    }
}
