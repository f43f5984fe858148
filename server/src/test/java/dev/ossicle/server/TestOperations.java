package dev.ossicle.server;

import static dev.ossicle.server.Scripted.at;
import static dev.ossicle.server.Scripted.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.chat.LocalModel;
import dev.ossicle.engine.Engine;
import dev.ossicle.engine.EngineOptions;
import dev.ossicle.engine.scripted.ScriptedModelRunner;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import dev.ossicle.server.models.InstalledModel;
import dev.ossicle.server.models.ModelHost;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What happens when clients leave, too many come, models change, and the server ends. */
@Timeout(60)
class TestOperations {
    private static final String CHAT = "/v1/chat/completions";

    private static String ask(String text, boolean stream) {
        return "{\"messages\": [{\"role\": \"user\", \"content\": \"" + text + "\"}], \"stream\": " + stream + "}";
    }

    private static void await(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            Thread.yield(); // the test's timeout ends it
        }
    }

    /** A model that does a step each time it is let. */
    private static Semaphore stepByStep(Scripted scripted) {
        Semaphore steps = new Semaphore(0);
        scripted.runner.beforeForward(steps::acquireUninterruptibly);
        return steps;
    }

    private static Socket send(Scripted scripted, String body) throws IOException {
        Socket socket = new Socket("127.0.0.1", scripted.server.port());
        socket.getOutputStream()
                .write(("POST " + CHAT
                                + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
                                + body.length() + "\r\n\r\n" + body)
                        .getBytes(StandardCharsets.ISO_8859_1));
        socket.getOutputStream().flush();
        return socket;
    }

    /** Streamed or not: nobody computes for a client that has gone. */
    @Test
    void aClientThatLeavesIsNoticed() throws Exception {
        for (boolean stream : new boolean[] {true, false}) {
            try (Scripted scripted = new Scripted()) {
                scripted.says("x".repeat(60_000)); // more than is done before it is noticed
                Semaphore steps = stepByStep(scripted);
                Socket socket = send(scripted, ask("Hello", stream));
                await(() -> scripted.models.status() != null && steps.hasQueuedThreads());
                steps.release(2);
                await(() -> steps.availablePermits() == 0 && steps.hasQueuedThreads());
                socket.close();
                // Let it go on until it is idle: it was not for long.
                int before = scripted.runner.computedTokens();
                await(() -> {
                    steps.release();
                    return scripted.open() == 0;
                });
                steps.release(100_000);
                assertThat(scripted.runner.computedTokens() - before)
                        .as("stream " + stream)
                        .isLessThan(50_000);
                assertThat(scripted.says("Hi").post(CHAT, ask("Again", false)).statusCode())
                        .isEqualTo(200);
            }
        }
    }

    @Test
    void tooManyAreToldWhenToComeAgain() throws Exception {
        try (Scripted scripted = new Scripted(ServerOptions.DEFAULT, new EngineOptions(1, 2, 1 << 20), true)) {
            Semaphore steps = stepByStep(scripted);
            scripted.says("one").says("two");
            List<CompletableFuture<HttpResponse<String>>> first = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                first.add(scripted.http.sendAsync(
                        scripted.request(CHAT)
                                .header("content-type", "application/json")
                                .POST(HttpRequest.BodyPublishers.ofString(ask("Hello", false)))
                                .build(),
                        HttpResponse.BodyHandlers.ofString()));
            }
            await(() -> scripted.open() == 2);
            for (String path : List.of(CHAT, "/api/chat", "/v1/messages")) {
                HttpResponse<String> refused = scripted.post(
                        path, ask("Hello", false).replace("}]", "}], \"max_tokens\": 9, \"model\": \"gpt-oss\""));
                assertThat(refused.statusCode()).as(path).isEqualTo(429);
                assertThat(refused.headers().firstValue("retry-after")).isPresent();
                assertThat(refused.body()).contains("error");
            }
            assertThat(scripted.get("/health").statusCode()).isEqualTo(200);
            steps.release(1_000_000);
            for (var each : first) {
                assertThat(each.get().statusCode()).isEqualTo(200);
            }
        }
    }

    /** One who does not read holds nobody else up. */
    @Test
    void aSlowReaderHoldsNobodyUp() throws Exception {
        try (Scripted scripted = new Scripted()) {
            scripted.runner.author(prompt -> Scripted.tokens("<|channel|>final<|message|>"
                    + (Scripted.TOKENIZER.decode(prompt).contains("much") ? "x".repeat(60_000) : "quick")
                    + "<|return|>"));
            try (Socket slow = send(scripted, ask("much", true))) {
                for (int i = 0; i < 20; i++) {
                    assertThat(scripted.post(CHAT, ask("Hello", false)).body()).contains("quick");
                }
                slow.setSoTimeout(30_000);
                InputStream in = slow.getInputStream();
                StringBuilder all = new StringBuilder();
                byte[] buffer = new byte[1 << 16];
                while (!all.toString().endsWith("[DONE]\n\n\r\n0\r\n\r\n") && all.indexOf("[DONE]") < 0) {
                    int count = in.read(buffer);
                    assertThat(count).isPositive();
                    all.append(new String(buffer, 0, count, StandardCharsets.ISO_8859_1));
                }
                assertThat(all.toString().split("\"content\":\"x\"", -1)).hasSize(60_001);
            }
        }
    }

    /** Open answers end, new ones are refused. */
    @Test
    void theEndWaitsForOpenAnswers() throws Exception {
        Scripted scripted = new Scripted();
        scripted.runner.author(prompt -> Scripted.tokens("<|channel|>final<|message|>whole answer<|return|>"));
        Semaphore steps = stepByStep(scripted);
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<HttpResponse<String>>> answers = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                boolean stream = i % 2 == 0;
                answers.add(clients.submit(() -> scripted.post(CHAT, ask("Hello", stream))));
            }
            await(() -> scripted.open() == 20);
            Thread closing = Thread.ofPlatform().start(scripted.server::close);
            steps.release(1_000_000);
            for (var answer : answers) {
                HttpResponse<String> response = answer.get();
                assertThat(response.statusCode()).isEqualTo(200);
                assertThat(response.body().replaceAll("\\{\"id\".*?\"content\":\"(.?)\".*?\n", "$1"))
                        .satisfiesAnyOf(
                                text -> assertThat(text).contains("whole answer"),
                                text -> assertThat(response.body()).contains("[DONE]"));
            }
            closing.join();
        }
        scripted.close();
    }

    /** Who cannot end in time is told so. */
    @Test
    void atTheEndOfTheGracePeriodTheRestIsTold() throws Exception {
        ServerOptions hasty = ServerOptions.DEFAULT.withLimits(
                1 << 20, Duration.ofSeconds(30), Duration.ofMinutes(1), Duration.ofSeconds(3));
        Scripted scripted = new Scripted(hasty, EngineOptions.DEFAULT, true);
        scripted.runner.author(prompt -> Scripted.tokens("<|channel|>final<|message|>" + "x".repeat(50_000)));
        scripted.runner.beforeForward(() -> LockSupport.parkNanos(2_000_000));
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<HttpResponse<String>> streamed = clients.submit(() -> scripted.post(CHAT, ask("Hello", true)));
            Future<HttpResponse<String>> whole = clients.submit(() -> scripted.post(CHAT, ask("Hello", false)));
            Future<HttpResponse<String>> response =
                    clients.submit(() -> scripted.post("/v1/responses", "{\"input\": \"Hello\", \"stream\": true}"));
            Future<HttpResponse<String>> message = clients.submit(
                    () -> scripted.post(
                            "/v1/messages",
                            "{\"max_tokens\": 60000, \"stream\": true, \"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}"));
            await(() -> scripted.open() == 4);
            scripted.server.close();
            assertThat(streamed.get().body()).contains("\"error\"").contains("shutting down");
            assertThat(whole.get().statusCode()).isEqualTo(503);
            assertThat(response.get().body()).contains("event: response.failed");
            assertThat(message.get().body()).contains("event: error").contains("overloaded_error");
        }
        scripted.close();
    }

    @Test
    void responsesOutliveTheServer(@TempDir Path folder) throws Exception {
        ServerOptions options = ServerOptions.DEFAULT.withStore(folder.resolve("responses.db"));
        String id;
        String forgotten;
        try (Scripted scripted = new Scripted(options, EngineOptions.DEFAULT, true)) {
            id = text(scripted.says("Four.").ok("/v1/responses", "{\"input\": \"Two and two?\"}"), "id");
            forgotten = text(scripted.says("No.").ok("/v1/responses", "{\"input\": \"x\", \"store\": false}"), "id");
        }
        try (Scripted scripted = new Scripted(options, EngineOptions.DEFAULT, true)) {
            JsonObject kept =
                    (JsonObject) Json.parse(scripted.get("/v1/responses/" + id).body());
            assertThat(text(kept, "output", 1, "content", 0, "text")).isEqualTo("Four.");
            assertThat(scripted.get("/v1/responses/" + forgotten).statusCode()).isEqualTo(404);
            scripted.says("Five.")
                    .ok("/v1/responses", "{\"input\": \"And one?\", \"previous_response_id\": \"" + id + "\"}");
            assertThat(scripted.prompt(0))
                    .contains("Two and two?")
                    .contains("Four.")
                    .contains("And one?");
            assertThat(scripted.post("/v1/responses", "{\"input\": \"x\", \"previous_response_id\": \"resp_none\"}")
                            .body())
                    .contains("previous_response_not_found");
        }
    }

    private static String name(ModelHost host) {
        ModelHost.Resident resident = host.resident();
        return resident == null || resident.model().engine().open() == 0
                ? ""
                : resident.installed().name();
    }

    @Test
    void anotherModelIsSwappedInWhenNobodyUsesTheOneThatIsThere() throws Exception {
        List<ScriptedModelRunner> runners = new ArrayList<>();
        CountDownLatch go = new CountDownLatch(1);
        List<InstalledModel> installed = new ArrayList<>();
        for (String name : List.of("one", "two")) {
            ScriptedModelRunner runner = new ScriptedModelRunner(Scripted.TOKENIZER.vocabularySize(), 4096);
            runner.author(prompt -> Scripted.tokens("<|channel|>final<|message|>" + name + "<|return|>"));
            runners.add(runner);
            installed.add(Scripted.installed(
                    name, List.of(), () -> LocalModel.of(name, new Engine(runner), Scripted.TOKENIZER, true)));
        }
        runners.getFirst().beforeForward(() -> {
            try {
                go.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        ModelHost host = new ModelHost(installed, null);
        try (ExecutorService users = Executors.newVirtualThreadPerTaskExecutor();
                Scripted client = new Scripted();
                OssicleServer server = OssicleServer.start(ServerOptions.DEFAULT.withPort(0), host)) {
            List<Future<String>> answers = new ArrayList<>();
            for (String name : List.of("one", "two", "one", "two")) {
                answers.add(users.submit(() -> {
                    var request = HttpRequest.newBuilder(URI.create(server.address() + CHAT))
                            .header("content-type", "application/json")
                            .POST(HttpRequest.BodyPublishers.ofString(
                                    ask("Hello", false).replaceFirst("\\{", "{\"model\": \"" + name + "\", ")))
                            .build();
                    return client.http
                            .send(request, HttpResponse.BodyHandlers.ofString())
                            .body();
                }));
                await(() -> host.resident() != null
                        && host.resident().model().engine().open() > 0);
            }
            assertThat(name(host)).isEqualTo("one");
            go.countDown();
            for (int i = 0; i < 4; i++) {
                assertThat(answers.get(i).get()).contains("\"content\":\"" + (i % 2 == 0 ? "one" : "two") + "\"");
            }
        }
    }

    @Test
    void aModelThatNobodyUsesGoes() throws Exception {
        try (Scripted scripted = new Scripted()) {
            scripted.says("Hi").ok(CHAT, ask("Hello", false));
            assertThat(scripted.models.resident()).isNotNull();
            JsonObject unloaded = scripted.ok("/api/generate", "{\"model\": \"gpt-oss\", \"keep_alive\": 0}");
            assertThat(text(unloaded, "done_reason")).isEqualTo("unload");
            await(() -> scripted.models.resident() == null);
            assertThat(at(Json.parse(scripted.get("/api/ps").body()), "models")).hasToString("[]");
            assertThat(scripted.get("/health").statusCode()).isEqualTo(200);
        }
    }

    @Test
    void timeIsUp() throws Exception {
        ServerOptions hasty = ServerOptions.DEFAULT.withLimits(
                1 << 20, Duration.ofSeconds(30), Duration.ofMillis(300), Duration.ofSeconds(3));
        try (Scripted scripted = new Scripted(hasty, EngineOptions.DEFAULT, true)) {
            scripted.runner.author(prompt -> Scripted.tokens("<|channel|>final<|message|>" + "x".repeat(50_000)));
            scripted.runner.beforeForward(() -> LockSupport.parkNanos(2_000_000));
            JsonObject cut = scripted.ok(CHAT, ask("Hello", false));
            assertThat(text(cut, "choices", 0, "finish_reason")).isEqualTo("length");
            assertThat(text(cut, "choices", 0, "message", "content")).contains("xxx");
        }
    }
}
