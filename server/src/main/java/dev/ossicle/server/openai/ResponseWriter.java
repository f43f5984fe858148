package dev.ossicle.server.openai;

import static dev.ossicle.server.openai.Wire.object;

import dev.ossicle.engine.GenerationEvent.Token;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonNull;
import dev.ossicle.json.JsonObject;
import dev.ossicle.server.answer.AnswerRun;
import dev.ossicle.server.answer.Ids;
import dev.ossicle.server.answer.Outcome;
import dev.ossicle.server.answer.Piece;
import dev.ossicle.server.http.ApiException;
import dev.ossicle.server.store.KeptFiles.KeptFile;
import dev.ossicle.tools.ToolOutput;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Makes a response out of the pieces of an answer: its items, and on the way the events of the stream in the order of OpenAI's.
 * An item is added, filled, and done before the next one is added.
 */
final class ResponseWriter implements AnswerRun.Listener {
    /** Hears the events; without a stream, nobody. */
    interface Events {
        void event(String type, JsonObject event) throws IOException;
    }

    private enum Kind {
        NONE,
        REASONING,
        MESSAGE,
        CALL,
        APPROVAL
    }

    private final ResponsesRequest asked;
    private final Events events;
    private final Tokenizer tokenizer;
    private final String id = Ids.next("resp_");
    private final String model;
    private final long created = Instant.now().getEpochSecond();
    private final List<Json> output = new ArrayList<>();
    private long sequence;

    // The open item:
    private Kind kind = Kind.NONE;
    private String itemId = "";
    private boolean preamble;
    private Tools.Target target = new Tools.Target("", null, false);
    private String callId = "";
    private @Nullable HostedCall hosted;
    private McpTools.@Nullable Function waiting;
    private final StringBuilder text = new StringBuilder();
    private final List<Token> tokens = new ArrayList<>();
    /** Of the open message. */
    private final List<Json> annotations = new ArrayList<>();

    /** That tools left since the last message. */
    private final List<KeptFile> files = new ArrayList<>();

    ResponseWriter(ResponsesRequest asked, String model, Tokenizer tokenizer, Events events) {
        this.asked = asked;
        this.model = model;
        this.tokenizer = tokenizer;
        this.events = events;
    }

    String id() {
        return id;
    }

    void begin() throws IOException {
        JsonObject response = response("in_progress", null, null);
        send("response.created", object().put("response", response));
        send("response.in_progress", object().put("response", response));
        before();
    }

    /** What was settled before the model began. */
    void before() throws IOException {
        for (McpTools.Listing listing : asked.mcp().listings()) {
            list(listing);
        }
        for (McpTools.Approved call : asked.mcp().approved()) {
            begin(call.item());
            end(call.output(), List.of());
        }
    }

    private void list(McpTools.Listing listing) throws IOException {
        itemId = listing.id();
        send("response.output_item.added", atIndex().put("item", listing.item(false)));
        send("response.mcp_list_tools.in_progress", inItem());
        send("response.mcp_list_tools." + (listing.error() == null ? "completed" : "failed"), inItem());
        send("response.output_item.done", atIndex().put("item", listing.item(true)));
        output.add(listing.item(true));
    }

    /** Nothing to follow: it is said when it is whole. */
    private void askForApproval(McpTools.Function function, String arguments) throws IOException {
        JsonObject item = object().put("id", Ids.next("mcpr_"))
                .put("type", "mcp_approval_request")
                .put("server_label", function.label())
                .put("name", function.tool())
                .put("arguments", arguments)
                .build();
        send("response.output_item.added", atIndex().put("item", item));
        send("response.output_item.done", atIndex().put("item", item));
        output.add(item);
    }

