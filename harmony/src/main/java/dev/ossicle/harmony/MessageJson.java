package dev.ossicle.harmony;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonBoolean;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The JSON form of messages, as OpenAI's library reads and writes it: a member that is null is absent. */
final class MessageJson {
    private MessageJson() {}

    static Conversation readConversation(Json json) {
        JsonArray list = array(object(json, "conversation").present("messages"), "conversation.messages");
        List<Message> messages = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            messages.add(readMessage(list.get(i), "messages[" + i + "]"));
        }
        return new Conversation(messages);
    }

    static Message readMessage(Json json, String at) {
        JsonObject message = object(json, at);
        String roleText = required(message, "role", at);
        Role role = Role.of(roleText);
        if (role == null) {
            throw new HarmonyException(at + ".role: unknown role: " + roleText);
        }
        List<Content> content = new ArrayList<>();
        Json parts = message.present("content");
        if (parts instanceof JsonString text) {
            content.add(new TextContent(text.value()));
        } else if (parts instanceof JsonArray list) {
            for (int i = 0; i < list.size(); i++) {
                content.add(readContent(list.get(i), at + ".content[" + i + "]"));
            }
        } else {
            throw expected("a string or an array", parts, at + ".content");
        }
        return new Message(
                role,
                optional(message, "name", at),
                optional(message, "recipient", at),
                content,
                optional(message, "channel", at),
                optional(message, "content_type", at));
    }

    private static Content readContent(Json json, String at) {
        JsonObject part = object(json, at);
        String type = required(part, "type", at);
        return switch (type) {
            case "text" -> new TextContent(required(part, "text", at));
            case "system_content" ->
                new SystemContent(
                        optional(part, "model_identity", at),
                        readEffort(part, at),
                        optional(part, "conversation_start_date", at),
                        optional(part, "knowledge_cutoff", at),
                        readChannelConfig(part.present("channel_config"), at + ".channel_config"),
                        readTools(part.present("tools"), at + ".tools"));
            case "developer_content" ->
                new DeveloperContent(
                        optional(part, "instructions", at), readTools(part.present("tools"), at + ".tools"));
            default ->
                throw new HarmonyException(at + ".type is \"" + type
                        + "\", expected \"text\", \"system_content\" or \"developer_content\"");
        };
    }

    private static @Nullable ReasoningEffort readEffort(JsonObject part, String at) {
        String text = optional(part, "reasoning_effort", at);
        ReasoningEffort effort = text == null ? null : ReasoningEffort.of(text);
        if (text != null && effort == null) {
            throw new HarmonyException(
                    at + ".reasoning_effort is \"" + text + "\", expected \"Low\", \"Medium\" or \"High\"");
        }
        return effort;
    }

    private static @Nullable ChannelConfig readChannelConfig(@Nullable Json json, String at) {
        if (json == null) {
            return null;
        }
        JsonObject config = object(json, at);
        JsonArray list = array(config.present("valid_channels"), at + ".valid_channels");
        List<String> channels = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            channels.add(string(list.get(i), at + ".valid_channels[" + i + "]"));
        }
        Json required = config.present("channel_required");
        if (required instanceof JsonBoolean bool) {
            return new ChannelConfig(channels, bool.value());
        }
        throw expected("a boolean", required, at + ".channel_required");
    }

    private static Map<String, ToolNamespace> readTools(@Nullable Json json, String at) {
        Map<String, ToolNamespace> tools = new LinkedHashMap<>();
        if (json != null) {
            object(json, at)
                    .members()
                    .forEach((name, config) -> tools.put(name, readNamespace(config, at + "." + name)));
        }
        return tools;
    }

    private static ToolNamespace readNamespace(Json json, String at) {
        JsonObject namespace = object(json, at);
        List<ToolDescription> tools = new ArrayList<>();
        JsonArray list = array(namespace.present("tools"), at + ".tools");
        for (int i = 0; i < list.size(); i++) {
            String toolAt = at + ".tools[" + i + "]";
            JsonObject tool = object(list.get(i), toolAt);
            tools.add(new ToolDescription(
                    required(tool, "name", toolAt), required(tool, "description", toolAt), tool.present("parameters")));
        }
        return new ToolNamespace(required(namespace, "name", at), optional(namespace, "description", at), tools);
    }

    private static JsonObject object(@Nullable Json json, String at) {
        if (json instanceof JsonObject object) {
            return object;
        }
        throw expected("an object", json, at);
    }

    private static JsonArray array(@Nullable Json json, String at) {
        if (json instanceof JsonArray array) {
            return array;
        }
        throw expected("an array", json, at);
    }

    private static String string(@Nullable Json json, String at) {
        if (json instanceof JsonString string) {
            return string.value();
        }
        throw expected("a string", json, at);
    }

    private static String required(JsonObject object, String name, String at) {
        return string(object.present(name), at + "." + name);
    }

    private static @Nullable String optional(JsonObject object, String name, String at) {
        Json value = object.present(name);
        return value == null ? null : string(value, at + "." + name);
    }

    private static HarmonyException expected(String expected, @Nullable Json found, String at) {
        return new HarmonyException(
                at + ": expected " + expected + ", found " + (found == null ? "nothing" : found.kind()));
    }

    static JsonObject write(Message message) {
        JsonObject.Builder json =
                JsonObject.builder().put("role", message.role().text());
        putPresent(json, "name", message.name());
        putPresent(json, "recipient", message.recipient());
        if (message.content().size() == 1 && message.content().getFirst() instanceof TextContent text) {
            json.put("content", text.text());
        } else {
            json.put(
                    "content",
                    Json.of(message.content().stream().map(MessageJson::write).toList()));
        }
        putPresent(json, "channel", message.channel());
        putPresent(json, "content_type", message.contentType());
        return json.build();
    }

    private static JsonObject write(Content content) {
        JsonObject.Builder json = JsonObject.builder();
        switch (content) {
            case TextContent text -> json.put("type", "text").put("text", text.text());
            case SystemContent system -> {
                json.put("type", "system_content");
                putPresent(json, "model_identity", system.modelIdentity());
                if (system.reasoningEffort() != null) {
                    json.put("reasoning_effort", system.reasoningEffort().text());
                }
                putTools(json, system.tools());
                putPresent(json, "conversation_start_date", system.conversationStartDate());
                putPresent(json, "knowledge_cutoff", system.knowledgeCutoff());
                if (system.channelConfig() != null) {
                    json.put(
                            "channel_config",
                            JsonObject.builder()
                                    .put(
                                            "valid_channels",
                                            Json.of(system.channelConfig().channels().stream()
                                                    .map(Json::of)
                                                    .toList()))
                                    .put(
                                            "channel_required",
                                            system.channelConfig().required())
                                    .build());
                }
            }
            case DeveloperContent developer -> {
                json.put("type", "developer_content");
                putPresent(json, "instructions", developer.instructions());
                putTools(json, developer.tools());
            }
        }
        return json.build();
    }

    private static void putTools(JsonObject.Builder json, Map<String, ToolNamespace> tools) {
        if (tools.isEmpty()) {
            return;
        }
        JsonObject.Builder namespaces = JsonObject.builder();
        tools.forEach((key, namespace) -> {
            JsonObject.Builder config = JsonObject.builder().put("name", namespace.name());
            putPresent(config, "description", namespace.description());
            List<Json> list = new ArrayList<>();
            for (ToolDescription tool : namespace.tools()) {
                JsonObject.Builder one =
                        JsonObject.builder().put("name", tool.name()).put("description", tool.description());
                if (tool.parameters() != null) {
                    one.put("parameters", tool.parameters());
                }
                list.add(one.build());
            }
            namespaces.put(key, config.put("tools", Json.of(list)).build());
        });
        json.put("tools", namespaces.build());
    }

    private static void putPresent(JsonObject.Builder json, String name, @Nullable String value) {
        if (value != null) {
            json.put(name, value);
        }
    }
}
