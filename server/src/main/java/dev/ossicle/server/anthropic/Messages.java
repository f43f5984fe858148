package dev.ossicle.server.anthropic;

import dev.ossicle.chat.ChatEvent.Usage;
import dev.ossicle.chat.ChatOptions;
import dev.ossicle.chat.ChatRequest;
import dev.ossicle.chat.ToolChoice;
import dev.ossicle.engine.LogitAdjustments;
import dev.ossicle.harmony.ReasoningEffort;
import dev.ossicle.harmony.ToolDescription;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonNull;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import dev.ossicle.server.answer.AnswerRun;
import dev.ossicle.server.answer.Answers;
import dev.ossicle.server.answer.History;
import dev.ossicle.server.answer.Ids;
import dev.ossicle.server.answer.Outcome;
import dev.ossicle.server.answer.Runs;
import dev.ossicle.server.answer.Settings;
import dev.ossicle.server.answer.Settings.Thinking;
import dev.ossicle.server.http.EventStream;
import dev.ossicle.server.http.Exchange;
import dev.ossicle.server.http.Fields;
import dev.ossicle.server.models.ModelHost;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** {@code POST /v1/messages} and {@code /v1/messages/count_tokens}. */
public final class Messages {
    /** Budgets of thinking below which low and medium are meant: Anthropic's own documentation begins at 1024. */
    private static final int LOW_BUDGET = 4096;

    private static final int MEDIUM_BUDGET = 16_384;

    private final ModelHost models;
    private final Answers answers;

    public Messages(ModelHost models, Answers answers) {
        this.models = models;
        this.answers = answers;
    }

    /** @param thinking whether the client wants to see what is thought */
    private record Asked(
            ChatRequest request, List<String> stops, boolean thinking, boolean stream, List<String> ignored) {}

    public void create(Exchange exchange) throws IOException, InterruptedException {
        Fields body = exchange.body();
        if (!body.has("max_tokens")) {
            throw body.missing("max_tokens");
        }
        try (ModelHost.Lease lease = models.use(body.string("model"))) {
            Asked asked = read(body);
            exchange.ignored(asked.ignored);
            String model = body.string("model", lease.installed().name());
            int promptTokens = lease.model().prompt(asked.request).length;
            try (Runs runs = new Runs()) {
                runs.add(new AnswerRun(answers, lease.model(), asked.request, asked.stops));
                MessageWriter.Events events = (type, event) -> {};
                if (asked.stream) {
                    EventStream stream = exchange.stream(EventStream.Format.EVENTS, runs::cancel);
                    events = stream::send;
                } else {
                    exchange.watch(runs::cancel);
                }
                MessageWriter writer = new MessageWriter(Ids.next("msg_"), model, asked.thinking, events);
                try {
                    writer.begin(promptTokens);
                    Outcome outcome = runs.read(index -> writer).getFirst();
                    exchange.note(Runs.note(model, List.of(outcome)));
                    if (outcome.end() == Outcome.End.SHUTDOWN) {
                        throw Runs.shutdown();
                    }
                    JsonObject message = writer.finish(outcome, asked.stops);
                    if (!asked.stream) {
                        exchange.send(message);
                    }
                } catch (RuntimeException e) {
                    if (asked.stream) {
                        events.event("error", exchange.dialect().error(Runs.error(e)));
                    }
                    throw e;
                }
            }
        }
    }

    public void countTokens(Exchange exchange) throws IOException, InterruptedException {
        Fields body = exchange.body();
        try (ModelHost.Lease lease = models.use(body.string("model"))) {
            exchange.send(JsonObject.builder()
                    .put("input_tokens", lease.model().prompt(read(body).request).length)
                    .build());
        }
    }

    static JsonObject usage(Usage usage) {
        return JsonObject.builder()
                .put("input_tokens", Math.max(0, usage.promptTokens() - usage.cachedTokens()))
                .put("cache_creation_input_tokens", 0)
                .put("cache_read_input_tokens", usage.cachedTokens())
                .put("output_tokens", usage.completionTokens())
                .build();
    }

    private Asked read(Fields body) {
        List<String> ignored = new ArrayList<>();
        for (String name : List.of("service_tier", "container", "mcp_servers", "context_management")) {
            if (body.has(name)) {
                ignored.add(name);
            }
        }
        History history = new History(answers.turns());
        String system = text(body, "system");
        if (!system.isEmpty()) {
            history.instructions(system);
        }
        List<Fields> messages = body.objects("messages");
        if (messages.isEmpty()) {
            throw body.bad("messages", "messages is missing or empty: say something");
        }
        messages.forEach(message -> message(message, history));
        List<ToolDescription> tools = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (Fields tool : body.objects("tools")) {
            String type = tool.string("type", "custom");
            if (!type.equals("custom")) {
                ignored.add(tool.path() + " (" + type + ")"); // one that Anthropic runs itself
                continue;
            }
            String name = Settings.functionName(tool, names);
            tools.add(new ToolDescription(name, tool.string("description", ""), tool.jsonObject("input_schema")));
        }
        Fields thinking = body.fields("thinking");
        String kind = thinking == null ? "disabled" : thinking.requiredString("type");
        Fields config = body.fields("output_config");
        Fields format = config == null ? body.fields("output_format") : config.fields("format");
        ChatRequest request = new ChatRequest(
                history.instructions(),
                tools,
                List.of(),
                choice(body, names),
                history.messages(),
                Settings.sampling(body, ChatOptions.DEFAULT)
                        .withEffort(effort(thinking, config))
                        .withAdjustments(LogitAdjustments.NONE),
                format == null ? null : format.jsonObject("schema"),
                (int) body.integer("max_tokens", Integer.MAX_VALUE, 1, Integer.MAX_VALUE),
                answers.timeout());
        return new Asked(
                request,
                Settings.stops(body, "stop_sequences"),
                !kind.equals("disabled"),
                body.bool("stream", false),
                ignored);
    }