    @Override
    public void piece(Piece piece) throws IOException {
        switch (piece) {
            case Piece.Reasoning thought -> {
                if (!asked.showsReasoning()) {
                    return;
                }
                if (kind != Kind.REASONING) {
                    closeItem("completed");
                    openReasoning();
                }
                text.append(thought.text());
                send("response.reasoning_text.delta", inPart().put("delta", thought.text()));
            }
            case Piece.Text said -> {
                if (kind != Kind.MESSAGE || preamble != said.preamble()) {
                    closeItem("completed");
                    preamble = said.preamble();
                    openMessage();
                }
                text.append(said.text());
                tokens.addAll(said.tokens());
                send(
                        "response.output_text.delta",
                        inPart().put("delta", said.text()).put("logprobs", logprobs(said.tokens())));
                if (said.source() != null) {
                    int end = text.codePointCount(0, text.length());
                    annotate(Wire.citation(said, end, object().put("type", "url_citation")));
                }
            }
            case Piece.CallStart start -> {
                closeItem("completed");
                openCall(start);
            }
            case Piece.CallArguments arguments -> {
                text.append(arguments.text());
                if (kind == Kind.CALL && !target.custom()) {
                    send("response.function_call_arguments.delta", inItem().put("delta", arguments.text()));
                }
            }
            case Piece.CallEnd ignored -> closeItem("completed");
            case Piece.ToolStart start -> {
                closeItem("completed");
                McpTools.Function function = asked.mcp().function(start.tool());
                begin(
                        function == null
                                ? HostedCall.of(start, asked.searchSources())
                                : new McpCall(function.label(), function.tool(), start.input(), null));
            }
            case Piece.ToolEnd end -> end(end.output(), end.files());
        }
    }

    private void begin(HostedCall call) throws IOException {
        hosted = call;
        itemId = Ids.next(call.prefix());
        send("response.output_item.added", atIndex().put("item", hostedItem(call, null)));
        for (HostedCall.Event event : call.begin()) {
            send(event.type(), with(inItem(), event.members()));
        }
    }

    private void end(ToolOutput result, List<KeptFile> left) throws IOException {
        HostedCall ended = Objects.requireNonNull(hosted);
        for (HostedCall.Event event : ended.end(result)) {
            send(event.type(), with(inItem(), event.members()));
        }
        JsonObject item = hostedItem(ended, result);
        send("response.output_item.done", atIndex().put("item", item));
        output.add(item);
        for (KeptFile file : left) {
            files.removeIf(earlier -> earlier.name().equals(file.name()));
            files.add(file);
        }
    }

    private JsonObject hostedItem(HostedCall call, @Nullable ToolOutput toolOutput) {
        return call.item(object().put("id", itemId), toolOutput).build();
    }

    private static JsonObject.Builder with(JsonObject.Builder event, JsonObject members) {
        members.members().forEach(event::put);
        return event;
    }

    private void openReasoning() throws IOException {
        kind = Kind.REASONING;
        itemId = Ids.next("rs_");
        send("response.output_item.added", atIndex().put("item", reasoningItem(false, "in_progress")));
        send(
                "response.content_part.added",
                inPart().put("part", part("reasoning_text", "").build()));
    }

    private void openMessage() throws IOException {
        kind = Kind.MESSAGE;
        itemId = Ids.next("msg_");
        send("response.output_item.added", atIndex().put("item", messageItem(false, "in_progress")));
        send("response.content_part.added", inPart().put("part", outputText("", List.of())));
    }

    private void openCall(Piece.CallStart start) throws IOException {
        waiting = asked.mcp().function(start.name());
        if (waiting != null) {
            kind = Kind.APPROVAL;
            return;
        }
        kind = Kind.CALL;
        target = asked.tools().target(start.name());
        callId = start.id();
        itemId = Ids.next(target.custom() ? "ctc_" : "fc_");
        send("response.output_item.added", atIndex().put("item", callItem("in_progress")));
    }

