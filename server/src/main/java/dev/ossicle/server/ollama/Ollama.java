package dev.ossicle.server.ollama;

import dev.ossicle.chat.ChatEvent.Usage;
import dev.ossicle.chat.ChatOptions;
import dev.ossicle.chat.ChatRequest;
import dev.ossicle.chat.LocalModel;
import dev.ossicle.chat.ToolChoice;
import dev.ossicle.engine.GenerationRequest;
import dev.ossicle.engine.LogitAdjustments;
import dev.ossicle.harmony.ReasoningEffort;
import dev.ossicle.harmony.ToolDescription;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonBoolean;
import dev.ossicle.json.JsonNumber;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import dev.ossicle.server.answer.AnswerRun;
import dev.ossicle.server.answer.Answers;
import dev.ossicle.server.answer.History;
import dev.ossicle.server.answer.Outcome;
import dev.ossicle.server.answer.Piece;
import dev.ossicle.server.answer.RawRun;
import dev.ossicle.server.answer.Runs;
import dev.ossicle.server.answer.Settings;
import dev.ossicle.server.answer.Settings.Thinking;
import dev.ossicle.server.http.EventStream;
import dev.ossicle.server.http.Exchange;
import dev.ossicle.server.http.Fields;
import dev.ossicle.server.models.ModelHost;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** {@code POST /api/chat} and {@code /api/generate}. */
public final class Ollama {
    private static final JsonObject OBJECT =
            JsonObject.builder().put("type", "object").build();

    private final ModelHost models;
    private final Answers answers;

    public Ollama(ModelHost models, Answers answers) {
        this.models = models;
        this.answers = answers;
    }

    /** How the two differ: where the text of the answer stands. */
    private enum Form {
        CHAT,
        GENERATE
    }

    private record Asked(
            Form form, String model, ChatRequest request, List<String> stops, boolean shown, boolean stream) {}

    public void chat(Exchange exchange) throws IOException, InterruptedException {
        Fields body = exchange.body();
        long start = System.nanoTime();
        try (ModelHost.Lease lease = models.use(body.requiredString("model"))) {
            long loaded = System.nanoTime();
            keepAlive(body);
            List<Fields> messages = body.objects("messages");
            if (messages.isEmpty()) {
                exchange.send(loadedOnly(Form.CHAT, body));
                return;
            }
            History history = new History(answers.turns());
            messages.forEach(message -> message(message, history));
            answer(exchange, lease, asked(body, Form.CHAT, history, tools(body)), start, loaded);
        }
    }

    public void generate(Exchange exchange) throws IOException, InterruptedException {
        Fields body = exchange.body();
        body.refuse("suffix", "gpt-oss cannot fill in");
        body.refuse("images", "gpt-oss reads text only");
        long start = System.nanoTime();
        try (ModelHost.Lease lease = models.use(body.requiredString("model"))) {
            long loaded = System.nanoTime();
            keepAlive(body);
            String prompt = body.string("prompt", "");
            if (prompt.isEmpty()) {
                exchange.send(loadedOnly(Form.GENERATE, body));
                return;
            }
            History history = new History(answers.turns());
            String system = body.string("system", "");
            if (!system.isEmpty()) {
                history.instructions(system);
            }
            history.user(prompt);
            Asked asked = asked(body, Form.GENERATE, history, List.of());
            if (body.bool("raw", false)) {
                raw(exchange, lease, asked, prompt, start, loaded);
            } else {
                answer(exchange, lease, asked, start, loaded);
            }
        }
    }

    private void answer(Exchange exchange, ModelHost.Lease lease, Asked asked, long start, long loaded)
            throws IOException, InterruptedException {
        try (Runs runs = new Runs()) {
            runs.add(new AnswerRun(answers, lease.model(), asked.request, asked.stops));
            if (!asked.stream) {
                exchange.watch(runs::cancel);
                Outcome outcome = runs.readWhole().getFirst();
                exchange.note(Runs.note(asked.model, List.of(outcome)));
                JsonObject.Builder line = begin(asked.model);
                put(line, asked, outcome.text(), asked.shown ? outcome.reasoning() : "", outcome.calls());
                exchange.send(end(line, outcome, start, loaded));
                return;
            }
            EventStream stream = exchange.stream(EventStream.Format.LINES, runs::cancel);
            try {
                Outcome outcome =
                        runs.read(index -> piece -> take(piece, asked, stream)).getFirst();
                exchange.note(Runs.note(asked.model, List.of(outcome)));
                last(stream, asked, outcome, start, loaded);
            } catch (RuntimeException e) {
                stream.send(exchange.dialect().error(Runs.error(e)));
                throw e;
            }
        }
    }

    private static void last(EventStream stream, Asked asked, Outcome outcome, long start, long loaded)
            throws IOException {
        if (outcome.end() == Outcome.End.SHUTDOWN) {
            throw Runs.shutdown();
        }
        JsonObject.Builder line = begin(asked.model);
        put(line, asked, "", "", List.of());
        stream.send(end(line, outcome, start, loaded));
    }