    /** gpt-oss always thinks; how long is told by an effort, or by a budget. */
    private static ReasoningEffort effort(@Nullable Fields thinking, @Nullable Fields config) {
        if (config != null && config.has("effort")) {
            return Settings.thinking(
                            config.string("effort"), "output_config.effort", new Thinking(ReasoningEffort.MEDIUM, true))
                    .effort();
        }
        if (thinking == null || !thinking.has("budget_tokens")) {
            return ReasoningEffort.MEDIUM;
        }
        long budget = thinking.integer("budget_tokens", 0, 1, Integer.MAX_VALUE);
        return budget < LOW_BUDGET
                ? ReasoningEffort.LOW
                : budget < MEDIUM_BUDGET ? ReasoningEffort.MEDIUM : ReasoningEffort.HIGH;
    }

    private static ToolChoice choice(Fields body, Set<String> names) {
        Fields choice = body.fields("tool_choice");
        if (choice == null) {
            return ToolChoice.AUTO;
        }
        String type = choice.requiredString("type");
        if ((type.equals("any") || type.equals("tool")) && names.isEmpty()) {
            throw choice.bad("type", "tool_choice asks for a call, but there are no tools");
        }
        return switch (type) {
            case "auto" -> ToolChoice.AUTO;
            case "none" -> ToolChoice.NONE;
            case "any" -> ToolChoice.REQUIRED;
            case "tool" -> {
                String name = choice.requiredString("name");
                if (!names.contains(name)) {
                    throw choice.bad("name", "tool_choice names " + name + ", which is not among the tools");
                }
                yield new ToolChoice(true, Set.of(name));
            }
            default -> throw choice.bad("type", "tool_choice of type \"" + type + "\" must be auto, any, tool or none");
        };
    }

    private static void message(Fields message, History history) {
        String role = message.requiredString("role");
        switch (role) {
            case "user" -> user(message, history);
            case "assistant" -> assistant(message, history);
            case "system" -> history.instructions(text(message, "content"));
            default ->
                throw message.bad("role", message.path("role") + " is \"" + role + "\", must be user or assistant");
        }
    }

    private static List<Fields> blocks(Fields message) {
        return message.get("content") instanceof JsonArray ? message.objects("content") : List.of();
    }

    private static void user(Fields message, History history) {
        StringBuilder text = new StringBuilder();
        if (message.get("content") instanceof JsonString plain) {
            text.append(plain.value());
        }
        for (Fields block : blocks(message)) {
            if (block.string("type", "text").equals("tool_result")) {
                String result = text(block, "content");
                history.result(
                        block.requiredString("tool_use_id"),
                        null,
                        block.bool("is_error", false) ? "Error: " + result : result,
                        block.path("tool_use_id"));
            } else {
                text.append(text(block));
            }
        }
        if (!text.isEmpty()) {
            history.user(text.toString());
        }
    }

    private static void assistant(Fields message, History history) {
        if (message.get("content") instanceof JsonString plain) {
            history.assistant(plain.value(), false);
        }
        List<Fields> blocks = blocks(message);
        boolean calls = blocks.stream().anyMatch(block -> "tool_use".equals(block.string("type")));
        for (Fields block : blocks) {
            switch (block.string("type", "text")) {
                case "thinking" -> history.reasoning(block.string("thinking", ""));
                case "redacted_thinking" -> {}
                case "tool_use" -> {
                    JsonObject input = block.jsonObject("input");
                    history.call(
                            block.string("id"), block.requiredString("name"), input == null ? "{}" : input.toString());
                }
                default -> history.assistant(text(block), calls);
            }
        }
    }

    /** A string, or blocks of text. */
    private static String text(Fields holder, String name) {
        if (holder.get(name) instanceof JsonString plain) {
            return plain.value();
        }
        StringBuilder text = new StringBuilder();
        holder.objects(name).forEach(block -> text.append(text(block)));
        return text.toString();
    }

    private static String text(Fields block) {
        String type = block.string("type", "text");
        if (!type.equals("text")) {
            throw block.bad("type", "content of type \"" + type + "\" is not supported: gpt-oss reads text only");
        }
        return block.requiredString("text");
    }

    static Json orNull(@Nullable String text) {
        return text == null ? JsonNull.NULL : Json.of(text);
    }
}
