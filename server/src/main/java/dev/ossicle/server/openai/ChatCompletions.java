package dev.ossicle.server.openai;

import static dev.ossicle.server.openai.Wire.object;

import dev.ossicle.chat.ChatEvent.Usage;
import dev.ossicle.chat.ChatRequest;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonNull;
import dev.ossicle.json.JsonObject;
import dev.ossicle.server.answer.AnswerRun;
import dev.ossicle.server.answer.Answers;
import dev.ossicle.server.answer.Ids;
import dev.ossicle.server.answer.Outcome;
import dev.ossicle.server.answer.Piece;
import dev.ossicle.server.answer.Runs;
import dev.ossicle.server.http.EventStream;
import dev.ossicle.server.http.Exchange;
import dev.ossicle.server.http.Fields;
import dev.ossicle.server.models.ModelHost;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** {@code POST /v1/chat/completions}. */
public final class ChatCompletions {
    private final ModelHost models;
    private final Answers answers;

    public ChatCompletions(ModelHost models, Answers answers) {
        this.models = models;
        this.answers = answers;
    }

    public void handle(Exchange exchange) throws IOException, InterruptedException {
        Fields body = exchange.body();
        try (ModelHost.Lease lease = models.use(body.string("model"))) {
            ChatCompletionRequest asked = ChatCompletionRequest.read(
                    body, answers, lease.model().engine().config().vocabulary());
            exchange.ignored(asked.ignored());
            try (Runs runs = begin(lease, asked)) {
                String model = body.string("model", lease.installed().name());
                Head head = new Head(Ids.next("chatcmpl-"), Instant.now().getEpochSecond(), model);
                Tokenizer tokenizer = lease.model().harmony().tokenizer();
                if (asked.stream()) {
                    EventStream stream = exchange.stream(EventStream.Format.EVENTS, runs::cancel);
                    new Stream(stream, head, asked, tokenizer).run(runs, exchange);
                } else {
                    exchange.watch(runs::cancel);
                    List<Outcome> outcomes = runs.readWhole();
                    exchange.note(Runs.note(model, outcomes));
                    exchange.send(whole(head, asked, outcomes, tokenizer));
                }
            }
        }
    }

    /** The choices side by side, each with a seed of its own. */
    private Runs begin(ModelHost.Lease lease, ChatCompletionRequest asked) {
        Runs runs = new Runs();
        try {
            for (int i = 0; i < asked.choices(); i++) {
                ChatRequest request = asked.request();
                if (i > 0 && request.options().seeded()) {
                    request =
                            Runs.withSeed(request, request.options().sampling().seed() + i);
                }
                runs.add(new AnswerRun(
                        answers,
                        lease.model(),
                        request,
                        asked.stops(),
                        i == 0 ? asked.sessions() : answers.open(asked.tools().builtIns(), Set.of())));
            }
        } catch (RuntimeException e) {
            runs.close();
            throw e;
        }
        return runs;
    }

    private record Head(String id, long created, String model) {
        JsonObject.Builder begin(String kind) {
            return object().put("id", id)
                    .put("object", kind)
                    .put("created", created)
                    .put("model", model)
                    .put("system_fingerprint", "ossicle");
        }
    }

    private static JsonObject whole(
            Head head, ChatCompletionRequest asked, List<Outcome> outcomes, Tokenizer tokenizer) {
        List<Json> choices = new ArrayList<>();
        for (int i = 0; i < outcomes.size(); i++) {
            Outcome outcome = outcomes.get(i);
            choices.add(object().put("index", i)
                    .put("message", message(asked, outcome))
                    .put(
                            "logprobs",
                            asked.logprobs()
                                    ? Wire.logprobs(
                                            outcome.texts().stream()
                                                    .flatMap(text -> text.tokens().stream())
                                                    .toList(),
                                            tokenizer)
                                    : JsonNull.NULL)
                    .put("finish_reason", Wire.finish(outcome.end()))
                    .build());
        }
        return head.begin("chat.completion")
                .put("choices", Json.of(choices))
                .put("usage", Wire.usage(Runs.usage(outcomes)))
                .build();
    }