    private static void take(Piece piece, Asked asked, EventStream stream) throws IOException {
        JsonObject.Builder line = begin(asked.model);
        switch (piece) {
            case Piece.Reasoning thought -> {
                if (!asked.shown) {
                    return;
                }
                put(line, asked, "", thought.text(), List.of());
            }
            case Piece.Text text -> put(line, asked, text.text(), "", List.of());
            case Piece.CallEnd(Piece.Call call) -> put(line, asked, "", "", List.of(call));
            case Piece.CallStart ignored -> {
                return; // calls come whole here
            }
            case Piece.CallArguments ignored -> {
                return;
            }
            case Piece.ToolStart ignored -> throw new AssertionError("no tool of ours is offered here");
            case Piece.ToolEnd ignored -> throw new AssertionError("no tool of ours is offered here");
        }
        stream.send(line.put("done", false).build());
    }

    /** The text as it is, without a conversation around it. */
    private void raw(Exchange exchange, ModelHost.Lease lease, Asked asked, String prompt, long start, long loaded)
            throws IOException, InterruptedException {
        LocalModel model = lease.model();
        Tokenizer tokenizer = model.harmony().tokenizer();
        GenerationRequest request = new GenerationRequest(
                tokenizer.encode(prompt, tokenizer.specialNames()),
                asked.request.options().sampling(),
                asked.request.maxTokens(),
                model.harmony().stopTokensForAssistantActions(),
                -1,
                null,
                0,
                answers.timeout(),
                asked.request.options().adjustments());
        try (RawRun run = new RawRun(answers, model, request, asked.stops)) {
            if (!asked.stream) {
                exchange.watch(run::cancel);
                Outcome outcome = run.read((text, tokens) -> {});
                if (outcome.end() == Outcome.End.SHUTDOWN) {
                    throw Runs.shutdown();
                }
                JsonObject.Builder line = begin(asked.model);
                put(line, asked, outcome.text(), "", List.of());
                exchange.send(end(line, outcome, start, loaded));
                return;
            }
            EventStream stream = exchange.stream(EventStream.Format.LINES, run::cancel);
            try {
                Outcome outcome =
                        run.read((text, tokens) -> take(new Piece.Text(text, false, List.of(), null), asked, stream));
                last(stream, asked, outcome, start, loaded);
            } catch (RuntimeException e) {
                stream.send(exchange.dialect().error(Runs.error(e)));
                throw e;
            }
        }
    }

    private static JsonObject.Builder begin(String model) {
        return JsonObject.builder()
                .put("model", model)
                .put("created_at", Instant.now().toString());
    }

    private static void put(JsonObject.Builder line, Asked asked, String text, String thought, List<Piece.Call> calls) {
        if (asked.form == Form.GENERATE) {
            line.put("response", text);
            if (!thought.isEmpty()) {
                line.put("thinking", thought);
            }
            return;
        }
        JsonObject.Builder message =
                JsonObject.builder().put("role", "assistant").put("content", text);
        if (!thought.isEmpty()) {
            message.put("thinking", thought);
        }
        if (!calls.isEmpty()) {
            List<Json> list = new ArrayList<>();
            for (Piece.Call call : calls) {
                list.add(JsonObject.builder()
                        .put("id", call.id())
                        .put(
                                "function",
                                JsonObject.builder()
                                        .put("index", list.size())
                                        .put("name", call.name())
                                        .put("arguments", call.object())
                                        .build())
                        .build());
            }
            message.put("tool_calls", Json.of(list));
        }
        line.put("message", message.build());
    }

    private static JsonObject end(JsonObject.Builder line, Outcome outcome, long start, long loaded) {
        Usage usage = outcome.usage();
        return line.put("done", true)
                .put("done_reason", outcome.end() == Outcome.End.LENGTH ? "length" : "stop")
                .put("total_duration", System.nanoTime() - start)
                .put("load_duration", loaded - start)
                .put("prompt_eval_count", usage.promptTokens())
                .put("prompt_eval_duration", (long) (usage.promptSeconds() * 1e9))
                .put("eval_count", usage.completionTokens())
                .put("eval_duration", (long) (usage.completionSeconds() * 1e9))
                .build();
    }

    /** Nothing was asked but that the model be there. */
    private JsonObject loadedOnly(Form form, Fields body) {
        JsonObject.Builder line = begin(body.requiredString("model"));
        if (form == Form.GENERATE) {
            line.put("response", "");
        } else {
            line.put(
                    "message",
                    JsonObject.builder()
                            .put("role", "assistant")
                            .put("content", "")
                            .build());
        }
        boolean unloads = body.get("keep_alive") instanceof JsonNumber number && number.doubleValue() == 0;
        return line.put("done", true)
                .put("done_reason", unloads ? "unload" : "load")
                .build();
    }

