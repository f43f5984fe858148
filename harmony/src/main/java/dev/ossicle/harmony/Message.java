package dev.ossicle.harmony;

import static java.util.Objects.requireNonNull;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One message of a conversation.
 *
 * <pre>{@code
 * Message question = Message.of(Role.USER, "What is 2 + 2?");
 * Message call = Message.of(Role.ASSISTANT, "{\"city\":\"Paris\"}")
 *         .withChannel("commentary").withRecipient("functions.get_weather").withContentType("<|constrain|>json");
 * }</pre>
 *
 * @param name of the author; a tool must have one to be rendered
 * @param recipient a function that an assistant calls, or {@code assistant} for a tool's answer
 * @param contentType {@code <|constrain|>json} has the marker rendered as the control token
 */
public record Message(
        Role role,
        @Nullable String name,
        @Nullable String recipient,
        List<Content> content,
        @Nullable String channel,
        @Nullable String contentType) {

    public static final String ANALYSIS = "analysis";
    public static final String COMMENTARY = "commentary";
    public static final String FINAL = "final";

    public Message {
        requireNonNull(role, "role is null");
        content = List.copyOf(content);
    }

    public static Message of(Role role, Content... content) {
        return new Message(role, null, null, List.of(content), null, null);
    }

    public static Message of(Role role, String text) {
        return of(role, new TextContent(text));
    }

    /** What a function answered to a call on some channel. */
    public static Message toolResult(String function, String channel, String text) {
        return of(Role.TOOL, text).withName(function).withRecipient("assistant").withChannel(channel);
    }

    public Message withName(@Nullable String name) {
        return new Message(role, name, recipient, content, channel, contentType);
    }

    public Message withRecipient(@Nullable String recipient) {
        return new Message(role, name, recipient, content, channel, contentType);
    }

    public Message withChannel(@Nullable String channel) {
        return new Message(role, name, recipient, content, channel, contentType);
    }

    public Message withContentType(@Nullable String contentType) {
        return new Message(role, name, recipient, content, channel, contentType);
    }

    public Message addingContent(Content more) {
        List<Content> all = new ArrayList<>(content);
        all.add(more);
        return new Message(role, name, recipient, all, channel, contentType);
    }

    /** The text parts, end to end. */
    public String text() {
        StringBuilder text = new StringBuilder();
        for (Content part : content) {
            if (part instanceof TextContent plain) {
                text.append(plain.text());
            }
        }
        return text.toString();
    }

    /** The JSON form of OpenAI's library; a single text part is a plain string. */
    public JsonObject toJson() {
        return MessageJson.write(this);
    }

    /**
     * Reads the JSON form.
     *
     * @throws HarmonyException that names the place, if it is something else
     */
    public static Message fromJson(Json json) {
        return MessageJson.readMessage(json, "message");
    }
}