    private void closeItem(String status) throws IOException {
        String whole = text.toString();
        JsonObject item;
        switch (kind) {
            case NONE -> {
                return;
            }
            case APPROVAL -> {
                if (waiting != null) {
                    askForApproval(waiting, whole);
                }
                kind = Kind.NONE;
                text.setLength(0);
                return;
            }
            case REASONING -> {
                send("response.reasoning_text.done", inPart().put("text", whole));
                send(
                        "response.content_part.done",
                        inPart().put("part", part("reasoning_text", whole).build()));
                if (asked.summarizes()) {
                    sendSummary(whole);
                }
                item = reasoningItem(true, status);
            }
            case MESSAGE -> {
                if (!preamble) {
                    citeFiles();
                }
                send("response.output_text.done", inPart().put("text", whole).put("logprobs", logprobs(tokens)));
                send("response.content_part.done", inPart().put("part", outputText(whole, tokens)));
                item = messageItem(true, status);
                annotations.clear();
            }
            case CALL -> {
                if (target.custom()) {
                    String input = Tools.input(whole);
                    send("response.custom_tool_call_input.delta", inItem().put("delta", input));
                    send("response.custom_tool_call_input.done", inItem().put("input", input));
                } else {
                    send(
                            "response.function_call_arguments.done",
                            inItem().put("name", target.name()).put("arguments", whole));
                }
                item = callItem(status);
            }
            default -> throw new AssertionError(kind);
        }
        send("response.output_item.done", atIndex().put("item", item));
        output.add(item);
        kind = Kind.NONE;
        text.setLength(0);
        tokens.clear();
    }

    /** The files that were made on the way to an answer belong to it as a whole. */
    private void citeFiles() throws IOException {
        int end = text.codePointCount(0, text.length());
        for (KeptFile file : files) {
            annotate(object().put("type", "container_file_citation")
                    .put("container_id", file.container())
                    .put("file_id", file.id())
                    .put("filename", file.name())
                    .put("start_index", end)
                    .put("end_index", end)
                    .build());
        }
        files.clear();
    }

    private void annotate(JsonObject annotation) throws IOException {
        send(
                "response.output_text.annotation.added",
                inPart().put("annotation_index", annotations.size()).put("annotation", annotation));
        annotations.add(annotation);
    }

    /** The whole of it: a summary would have to be thought up. */
    private void sendSummary(String whole) throws IOException {
        send(
                "response.reasoning_summary_part.added",
                inSummary().put("part", part("summary_text", "").build()));
        send("response.reasoning_summary_text.delta", inSummary().put("delta", whole));
        send("response.reasoning_summary_text.done", inSummary().put("text", whole));
        send(
                "response.reasoning_summary_part.done",
                inSummary().put("part", part("summary_text", whole).build()));
    }

    private JsonObject reasoningItem(boolean whole, String status) {
        String thought = text.toString();
        JsonObject.Builder item = object().put("id", itemId)
                .put("type", "reasoning")
                .put(
                        "summary",
                        whole && asked.summarizes()
                                ? Json.of(List.of(part("summary_text", thought).build()))
                                : JsonArray.EMPTY)
                .put(
                        "content",
                        whole ? Json.of(List.of(part("reasoning_text", thought).build())) : JsonArray.EMPTY);
        if (asked.encodesReasoning()) {
            item.put("encrypted_content", whole ? Json.of(ResponsesRequest.encode(thought)) : JsonNull.NULL);
        }
        return item.put("status", status).build();
    }

    private JsonObject messageItem(boolean whole, String status) {
        return object().put("id", itemId)
                .put("type", "message")
                .put("status", status)
                .put("role", "assistant")
                .put("phase", preamble ? "commentary" : "final_answer")
                .put("content", whole ? Json.of(List.of(outputText(text.toString(), tokens))) : JsonArray.EMPTY)
                .build();
    }

    private JsonObject callItem(String status) {
        JsonObject.Builder item = object().put("id", itemId)
                .put("type", target.custom() ? "custom_tool_call" : "function_call")
                .put("status", status)
                .put("call_id", callId)
                .put("name", target.name());
        if (target.namespace() != null) {
            item.put("namespace", target.namespace());
        }
        return target.custom()
                ? item.put("input", Tools.input(text.toString())).build()
                : item.put("arguments", text.toString()).build();
    }

    private static JsonObject.Builder part(String type, String text) {
        return object().put("type", type).put("text", text);
    }

    private JsonObject outputText(String whole, List<Token> ofIt) {
        return part("output_text", whole)
                .put("annotations", Json.of(List.copyOf(annotations)))
                .put("logprobs", logprobs(ofIt))
                .build();
    }