    private Asked asked(Fields body, Form form, History history, List<ToolDescription> tools) {
        Fields given = body.fields("options");
        Fields options = given == null ? new Fields(JsonObject.EMPTY, "options") : given;
        Thinking thinking = thinking(body);
        long predict = options.integer("num_predict", -1, -2, Integer.MAX_VALUE);
        ChatRequest request = new ChatRequest(
                history.instructions(),
                tools,
                List.of(),
                ToolChoice.AUTO,
                history.messages(),
                Settings.sampling(options, ChatOptions.DEFAULT)
                        .withEffort(thinking.effort())
                        .withAdjustments(new LogitAdjustments(
                                Map.of(),
                                options.number("presence_penalty", 0, -2, 2),
                                options.number("frequency_penalty", 0, -2, 2))),
                format(body),
                predict > 0 ? (int) predict : Integer.MAX_VALUE,
                answers.timeout());
        return new Asked(
                form,
                body.requiredString("model"),
                request,
                Settings.stops(options, "stop"),
                thinking.shown(),
                body.bool("stream", true));
    }

    private static Thinking thinking(Fields body) {
        Thinking byDefault = new Thinking(ReasoningEffort.MEDIUM, true);
        return switch (body.get("think")) {
            case null -> byDefault;
            case JsonBoolean bool -> bool.value() ? byDefault : new Thinking(ReasoningEffort.LOW, false);
            case JsonString word -> Settings.thinking(word.value(), "think", byDefault);
            case Json other ->
                throw body.bad("think", "think is " + other.kind() + ", must be true, false or an effort");
        };
    }

    private static @Nullable Json format(Fields body) {
        return switch (body.get("format")) {
            case null -> null;
            case JsonString word when word.value().isEmpty() -> null;
            case JsonString word when word.value().equals("json") -> OBJECT;
            case JsonObject schema -> schema;
            case Json other -> throw body.bad("format", "format must be \"json\" or a JSON Schema");
        };
    }

    private static List<ToolDescription> tools(Fields body) {
        List<ToolDescription> tools = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (Fields tool : body.objects("tools")) {
            Fields function = tool.fields("function");
            if (function == null) {
                throw tool.missing("function");
            }
            String name = Settings.functionName(function, names);
            tools.add(new ToolDescription(name, function.string("description", ""), function.jsonObject("parameters")));
        }
        return tools;
    }

    private static void message(Fields message, History history) {
        message.refuse("images", "gpt-oss reads text only");
        String role = message.requiredString("role");
        String content = message.string("content", "");
        switch (role) {
            case "system", "developer" -> history.instructions(content);
            case "user" -> history.user(content);
            case "assistant" -> {
                history.reasoning(message.string("thinking", message.string("reasoning", "")));
                List<Fields> calls = message.objects("tool_calls");
                history.assistant(content, !calls.isEmpty());
                for (Fields call : calls) {
                    Fields function = call.fields("function");
                    if (function == null) {
                        throw call.missing("function");
                    }
                    JsonObject arguments = function.jsonObject("arguments");
                    history.call(
                            call.string("id"),
                            function.requiredString("name"),
                            arguments == null ? "{}" : arguments.toString());
                }
            }
            case "tool" ->
                history.result(
                        message.string("tool_call_id"),
                        message.has("tool_name") ? message.string("tool_name") : message.string("name"),
                        content,
                        message.path("role"));
            default ->
                throw message.bad(
                        "role", message.path("role") + " is \"" + role + "\", must be system, user, assistant or tool");
        }
    }

    /** {@code 0}, seconds, or {@code "5m"}; negative for ever. */
    private void keepAlive(Fields body) {
        switch (body.get("keep_alive")) {
            case null -> {}
            case JsonNumber seconds -> keepAlive(seconds.doubleValue());
            case JsonString text -> keepAlive(seconds(text.value(), body));
            case Json other -> throw body.bad("keep_alive", "keep_alive is " + other.kind() + ", must be like \"5m\"");
        }
    }

    private void keepAlive(double seconds) {
        models.keepAlive(seconds < 0 ? null : Duration.ofMillis((long) Math.min(1e15, seconds * 1000)));
    }

    private static double seconds(String text, Fields body) {
        var parts = Pattern.compile("(-?\\d+(?:\\.\\d+)?)(ms|s|m|h)?").matcher(text);
        double seconds = 0;
        int end = 0;
        while (parts.find() && parts.start() == end) {
            end = parts.end();
            double number = Double.parseDouble(parts.group(1));
            seconds += switch (parts.group(2)) {
                case "ms" -> number / 1000;
                case "m" -> number * 60;
                case "h" -> number * 3600;
                case null, default -> number;
            };
        }
        if (end == 0 || end < text.length()) {
            throw body.bad("keep_alive", "keep_alive is \"" + text + "\", must be like \"5m\", \"30s\" or \"-1\"");
        }
        return seconds;
    }
}
