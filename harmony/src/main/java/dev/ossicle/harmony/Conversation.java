package dev.ossicle.harmony;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import java.util.List;

/** Messages in order. */
public record Conversation(List<Message> messages) {
    public Conversation {
        messages = List.copyOf(messages);
    }

    public static Conversation of(Message... messages) {
        return new Conversation(List.of(messages));
    }

    /** Whether a developer message describes functions; the system message says where calls to them go. */
    public boolean hasFunctionTools() {
        for (Message message : messages) {
            for (Content part : message.content()) {
                if (part instanceof DeveloperContent developer && developer.hasFunctionTools()) {
                    return true;
                }
            }
        }
        return false;
    }

    /** The JSON form of OpenAI's library. */
    public JsonObject toJson() {
        return JsonObject.builder()
                .put("messages", Json.of(messages.stream().map(Message::toJson).toList()))
                .build();
    }

    /**
     * Reads the JSON form.
     *
     * @throws HarmonyException that names the place, if it is something else
     */
    public static Conversation fromJson(Json json) {
        return MessageJson.readConversation(json);
    }
}
