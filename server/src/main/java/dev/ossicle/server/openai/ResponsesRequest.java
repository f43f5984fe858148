package dev.ossicle.server.openai;

import dev.ossicle.chat.ChatOptions;
import dev.ossicle.chat.ChatRequest;
import dev.ossicle.harmony.ReasoningEffort;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import dev.ossicle.server.answer.Answers;
import dev.ossicle.server.answer.History;
import dev.ossicle.server.answer.Ids;
import dev.ossicle.server.answer.Settings;
import dev.ossicle.server.answer.Settings.Thinking;
import dev.ossicle.server.http.ApiException;
import dev.ossicle.server.http.Fields;
import dev.ossicle.server.store.ResponseStore;
import dev.ossicle.server.store.ResponseStore.Stored;
import dev.ossicle.tools.ToolSession;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A request for a response, read.
 *
 * @param request what the model is asked
 * @param sessions of the tools that run here
 * @param mcp servers of the request's
 * @param body as it came, to be echoed
 * @param input the items that it adds to what came before
 * @param encodesReasoning whether reasoning items carry their text in a form to be sent back
 * @param summarizes whether they show it as a summary too
 * @param searchSources whether they tell all that a search found
 * @param ignored what had no effect
 */
record ResponsesRequest(
        ChatRequest request,
        List<ToolSession> sessions,
        McpTools mcp,
        Fields body,
        Tools tools,
        JsonArray input,
        @Nullable String previous,
        boolean store,
        boolean stream,
        boolean encodesReasoning,
        boolean summarizes,
        boolean showsReasoning,
        boolean logprobs,
        boolean searchSources,
        List<String> ignored) {
    /** Longest chain of responses that is followed. */
    private static final int MAX_CHAIN = 10_000;

    private static final List<String> WITHOUT_EFFECT = List.of(
            "max_tool_calls",
            "parallel_tool_calls",
            "prompt_cache_key",
            "prompt_cache_retention",
            "service_tier",
            "stream_options",
            "truncation");

    /** What hosts' own tools leave in a history. */
    private static final Set<String> HOSTED_ITEMS = Set.of(
            "web_search_call",
            "file_search_call",
            "code_interpreter_call",
            "computer_call",
            "computer_call_output",
            "image_generation_call",
            "local_shell_call",
            "local_shell_call_output",
            "shell_call",
            "shell_call_output",
            "apply_patch_call",
            "apply_patch_call_output",
            "tool_search_call",
            "tool_search_output",
            "compaction",
            "ghost_snapshot");

    /**
     * Connects MCP servers; whoever asks for this closes it.
     *
     * @param resumes whether it is answered, and so may take over the tools of the answer that it goes on from
     */
    static ResponsesRequest read(Fields body, Answers answers, ResponseStore store, int vocabulary, boolean resumes)
            throws InterruptedException {
        body.refuse("background", "wait for the response, or stream it");
        body.refuse("conversation", "use previous_response_id");
        body.refuse("prompt", "stored prompts are a service of OpenAI's");
        Tools tools = Tools.ofResponses(body, answers.builtIns());
        McpTools mcp = McpTools.open(tools.mcpEntries(), answers.builtIns().mcp());
        boolean complete = false;
        try {
            ResponsesRequest request = read(body, answers, store, vocabulary, tools, mcp, resumes);
            complete = true;
            return request;
        } finally {
            if (!complete) {
                mcp.close();
            }
        }
    }

    private static ResponsesRequest read(
            Fields body,
            Answers answers,
            ResponseStore store,
            int vocabulary,
            Tools tools,
            McpTools mcp,
            boolean resumes)
            throws InterruptedException {
        tools.addMcp(mcp);
        History history = new History(answers.turns());
        String instructions = body.string("instructions");
        if (instructions != null && !instructions.isEmpty()) {
            history.instructions(instructions);
        }
        mcp.instructions().forEach(history::instructions);
        List<String> ignored = new ArrayList<>(tools.ignored());
        WITHOUT_EFFECT.stream().filter(body::has).forEach(ignored::add);
        String previous = body.string("previous_response_id");
        if (previous != null) {
            replay(previous, store, tools, mcp, history);
        }
        JsonArray input = input(body);
        items(new Fields(JsonObject.builder().put("input", input).build(), ""), "input", tools, mcp, history, ignored);
        mcp.runApproved(history);

        Fields reasoning = body.fields("reasoning");
        Thinking thinking = Settings.thinking(
                reasoning == null ? null : reasoning.string("effort"),
                "reasoning.effort",
                new Thinking(ReasoningEffort.MEDIUM, true));
        List<String> include = body.strings("include", 64);
        int topLogprobs = (int) body.integer("top_logprobs", 0, 0, 20);
        boolean logprobs = topLogprobs > 0 || include.contains("message.output_text.logprobs");
        Fields text = body.fields("text");
        List<String> keys = new ArrayList<>(history.calls());
        if (previous != null) {
            keys.add(previous);
        }
        List<ToolSession> hosted = answers.open(tools.builtIns(), resumes ? keys : List.of());
        List<ToolSession> sessions = new ArrayList<>(hosted);
        sessions.addAll(mcp.unasked());
        ChatRequest request = new ChatRequest(
                        history.instructions(),
                        tools.descriptions(),
                        List.of(),
                        tools.choice(body),
                        history.messages(),
                        Settings.sampling(body, ChatOptions.DEFAULT)
                                .withEffort(thinking.effort())
                                .withAdjustments(Settings.adjustments(body, vocabulary))
                                .withTopLogprobs(logprobs ? topLogprobs : -1),
                        AnswerFormat.schema(text == null ? null : text.fields("format")),
                        (int) body.integer("max_output_tokens", Integer.MAX_VALUE, 1, Integer.MAX_VALUE),
                        answers.timeout())
                .withSessions(hosted);
        String summary =
                reasoning == null ? null : reasoning.string("summary", reasoning.string("generate_summary", ""));
        return new ResponsesRequest(
                request,
                sessions,
                mcp,
                body,
                tools,
                input,
                previous,
                body.bool("store", true),
                body.bool("stream", false),
                include.contains("reasoning.encrypted_content"),
                summary != null && !summary.isEmpty() && !summary.equals("none"),
                thinking.shown(),
                logprobs,
                include.contains("web_search_call.action.sources"),
                ignored);
    }

    /** The items, each with an id and its content in parts, as they are given back. */
    private static JsonArray input(Fields body) {
        List<Json> items = new ArrayList<>();
        if (body.get("input") instanceof JsonString text) {
            if (!text.value().isEmpty()) { // some clients warm up with nothing
                items.add(userMessage(text));
            }
            return new JsonArray(items);
        }
        if (!body.has("input") && !body.has("previous_response_id") && !body.has("instructions")) {
            throw body.missing("input");
        }
        for (Fields item : body.objects("input")) {
            JsonObject.Builder complete = JsonObject.builder();
            if (!item.has("id")) {
                complete.put("id", Ids.next("item_"));
            }
            if (!item.has("type")) {
                complete.put("type", "message");
            }
            item.object().members().forEach(complete::put);
            items.add(complete.build());
        }
        return new JsonArray(items);
    }

    private static JsonObject userMessage(JsonString text) {
        return JsonObject.builder()
                .put("id", Ids.next("msg_"))
                .put("type", "message")
                .put("role", "user")
                .put(
                        "content",
                        Json.of(List.of(JsonObject.builder()
                                .put("type", "input_text")
                                .put("text", text)
                                .build())))
                .build();
    }

    /** All that was said before, from the beginning. */
    private static void replay(String previous, ResponseStore store, Tools tools, McpTools mcp, History history) {
        Deque<Stored> chain = new ArrayDeque<>();
        for (String id = previous; id != null; ) {
            Stored stored = store.get(id);
            if (stored == null) {
                throw ApiException.badRequest(
                        "previous_response_id",
                        "previous_response_not_found",
                        id.equals(previous)
                                ? "there is no response " + id + ": was it made with \"store\": false?"
                                : "response " + previous + " goes on from " + id + ", which is gone");
            }
            if (chain.size() == MAX_CHAIN) {
                throw ApiException.badRequest("previous_response_id", "the conversation is too long");
            }
            chain.push(stored);
            id = stored.previous();
        }
        for (Stored stored : chain) {
            items(
                    new Fields(JsonObject.builder().put("input", stored.input()).build(), ""),
                    "input",
                    tools,
                    mcp,
                    history,
                    new ArrayList<>());
            items(new Fields(stored.response(), ""), "output", tools, mcp, history, new ArrayList<>());
        }
    }

    private static void items(
            Fields holder, String name, Tools tools, McpTools mcp, History history, List<String> ignored) {
        List<Fields> items = holder.objects(name);
        for (int i = 0; i < items.size(); i++) {
            Fields item = items.get(i);
            String type = item.string("type", "message");
            switch (type) {
                case "message" -> {
                    if ("assistant".equals(item.string("role"))) {
                        mcp.wentOn();
                    }
                    message(item, i, items, history);
                }
                case "reasoning" -> history.reasoning(reasoning(item));
                case "function_call" ->
                    history.call(
                            item.string("call_id"),
                            tools.modelName(item.requiredString("name"), item.string("namespace")),
                            item.string("arguments", ""));
                case "custom_tool_call" ->
                    history.call(
                            item.string("call_id"),
                            tools.modelName(item.requiredString("name"), item.string("namespace")),
                            JsonObject.builder()
                                    .put(Tools.INPUT, item.string("input", ""))
                                    .build()
                                    .toString());
                case "function_call_output", "custom_tool_call_output" ->
                    history.result(
                            item.requiredString("call_id"), null, Texts.of(item, "output"), item.path("call_id"));
                case "item_reference" ->
                    throw item.bad(
                            "type", "item references are not supported: send the items, or previous_response_id");
                default -> {
                    if (mcp.take(item, type, history)) {
                        continue;
                    }
                    if (!HOSTED_ITEMS.contains(type)) {
                        throw item.bad("type", "there are no items of type \"" + type + "\"");
                    }
                    ignored.add(item.path() + " (" + type + ")");
                }
            }
        }
    }

    private static void message(Fields item, int place, List<Fields> items, History history) {
        String role = item.requiredString("role");
        String text = Texts.of(item, "content");
        switch (role) {
            case "system", "developer" -> history.instructions(text);
            case "user" -> history.user(text);
            case "assistant" -> {
                String next = place + 1 < items.size() ? items.get(place + 1).string("type", "message") : "";
                boolean preamble = item.has("phase")
                        ? "commentary".equals(item.string("phase"))
                        : next.equals("function_call") || next.equals("custom_tool_call") || next.equals("mcp_call");
                history.assistant(text, preamble);
            }
            default ->
                throw item.bad(
                        "role",
                        item.path("role") + " is \"" + role + "\", must be user, assistant, system or developer");
        }
    }

    /** In whichever of its forms it came back. */
    private static String reasoning(Fields item) {
        String text = Texts.of(item, "content");
        if (text.isEmpty()) {
            text = decode(item.string("encrypted_content", ""));
        }
        return text.isEmpty() ? Texts.of(item, "summary") : text;
    }

    /** What a client carries for us. It is shown in the clear as well, so there is nothing to hide in it. */
    static String encode(String reasoning) {
        return Base64.getEncoder().encodeToString(("ossicle1:" + reasoning).getBytes(StandardCharsets.UTF_8));
    }

    private static String decode(String encoded) {
        try {
            String text = new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_8);
            return text.startsWith("ossicle1:") ? text.substring("ossicle1:".length()) : "";
        } catch (IllegalArgumentException e) {
            return ""; // another host's
        }
    }
}
