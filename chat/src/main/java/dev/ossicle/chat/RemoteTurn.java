package dev.ossicle.chat;

import dev.ossicle.chat.ChatEvent.Finish;
import dev.ossicle.chat.ChatEvent.Reasoning;
import dev.ossicle.chat.ChatEvent.Text;
import dev.ossicle.chat.ChatEvent.Usage;
import dev.ossicle.harmony.Message;
import dev.ossicle.harmony.Role;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonException;
import dev.ossicle.json.JsonNumber;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/** The assistant's turn on a host: one streamed chat completion for each step. */
final class RemoteTurn implements ChatModel.Turn {
    /** Of an answer that says what went wrong; a host may send a whole web page. */
    private static final int MAX_ERROR_CHARS = 2_000;

    /** One call as its pieces come in. */
    private static final class Call {
        String name = "";
        final StringBuilder arguments = new StringBuilder();
    }

    private final HttpClient client;
    private final URI endpoint;
    private final String model;
    private final @Nullable String key;
    private final ChatRequest request;
    private final List<Message> history;
    private int tokensLeft;

    private final Deque<ChatEvent> pending = new ArrayDeque<>();
    private final StringBuilder reasoning = new StringBuilder();
    private final StringBuilder text = new StringBuilder();
    private final Map<Integer, Call> calls = new TreeMap<>();
    private @Nullable Finish finish;
    private Usage usage = Usage.NONE;
    private boolean ended;
    private @Nullable BufferedReader lines;

    private volatile @Nullable InputStream body;
    private volatile @Nullable CompletableFuture<?> connecting;
    private volatile boolean cancelled;

    RemoteTurn(HttpClient client, URI endpoint, String model, @Nullable String key, ChatRequest request) {
        this.client = client;
        this.endpoint = endpoint;
        this.model = model;
        this.key = key;
        this.request = request;
        this.history = new ArrayList<>(request.shownHistory());
        this.tokensLeft = request.maxTokens();
    }

    @Override
    public @Nullable ChatEvent next() throws InterruptedException {
        while (pending.isEmpty() && !ended) {
            try {
                if (cancelled) {
                    endStream(Finish.CANCELLED);
                } else if (lines == null) {
                    lines = send();
                } else {
                    takeLine(lines.readLine());
                }
            } catch (IOException | UncheckedIOException e) {
                if (!cancelled) {
                    throw new ChatException(
                            "the connection to " + endpoint.getHost() + " failed: " + e.getMessage(), e);
                }
            }
        }
        return pending.poll();
    }