    private Json logprobs(List<Token> ofText) {
        return asked.logprobs() ? Wire.tokenLogprobs(ofText, tokenizer) : JsonArray.EMPTY;
    }

    private JsonObject.Builder atIndex() {
        return object().put("output_index", output.size());
    }

    private JsonObject.Builder inItem() {
        return object().put("item_id", itemId).put("output_index", output.size());
    }

    private JsonObject.Builder inPart() {
        return inItem().put("content_index", 0);
    }

    private JsonObject.Builder inSummary() {
        return inItem().put("summary_index", 0);
    }

    private void send(String type, JsonObject.Builder members) throws IOException {
        JsonObject.Builder event = object().put("type", type).put("sequence_number", sequence++);
        members.build().members().forEach(event::put);
        events.event(type, event.build());
    }

    /** Closes what is open; the response as it is in the end. */
    JsonObject finish(Outcome outcome) throws IOException {
        boolean cut = outcome.end() == Outcome.End.LENGTH;
        closeItem(cut ? "incomplete" : "completed");
        return response(cut ? "incomplete" : "completed", outcome, null);
    }

    /** The last event. */
    void end(JsonObject response) throws IOException {
        boolean cut = Json.of("incomplete").equals(response.get("status"));
        send(cut ? "response.incomplete" : "response.completed", object().put("response", response));
    }

    /** The last event, if it went wrong. */
    void fail(ApiException error) throws IOException {
        closeItem("incomplete");
        send("response.failed", object().put("response", response("failed", null, error)));
    }

    private JsonObject response(String status, @Nullable Outcome outcome, @Nullable ApiException error) {
        Json incomplete = status.equals("incomplete")
                ? object().put("reason", "max_output_tokens").build()
                : JsonNull.NULL;
        Json failure = error == null
                ? JsonNull.NULL
                : object().put("code", error.code() == null ? "server_error" : error.code())
                        .put("message", error.message())
                        .build();
        JsonObject reasoning = asked.body().jsonObject("reasoning");
        return object().put("id", id)
                .put("object", "response")
                .put("created_at", created)
                .put("status", status)
                .put("background", false)
                .put("error", failure)
                .put("incomplete_details", incomplete)
                .put("instructions", echo("instructions", JsonNull.NULL))
                .put("max_output_tokens", echo("max_output_tokens", JsonNull.NULL))
                .put("max_tool_calls", JsonNull.NULL)
                .put("model", model)
                .put("output", Json.of(List.copyOf(output)))
                .put("parallel_tool_calls", echo("parallel_tool_calls", Json.of(true)))
                .put("previous_response_id", echo("previous_response_id", JsonNull.NULL))
                .put(
                        "reasoning",
                        object().put(
                                        "effort",
                                        asked.request()
                                                .options()
                                                .effort()
                                                .text()
                                                .toLowerCase(Locale.ROOT))
                                .put(
                                        "summary",
                                        reasoning == null || reasoning.present("summary") == null
                                                ? JsonNull.NULL
                                                : reasoning.present("summary"))
                                .build())
                .put("service_tier", "default")
                .put("store", asked.store())
                .put("temperature", asked.request().options().sampling().temperature())
                .put(
                        "text",
                        echo(
                                "text",
                                object().put(
                                                "format",
                                                object().put("type", "text").build())
                                        .build()))
                .put("tool_choice", echo("tool_choice", Json.of("auto")))
                .put("tools", McpTools.withoutKeys(echo("tools", JsonArray.EMPTY)))
                .put("top_p", asked.request().options().sampling().topP())
                .put("truncation", "disabled")
                .put("usage", outcome == null ? JsonNull.NULL : Wire.responsesUsage(outcome.usage()))
                .put("user", echo("user", JsonNull.NULL))
                .put("metadata", echo("metadata", JsonObject.EMPTY))
                .build();
    }

    private Json echo(String name, Json byDefault) {
        Json value = asked.body().get(name);
        return value == null ? byDefault : value;
    }
}