    private static Json message(ChatCompletionRequest asked, Outcome outcome) {
        JsonObject.Builder message = object().put("role", "assistant")
                .put("content", outcome.text().isEmpty() ? JsonNull.NULL : Json.of(outcome.text()))
                .put("refusal", JsonNull.NULL);
        if (asked.showsReasoning() && !outcome.reasoning().isEmpty()) {
            message.put("reasoning", outcome.reasoning()).put("reasoning_content", outcome.reasoning());
        }
        if (!outcome.calls().isEmpty()) {
            List<Json> calls = new ArrayList<>();
            for (Piece.Call call : outcome.calls()) {
                calls.add(call(asked.tools(), call));
            }
            message.put("tool_calls", Json.of(calls));
        }
        List<Json> citations = new ArrayList<>();
        int end = 0;
        for (Piece.Text piece : outcome.texts()) {
            end += piece.text().codePointCount(0, piece.text().length());
            if (piece.source() != null) {
                citations.add(citation(piece, end));
            }
        }
        if (!citations.isEmpty()) {
            message.put("annotations", Json.of(citations));
        }
        if (!outcome.ran().isEmpty()) {
            List<Json> executed = new ArrayList<>();
            for (Outcome.Ran ran : outcome.ran()) {
                executed.add(executed(executed.size(), ran.call())
                        .put("output", ran.result().output().text())
                        .build());
            }
            message.put("executed_tools", Json.of(executed));
        }
        return message.build();
    }

    private static JsonObject citation(Piece.Text link, int end) {
        return object().put("type", "url_citation")
                .put("url_citation", Wire.citation(link, end, object()))
                .build();
    }

    /** A call of a tool that ran here, in the form that Groq's hosts gave it: OpenAI's has none. */
    private static JsonObject.Builder executed(int index, Piece.ToolStart call) {
        boolean code = !call.tool().contains(".");
        return object().put("index", index)
                .put("type", call.tool())
                .put(
                        "arguments",
                        code ? object().put("code", call.input()).build().toString() : call.input());
    }

    private static Json call(Tools tools, Piece.Call call) {
        Tools.Target target = tools.target(call.name());
        JsonObject.Builder json = object().put("id", call.id());
        return target.custom()
                ? json.put("type", "custom")
                        .put(
                                "custom",
                                object().put("name", target.name())
                                        .put("input", Tools.input(call.arguments()))
                                        .build())
                        .build()
                : json.put("type", "function")
                        .put(
                                "function",
                                object().put("name", target.name())
                                        .put("arguments", call.arguments())
                                        .build())
                        .build();
    }

    /** The same in chunks. */
    private static final class Stream {
        private final EventStream stream;
        private final Head head;
        private final ChatCompletionRequest asked;
        private final Tokenizer tokenizer;
        /** Of each choice, how many calls it has begun, and whether the last one takes plain text. */
        private final int[] calls;

        private final boolean[] custom;
        /** How many tools ran here. */
        private final int[] ran;

        /** Code points of its text. */
        private final int[] said;

        Stream(EventStream stream, Head head, ChatCompletionRequest asked, Tokenizer tokenizer) {
            this.stream = stream;
            this.head = head;
            this.asked = asked;
            this.tokenizer = tokenizer;
            this.calls = new int[asked.choices()];
            this.custom = new boolean[asked.choices()];
            this.ran = new int[asked.choices()];
            this.said = new int[asked.choices()];
        }