    private BufferedReader send() throws IOException, InterruptedException {
        JsonObject json = CompletionJson.request(model, request, history, tokensLeft);
        HttpRequest.Builder http = HttpRequest.newBuilder(endpoint)
                .header("Content-Type", "application/json")
                .header("Accept", "text/event-stream")
                .POST(HttpRequest.BodyPublishers.ofString(json.toString()));
        if (key != null) {
            http.header("Authorization", "Bearer " + key);
        }
        HttpResponse<InputStream> response =
                await(client.sendAsync(http.build(), HttpResponse.BodyHandlers.ofInputStream()));
        InputStream stream = response.body();
        if (response.statusCode() != 200) {
            try (stream) {
                String message = new String(stream.readNBytes(4 * MAX_ERROR_CHARS), StandardCharsets.UTF_8);
                throw new ChatException(endpoint.getHost() + " answered " + response.statusCode() + ": "
                        + errorMessage(message) + hint(response.statusCode()));
            }
        }
        body = stream;
        return new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8));
    }

    /** A host may think for long before its first byte, and {@link #cancel} must not wait for that. */
    private HttpResponse<InputStream> await(CompletableFuture<HttpResponse<InputStream>> exchange)
            throws IOException, InterruptedException {
        connecting = exchange;
        try {
            if (cancelled) {
                exchange.cancel(true);
            }
            return exchange.get();
        } catch (CancellationException e) {
            throw new IOException("cancelled", e);
        } catch (ExecutionException e) {
            throw new IOException(String.valueOf(e.getCause()), e);
        } finally {
            connecting = null;
        }
    }

    private static String errorMessage(String body) {
        try {
            if (Json.parse(body) instanceof JsonObject object) {
                Json error = object.get("error");
                if (error instanceof JsonObject inner && inner.get("message") instanceof JsonString message) {
                    return message.value();
                }
                if (error instanceof JsonString message) {
                    return message.value();
                }
            }
        } catch (JsonException e) {
            // then as it is
        }
        return body.substring(0, Math.min(body.length(), MAX_ERROR_CHARS)).strip();
    }

    private static String hint(int status) {
        return switch (status) {
            case 401, 403 -> " (is the key in the environment the right one?)";
            case 404 -> " (is the address complete, such as https://host/v1, and the model's name right?)";
            case 429 -> " (too many requests: try again later)";
            default -> "";
        };
    }

    /** One line of server-sent events; null at the end of the stream. */
    private void takeLine(@Nullable String line) {
        if (line == null) {
            if (finish == null && !cancelled) {
                throw new ChatException("the connection to " + endpoint.getHost() + " ended before the answer did");
            }
            endStream(finish == null ? Finish.CANCELLED : finish);
            return;
        }
        if (!line.startsWith("data:")) {
            return; // blank lines between events, comments that keep the connection open
        }
        String data = line.substring("data:".length()).strip();
        if (data.equals("[DONE]")) {
            endStream(finish == null ? Finish.STOP : finish);
            return;
        }
        Json json;
        try {
            json = Json.parse(data);
        } catch (JsonException e) {
            throw new ChatException(endpoint.getHost() + " sent what is not JSON: " + e.getMessage(), e);
        }
        if (json instanceof JsonObject chunk) {
            takeChunk(chunk);
        }
    }

    private void takeChunk(JsonObject chunk) {
        if (chunk.present("error") != null) {
            throw new ChatException(endpoint.getHost() + " failed: " + errorMessage(chunk.toString()));
        }
        if (chunk.present("usage") instanceof JsonObject tokens) {
            usage = usage(tokens);
        }
        if (!(chunk.present("choices") instanceof JsonArray choices)
                || choices.size() == 0
                || !(choices.get(0) instanceof JsonObject choice)) {
            return;
        }
        if (choice.present("delta") instanceof JsonObject delta) {
            // vLLM and OpenRouter say reasoning, llama.cpp and others reasoning_content
            String thought = string(delta, "reasoning");
            take(reasoning, thought.isEmpty() ? string(delta, "reasoning_content") : thought, true);
            take(text, string(delta, "content"), false);
            if (delta.present("tool_calls") instanceof JsonArray pieces) {
                pieces.elements().forEach(this::takeCall);
            }
        }
        switch (string(choice, "finish_reason")) {
            case "" -> {}
            case "length" -> finish = Finish.LENGTH;
            default -> finish = Finish.STOP;
        }
    }

    private void take(StringBuilder whole, String piece, boolean thought) {
        if (!piece.isEmpty()) {
            whole.append(piece);
            pending.add(thought ? new Reasoning(piece) : new Text(piece, false));
        }
    }

    private void takeCall(Json piece) {
        if (!(piece instanceof JsonObject object)) {
            return;
        }
        int index = object.present("index") instanceof JsonNumber number ? number.intValueExact() : calls.size();
        Call call = calls.computeIfAbsent(index, i -> new Call());
        if (object.present("function") instanceof JsonObject function) {
            call.name += string(function, "name");
            call.arguments.append(string(function, "arguments"));
        }
    }

    private static Usage usage(JsonObject tokens) {
        return new Usage(
                number(tokens, "prompt_tokens"),
                tokens.present("prompt_tokens_details") instanceof JsonObject details
                        ? number(details, "cached_tokens")
                        : 0,
                number(tokens, "completion_tokens"),
                tokens.present("completion_tokens_details") instanceof JsonObject details
                        ? number(details, "reasoning_tokens")
                        : 0,
                0,
                0);
    }

    private static int number(JsonObject object, String name) {
        return object.present(name) instanceof JsonNumber number ? (int) number.doubleValue() : 0;
    }

    private static String string(JsonObject object, String name) {
        return object.present(name) instanceof JsonString string ? string.value() : "";
    }

    private void endStream(Finish how) {
        finish = how;
        ended = true;
        InputStream stream = body;
        body = null;
        lines = null;
        if (stream != null) {
            try {
                stream.close();
            } catch (IOException e) {
                // nothing more is wanted of it
            }
        }
    }

    @Override
    public ChatModel.StepEnd end() {
        List<Message> said = new ArrayList<>();
        if (!reasoning.isEmpty()) {
            said.add(Message.of(Role.ASSISTANT, reasoning.toString()).withChannel(Message.ANALYSIS));
        }
        if (!text.isEmpty()) {
            said.add(Message.of(Role.ASSISTANT, text.toString())
                    .withChannel(calls.isEmpty() ? Message.FINAL : Message.COMMENTARY));
        }
        List<Message> called = calls.values().stream()
                .map(call -> Message.of(Role.ASSISTANT, call.arguments.toString())
                        .withChannel(Message.COMMENTARY)
                        .withRecipient("functions." + call.name)
                        .withContentType("<|constrain|>json"))
                .toList();
        said.addAll(called);
        if (finish == null) {
            throw new IllegalStateException("the step is still going on");
        }
        return new ChatModel.StepEnd(said, called, finish, usage, List.of());
    }

    @Override
    public void results(List<Message> results) {
        history.addAll(end().messages());
        history.addAll(results);
        tokensLeft = tokensLeft == Integer.MAX_VALUE ? tokensLeft : Math.max(1, tokensLeft - usage.completionTokens());
        reasoning.setLength(0);
        text.setLength(0);
        calls.clear();
        finish = null;
        usage = Usage.NONE;
        ended = false;
    }

    @Override
    public void cancel() {
        cancelled = true;
        CompletableFuture<?> exchange = connecting;
        if (exchange != null) {
            exchange.cancel(true);
        }
        InputStream stream = body;
        if (stream != null) {
            try {
                stream.close(); // wakes the reader
            } catch (IOException e) {
                // it will see that it is cancelled
            }
        }
    }
}
