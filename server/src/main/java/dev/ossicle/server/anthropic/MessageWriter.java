package dev.ossicle.server.anthropic;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonNull;
import dev.ossicle.json.JsonObject;
import dev.ossicle.server.answer.AnswerRun;
import dev.ossicle.server.answer.Outcome;
import dev.ossicle.server.answer.Piece;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** Makes a message out of the pieces of an answer, and on the way the events of a stream: one block after the other. */
final class MessageWriter implements AnswerRun.Listener {
    /** Hears the events; without a stream, nobody. */
    interface Events {
        void event(String type, Json event) throws IOException;
    }

    private enum Kind {
        NONE,
        THINKING,
        TEXT,
        CALL
    }

    private final String id;
    private final String model;
    private final boolean thinking;
    private final Events events;
    private final List<Json> content = new ArrayList<>();
    private Kind kind = Kind.NONE;
    private final StringBuilder text = new StringBuilder();
    private String callId = "";
    private String callName = "";

    MessageWriter(String id, String model, boolean thinking, Events events) {
        this.id = id;
        this.model = model;
        this.thinking = thinking;
        this.events = events;
    }

    void begin(int promptTokens) throws IOException {
        JsonObject usage = JsonObject.builder()
                .put("input_tokens", promptTokens)
                .put("cache_creation_input_tokens", 0)
                .put("cache_read_input_tokens", 0)
                .put("output_tokens", 0)
                .build();
        events.event(
                "message_start",
                JsonObject.builder()
                        .put("type", "message_start")
                        .put("message", message(JsonNull.NULL, JsonNull.NULL, usage))
                        .build());
    }

    @Override
    public void piece(Piece piece) throws IOException {
        switch (piece) {
            case Piece.Reasoning thought -> {
                if (thinking) {
                    if (kind != Kind.THINKING) {
                        open(
                                Kind.THINKING,
                                block("thinking").put("thinking", "").put("signature", ""));
                    }
                    text.append(thought.text());
                    delta(block("thinking_delta").put("thinking", thought.text()));
                }
            }
            case Piece.Text said -> {
                if (kind != Kind.TEXT) {
                    open(Kind.TEXT, block("text").put("text", ""));
                }
                text.append(said.text());
                delta(block("text_delta").put("text", said.text()));
            }
            case Piece.CallStart start -> {
                open(
                        Kind.CALL,
                        block("tool_use")
                                .put("id", start.id())
                                .put("name", start.name())
                                .put("input", JsonObject.EMPTY));
                callId = start.id();
                callName = start.name();
            }
            case Piece.CallArguments arguments -> {
                text.append(arguments.text());
                delta(block("input_json_delta").put("partial_json", arguments.text()));
            }
            case Piece.CallEnd ignored -> close();
            case Piece.ToolStart ignored -> throw new AssertionError("no tool of ours is offered here");
            case Piece.ToolEnd ignored -> throw new AssertionError("no tool of ours is offered here");
        }
    }

    private static JsonObject.Builder block(String type) {
        return JsonObject.builder().put("type", type);
    }

    private void open(Kind next, JsonObject.Builder block) throws IOException {
        close();
        kind = next;
        events.event(
                "content_block_start",
                block("content_block_start")
                        .put("index", content.size())
                        .put("content_block", block.build())
                        .build());
    }

    private void delta(JsonObject.Builder delta) throws IOException {
        events.event(
                "content_block_delta",
                block("content_block_delta")
                        .put("index", content.size())
                        .put("delta", delta.build())
                        .build());
    }

    private void close() throws IOException {
        String whole = text.toString();
        Json block;
        switch (kind) {
            case NONE -> {
                return;
            }
            case THINKING -> {
                // Clients send it back unread; there is nothing to sign.
                String signature = Base64.getEncoder().encodeToString(id.getBytes(StandardCharsets.UTF_8));
                delta(block("signature_delta").put("signature", signature));
                block = block("thinking")
                        .put("thinking", whole)
                        .put("signature", signature)
                        .build();
            }
            case TEXT -> block = block("text").put("text", whole).build();
            case CALL ->
                block = block("tool_use")
                        .put("id", callId)
                        .put("name", callName)
                        .put("input", new Piece.Call(callId, callName, whole).object())
                        .build();
            default -> throw new AssertionError(kind);
        }
        events.event(
                "content_block_stop",
                block("content_block_stop").put("index", content.size()).build());
        content.add(block);
        text.setLength(0);
        kind = Kind.NONE;
    }

    /** Closes what is open; the whole message. */
    JsonObject finish(Outcome outcome, List<String> stops) throws IOException {
        close();
        Json reason = Json.of(
                switch (outcome.end()) {
                    case STOP, CANCELLED, SHUTDOWN ->
                        outcome.stopText() == null || stops.isEmpty() ? "end_turn" : "stop_sequence";
                    case CALLS -> "tool_use";
                    case LENGTH -> "max_tokens";
                });
        JsonObject usage = Messages.usage(outcome.usage());
        events.event(
                "message_delta",
                block("message_delta")
                        .put(
                                "delta",
                                JsonObject.builder()
                                        .put("stop_reason", reason)
                                        .put("stop_sequence", Messages.orNull(outcome.stopText()))
                                        .build())
                        .put("usage", usage)
                        .build());
        events.event("message_stop", block("message_stop").build());
        return message(reason, Messages.orNull(outcome.stopText()), usage);
    }

    private JsonObject message(Json stopReason, Json stopSequence, JsonObject usage) {
        return block("message")
                .put("id", id)
                .put("role", "assistant")
                .put("model", model)
                .put("content", content.isEmpty() ? JsonArray.EMPTY : Json.of(List.copyOf(content)))
                .put("stop_reason", stopReason)
                .put("stop_sequence", stopSequence)
                .put("usage", usage)
                .build();
    }
}