        void run(Runs runs, Exchange exchange) throws IOException, InterruptedException {
            for (int i = 0; i < asked.choices(); i++) {
                send(i, object().put("role", "assistant").put("content", "").build(), null, null);
            }
            List<Outcome> outcomes;
            try {
                outcomes = runs.read(index -> piece -> take(index, piece));
            } catch (RuntimeException e) {
                stream.send(exchange.dialect().error(Runs.error(e)));
                throw e;
            }
            exchange.note(Runs.note(head.model, outcomes));
            for (int i = 0; i < outcomes.size(); i++) {
                if (outcomes.get(i).end() == Outcome.End.SHUTDOWN) {
                    stream.send(exchange.dialect().error(Runs.shutdown()));
                    return;
                }
                send(i, JsonObject.EMPTY, Wire.finish(outcomes.get(i).end()), null);
            }
            if (asked.includeUsage()) {
                Usage usage = Runs.usage(outcomes);
                stream.send(head.begin("chat.completion.chunk")
                        .put("choices", Json.of(List.of()))
                        .put("usage", Wire.usage(usage))
                        .build());
            }
            stream.done();
        }

        private void take(int index, Piece piece) throws IOException {
            switch (piece) {
                case Piece.Reasoning thought -> {
                    if (asked.showsReasoning()) {
                        send(
                                index,
                                object().put("reasoning", thought.text())
                                        .put("reasoning_content", thought.text())
                                        .build(),
                                null,
                                null);
                    }
                }
                case Piece.Text text -> {
                    said[index] += text.text().codePointCount(0, text.text().length());
                    JsonObject.Builder delta = object().put("content", text.text());
                    if (text.source() != null) {
                        delta.put("annotations", Json.of(List.of(citation(text, said[index]))));
                    }
                    send(index, delta.build(), null, asked.logprobs() ? Wire.logprobs(text.tokens(), tokenizer) : null);
                }
                case Piece.CallStart start -> {
                    int place = calls[index]++;
                    Tools.Target target = asked.tools().target(start.name());
                    custom[index] = target.custom();
                    JsonObject.Builder call = object().put("index", place).put("id", start.id());
                    sendCall(
                            index,
                            target.custom()
                                    ? call.put("type", "custom")
                                            .put(
                                                    "custom",
                                                    object().put("name", target.name())
                                                            .put("input", "")
                                                            .build())
                                    : call.put("type", "function")
                                            .put(
                                                    "function",
                                                    object().put("name", target.name())
                                                            .put("arguments", "")
                                                            .build()));
                }
                case Piece.CallArguments arguments -> {
                    if (!custom[index]) {
                        sendCall(
                                index,
                                object().put("index", calls[index] - 1)
                                        .put(
                                                "function",
                                                object().put("arguments", arguments.text())
                                                        .build()));
                    }
                }
                case Piece.ToolStart start ->
                    sendExecuted(index, executed(ran[index]++, start).build());
                case Piece.ToolEnd end ->
                    sendExecuted(
                            index,
                            object().put("index", ran[index] - 1)
                                    .put("output", end.output().text())
                                    .build());
                case Piece.CallEnd(Piece.Call call) -> {
                    if (custom[index]) {
                        sendCall(
                                index,
                                object().put("index", calls[index] - 1)
                                        .put(
                                                "custom",
                                                object().put("input", Tools.input(call.arguments()))
                                                        .build()));
                    }
                }
            }
        }

        private void sendExecuted(int index, JsonObject tool) throws IOException {
            send(index, object().put("executed_tools", Json.of(List.of(tool))).build(), null, null);
        }

        private void sendCall(int index, JsonObject.Builder call) throws IOException {
            send(
                    index,
                    object().put("tool_calls", Json.of(List.of(call.build()))).build(),
                    null,
                    null);
        }

        private void send(int index, Json delta, @Nullable String finish, @Nullable Json logprobs) throws IOException {
            JsonObject.Builder chunk = head.begin("chat.completion.chunk")
                    .put(
                            "choices",
                            Json.of(List.of(object().put("index", index)
                                    .put("delta", delta)
                                    .put("logprobs", logprobs == null ? JsonNull.NULL : logprobs)
                                    .put("finish_reason", finish == null ? JsonNull.NULL : Json.of(finish))
                                    .build())));
            if (asked.includeUsage()) {
                chunk.put("usage", JsonNull.NULL);
            }
            stream.send(chunk.build());
        }
    }
}
