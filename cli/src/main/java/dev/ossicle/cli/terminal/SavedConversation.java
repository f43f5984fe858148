package dev.ossicle.cli.terminal;

import dev.ossicle.harmony.HarmonyException;
import dev.ossicle.harmony.Message;
import dev.ossicle.harmony.Role;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonException;
import dev.ossicle.json.JsonNumber;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A conversation as it is kept in a file: Harmony's messages in the JSON form of OpenAI's library.
 *
 * @param model that it was held with
 * @param instructions null for none
 * @param cut indices of messages that were stopped before they were complete
 */
record SavedConversation(String model, @Nullable String instructions, List<Message> messages, Set<Integer> cut) {
    private static final String FORMAT = "ossicle-conversation-1";

    SavedConversation {
        messages = List.copyOf(messages);
        cut = Set.copyOf(cut);
    }

    String toJson() {
        JsonObject.Builder json = JsonObject.builder().put("format", FORMAT).put("model", model);
        if (instructions != null) {
            json.put("instructions", instructions);
        }
        json.put("messages", Json.of(messages.stream().map(Message::toJson).toList()));
        json.put("cut", Json.of(new TreeSet<>(cut).stream().map(Json::of).toList()));
        return json.build().toString();
    }

    /** @throws IllegalArgumentException that says what is wrong with it, and where */
    static SavedConversation fromJson(String text) {
        Json json;
        try {
            json = Json.parse(text);
        } catch (JsonException e) {
            throw new IllegalArgumentException("it is not JSON: " + e.getMessage(), e);
        }
        if (!(json instanceof JsonObject object)
                || !(object.get("format") instanceof JsonString(String format))
                || !format.equals(FORMAT)) {
            throw new IllegalArgumentException("it is no conversation: its \"format\" is not \"" + FORMAT + "\"");
        }
        if (!(object.get("messages") instanceof JsonArray array)) {
            throw new IllegalArgumentException("its \"messages\" are no array");
        }
        List<Message> messages = new ArrayList<>();
        for (Json each : array.elements()) {
            messages.add(message(each, messages.size()));
        }
        Set<Integer> cut = new TreeSet<>();
        if (object.get("cut") instanceof JsonArray indices) {
            for (Json index : indices.elements()) {
                if (index instanceof JsonNumber number) {
                    cut.add((int) number.doubleValue()); // what is none of an index marks nothing
                }
            }
        }
        return new SavedConversation(
                object.get("model") instanceof JsonString(String model) ? model : "",
                object.get("instructions") instanceof JsonString(String instructions) ? instructions : null,
                messages,
                cut);
    }

    private static Message message(Json json, int index) {
        Message message;
        try {
            message = Message.fromJson(json);
        } catch (HarmonyException e) {
            throw new IllegalArgumentException("message " + index + ": " + e.getMessage(), e);
        }
        boolean isTurn = message.role() == Role.USER || message.role() == Role.ASSISTANT || message.role() == Role.TOOL;
        if (!isTurn) {
            throw new IllegalArgumentException("message " + index + " is the "
                    + message.role().text() + "'s; there are user, assistant and tool only");
        }
        if (message.role() == Role.TOOL && message.name() == null) {
            throw new IllegalArgumentException("message " + index + " is a tool's without a name");
        }
        return message;
    }
}
