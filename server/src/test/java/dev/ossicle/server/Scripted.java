package dev.ossicle.server;

import dev.ossicle.chat.LocalModel;
import dev.ossicle.engine.Engine;
import dev.ossicle.engine.EngineOptions;
import dev.ossicle.engine.scripted.ScriptedModelRunner;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import dev.ossicle.server.answer.BuiltIns;
import dev.ossicle.server.models.InstalledModel;
import dev.ossicle.server.models.ModelHost;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A server whose model says what a test has it say, over a vocabulary of single bytes; and a client that is the JDK's own. */
public final class Scripted implements AutoCloseable {
    private static final List<String> SPECIAL = List.of(
            "<|startoftext|>",
            "<|endoftext|>",
            "<|return|>",
            "<|constrain|>",
            "<|channel|>",
            "<|start|>",
            "<|end|>",
            "<|message|>",
            "<|call|>");

    public static final Tokenizer TOKENIZER = tokenizer();
    private static final int CONTEXT = 1 << 16;

    public final ScriptedModelRunner runner = new ScriptedModelRunner(TOKENIZER.vocabularySize(), CONTEXT);
    public final OssicleServer server;
    final ModelHost models;
    /** With its defaults, which ask for HTTP/2. */
    final HttpClient http = HttpClient.newHttpClient();

    public Scripted() throws IOException {
        this(ServerOptions.DEFAULT, EngineOptions.DEFAULT, true);
    }

    public Scripted(ServerOptions options, EngineOptions limits, boolean framed) throws IOException {
        this(options, limits, framed, BuiltIns.NONE);
    }

    public Scripted(ServerOptions options, EngineOptions limits, boolean framed, BuiltIns builtIns) throws IOException {
        models = new ModelHost(
                List.of(installed(
                        "gpt-oss-20b",
                        List.of("gpt-oss", "gpt-oss:20b"),
                        () -> LocalModel.of("script", new Engine(runner, limits), TOKENIZER, framed))),
                null);
        server = OssicleServer.start(options.withPort(0), models, builtIns);
    }

    static InstalledModel installed(String name, List<String> aliases, Supplier<LocalModel> open) {
        return new InstalledModel(
                name, aliases, 1000, Instant.parse("2026-01-02T03:04:05Z"), 20_900_000_000L, CONTEXT, "MXFP4", open);
    }

    private static Tokenizer tokenizer() {
        Tokenizer.Builder builder = Tokenizer.builder();
        for (int value = 0; value < 256; value++) {
            builder.token(value, new byte[] {(byte) value});
        }
        for (int i = 0; i < SPECIAL.size(); i++) {
            builder.special(SPECIAL.get(i), 256 + i);
        }
        return builder.build();
    }

    public static int[] tokens(String harmony) {
        return TOKENIZER.encode(harmony, TOKENIZER.specialNames());
    }

    /** Adds an answer in Harmony's own words, from behind {@code <|start|>assistant}. */
    public Scripted answer(String harmony) {
        runner.answer(tokens(harmony));
        return this;
    }

    public Scripted says(String text) {
        return answer("<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>" + text
                + "<|return|>");
    }

    public Scripted calls(String function, String arguments) {
        return answer(
                "<|channel|>analysis<|message|>I need it.<|end|><|start|>assistant<|channel|>commentary to=functions."
                        + function + " <|constrain|>json<|message|>" + arguments + "<|call|>");
    }

    /** The prompt of the n-th answer as text, control tokens included. */
    public String prompt(int n) {
        return TOKENIZER.decode(runner.prompts().get(n));
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(server.address() + path)).timeout(Duration.ofSeconds(30));
    }

    HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return http.send(request(path).build(), HttpResponse.BodyHandlers.ofString());
    }

    HttpResponse<String> post(String path, String body, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = request(path)
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    /** The body of an answer that is one. */
    JsonObject ok(String path, String body) throws IOException, InterruptedException {
        HttpResponse<String> response = post(path, body);
        if (response.statusCode() != 200) {
            throw new AssertionError(path + " answered " + response.statusCode() + " " + response.body());
        }
        return (JsonObject) Json.parse(response.body());
    }

    /** The data of a stream's events; {@code [DONE]} is a string. */
    List<Json> events(String path, String body) throws IOException, InterruptedException {
        HttpResponse<String> response = post(path, body);
        if (response.statusCode() != 200) {
            throw new AssertionError(path + " answered " + response.statusCode() + " " + response.body());
        }
        List<Json> events = new ArrayList<>();
        String event = null;
        for (String line : response.body().split("\n")) {
            if (line.startsWith("event: ")) {
                event = line.substring(7);
            } else if (line.startsWith("data: ")) {
                String data = line.substring(6);
                Json json = data.equals("[DONE]") ? Json.of(data) : Json.parse(data);
                if (event != null && !Json.of(event).equals(at(json, "type"))) {
                    throw new AssertionError("event " + event + " carries " + json);
                }
                events.add(json);
            } else if (line.startsWith("{")) {
                events.add(Json.parse(line));
            }
        }
        return events;
    }

    /** What is at a path of names and indices; null if there is nothing. */
    static @Nullable Json at(@Nullable Json json, Object... path) {
        Json here = json;
        for (Object step : path) {
            here = switch (here) {
                case JsonObject object when step instanceof String name -> object.get(name);
                case JsonArray array
                when step instanceof Integer index -> index < array.size() ? array.get(index) : null;
                case null, default -> null;
            };
        }
        return here;
    }

    /** The array at a path. */
    static List<Json> array(@Nullable Json json, Object... path) {
        if (at(json, path) instanceof JsonArray array) {
            return array.elements();
        }
        throw new AssertionError("no array in " + json);
    }

    /** Generations that have begun and not ended; 0 if no model is in memory. */
    int open() {
        ModelHost.Resident resident = models.resident();
        return resident == null ? 0 : resident.model().engine().open();
    }

    static String text(@Nullable Json json, Object... path) {
        return at(json, path) instanceof JsonString string ? string.value() : "";
    }

    @Override
    public void close() {
        http.close();
        server.close();
    }
}
