package dev.ossicle.server.openai;

import dev.ossicle.chat.ChatOptions;
import dev.ossicle.chat.ChatRequest;
import dev.ossicle.harmony.ReasoningEffort;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import dev.ossicle.server.answer.Answers;
import dev.ossicle.server.answer.History;
import dev.ossicle.server.answer.Settings;
import dev.ossicle.server.answer.Settings.Thinking;
import dev.ossicle.server.http.Fields;
import dev.ossicle.tools.ToolSession;
import java.util.ArrayList;
import java.util.List;

/**
 * A request for a chat completion, read.
 *
 * @param request what the model is asked
 * @param sessions of the tools that run here
 * @param choices how many answers
 * @param showsReasoning whether the client sees what is thought
 * @param ignored fields that had no effect
 */
record ChatCompletionRequest(
        ChatRequest request,
        List<ToolSession> sessions,
        Tools tools,
        List<String> stops,
        int choices,
        boolean stream,
        boolean includeUsage,
        boolean logprobs,
        boolean showsReasoning,
        List<String> ignored) {
    private static final int MAX_CHOICES = 64;
    private static final int MAX_TOP_LOGPROBS = 20;

    /** Known fields that change nothing here. */
    private static final List<String> WITHOUT_EFFECT = List.of(
            "parallel_tool_calls",
            "prediction",
            "service_tier",
            "store",
            "verbosity",
            "web_search_options",
            "repetition_penalty",
            "prompt_cache_retention");

    /** @param vocabulary of the model */
    static ChatCompletionRequest read(Fields body, Answers answers, int vocabulary) {
        body.refuse("functions", "use tools");
        body.refuse("function_call", "use tool_choice");
        body.refuse("audio", "gpt-oss writes text only");
        for (var modality : body.strings("modalities", 8)) {
            if (!modality.equals("text")) {
                throw body.bad("modalities", "modalities must be [\"text\"]: gpt-oss writes text only");
            }
        }
        Tools tools = Tools.ofChat(body, answers.builtIns());
        History history = new History(answers.turns());
        List<Fields> messages = body.objects("messages");
        if (messages.isEmpty()) {
            throw body.bad("messages", "messages is missing or empty: say something");
        }
        messages.forEach(message -> read(message, tools, history));

        Thinking thinking = thinking(body);
        int topLogprobs = (int) body.integer("top_logprobs", 0, 0, MAX_TOP_LOGPROBS);
        boolean logprobs = body.bool("logprobs", false);
        ChatOptions options = Settings.sampling(body, ChatOptions.DEFAULT)
                .withEffort(thinking.effort())
                .withAdjustments(Settings.adjustments(body, vocabulary))
                .withTopLogprobs(logprobs ? topLogprobs : -1);
        List<ToolSession> sessions = answers.open(tools.builtIns(), history.calls());
        ChatRequest request = new ChatRequest(
                        history.instructions(),
                        tools.descriptions(),
                        List.of(),
                        tools.choice(body),
                        history.messages(),
                        options,
                        AnswerFormat.schema(body.fields("response_format")),
                        maxTokens(body),
                        answers.timeout())
                .withSessions(sessions);
        Fields streamOptions = body.fields("stream_options");
        return new ChatCompletionRequest(
                request,
                sessions,
                tools,
                Settings.stops(body, "stop"),
                (int) body.integer("n", 1, 1, MAX_CHOICES),
                body.bool("stream", false),
                streamOptions != null && streamOptions.bool("include_usage", false),
                logprobs,
                thinking.shown(),
                WITHOUT_EFFECT.stream().filter(body::has).toList());
    }

    private static int maxTokens(Fields body) {
        String name = body.has("max_completion_tokens") ? "max_completion_tokens" : "max_tokens";
        return (int) body.integer(name, Integer.MAX_VALUE, 1, Integer.MAX_VALUE);
    }

    /** Every spelling that is in use; what is nearer to OpenAI's goes first. */
    private static Thinking thinking(Fields body) {
        Fields reasoning = body.fields("reasoning");
        Fields template = body.fields("chat_template_kwargs");
        boolean shown = body.bool("include_reasoning", true)
                && (reasoning == null || !reasoning.bool("exclude", false) && reasoning.bool("enabled", true));
        Thinking byDefault = new Thinking(ReasoningEffort.MEDIUM, shown);
        if (body.has("reasoning_effort")) {
            return Settings.thinking(body.string("reasoning_effort"), "reasoning_effort", byDefault);
        }
        if (reasoning != null && reasoning.has("effort")) {
            return Settings.thinking(reasoning.string("effort"), "reasoning.effort", byDefault);
        }
        if (template != null && template.has("reasoning_effort")) {
            return Settings.thinking(
                    template.string("reasoning_effort"), "chat_template_kwargs.reasoning_effort", byDefault);
        }
        return byDefault;
    }

    private static void read(Fields message, Tools tools, History history) {
        String role = message.requiredString("role");
        switch (role) {
            case "system", "developer" -> history.instructions(Texts.of(message, "content"));
            case "user" -> history.user(Texts.of(message, "content"));
            case "assistant" -> assistant(message, tools, history);
            case "tool" ->
                history.result(
                        message.string("tool_call_id"),
                        message.string("name"),
                        Texts.of(message, "content"),
                        message.path("tool_call_id"));
            default ->
                throw message.bad(
                        "role",
                        message.path("role") + " is \"" + role
                                + "\", must be system, developer, user, assistant or tool");
        }
    }

    private static void assistant(Fields message, Tools tools, History history) {
        history.reasoning(reasoning(message));
        List<Fields> calls = message.objects("tool_calls");
        String text = Texts.of(message, "content");
        history.assistant(text.isEmpty() ? message.string("refusal", "") : text, !calls.isEmpty());
        for (Fields call : calls) {
            Fields custom = call.fields("custom");
            Fields function = call.fields("function");
            if (custom != null) {
                history.call(
                        call.string("id"),
                        tools.modelName(custom.requiredString("name"), null),
                        JsonObject.builder()
                                .put(Tools.INPUT, custom.string("input", ""))
                                .build()
                                .toString());
            } else if (function != null) {
                history.call(
                        call.string("id"),
                        tools.modelName(function.requiredString("name"), null),
                        function.string("arguments", ""));
            } else {
                throw call.missing("function");
            }
        }
    }

    /** As OpenRouter and vLLM, llama.cpp, Ollama, and Anthropic's users spell it. */
    private static String reasoning(Fields message) {
        List<String> found = new ArrayList<>();
        for (String name : List.of("reasoning", "reasoning_content", "thinking")) {
            if (message.get(name) instanceof JsonString text) {
                found.add(text.value());
            }
        }
        if (found.isEmpty() && message.get("reasoning_details") instanceof JsonArray) {
            StringBuilder text = new StringBuilder();
            message.objects("reasoning_details").forEach(part -> text.append(part.string("text", "")));
            found.add(text.toString());
        }
        return found.stream().filter(text -> !text.isEmpty()).findFirst().orElse("");
    }
}
