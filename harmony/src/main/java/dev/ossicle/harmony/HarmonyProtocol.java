package dev.ossicle.harmony;

import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonBoolean;
import dev.ossicle.json.JsonNumber;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Harmony for other programs: one line of JSON in, one line of JSON out. What {@code ossicle harmony} speaks; immutable
 * and safe for use by many threads.
 */
public final class HarmonyProtocol {
    /** The protocol, for a user to read. */
    public static final String HELP = """
            One request a line, as a JSON object; one answer a line, in the same order. A request that fails is
            answered with {"error": "..."}, and the next one is read.

            {"op": "render", "conversation": C}                    -> {"tokens": [..]}
            {"op": "render_for_completion", "conversation": C}     -> {"tokens": [..]}
            {"op": "render_for_training", "conversation": C}       -> {"tokens": [..]}
              "auto_drop_analysis": false keeps analysis from before the first final message (default true);
              "role": whose message is to be completed (default "assistant").
            {"op": "render_message", "message": M}                 -> {"tokens": [..]}
              "conversation_has_function_tools": true has a system message say where their calls go (default false).
            {"op": "parse", "tokens": [..]}                        -> {"messages": [M, ..], "repairs": [R, ..]}
            {"op": "stream", "tokens": [..]}                       -> {"steps": [S, ..], "messages": .., "repairs": ..}
              "role": whose message the tokens go on with; without it they begin with <|start|>;
              "mode": "strict" (default), "lenient" or "total".
            {"op": "encode", "text": T}                            -> {"tokens": [..]}
              "allowed_special": ["<|start|>", ..] stand for themselves; without it all text is ordinary.
            {"op": "decode", "tokens": [..]}                       -> {"text": T}
            {"op": "stop_tokens"}                                  -> {"tokens": [..], "assistant_actions": [..]}

            C: {"messages": [M, ..]}
            M: {"role": .., "name": .., "recipient": .., "content": .., "channel": .., "content_type": ..};
               "content" is a string, or an array of
               {"type": "text", "text": ..},
               {"type": "system_content", "model_identity": .., "reasoning_effort": "Low"|"Medium"|"High",
                "conversation_start_date": .., "knowledge_cutoff": .., "tools": N,
                "channel_config": {"valid_channels": [..], "channel_required": true|false}},
               {"type": "developer_content", "instructions": .., "tools": N}.
            N: {"functions": {"name": "functions", "description": ..,
                "tools": [{"name": .., "description": .., "parameters": JSON Schema}, ..]}, ..}
            S: {"state": "ExpectStart"|"Header"|"Content", "role": .., "recipient": .., "channel": ..,
                "content_type": .., "delta": .., "content": ..}, one for each token.
            R: {"kind": .., "message": .., "from": .., "to": .., "text": ..}, in total mode.
            A member that is null counts as absent.
            """;

    private final HarmonyEncoding encoding;

    public HarmonyProtocol(HarmonyEncoding encoding) {
        this.encoding = encoding;
    }

    /** Answers one line. Never throws; neither line ends in a line feed. */
    public String answer(String line) {
        JsonObject answer;
        try {
            answer = answer(new Request(Json.parse(line)));
        } catch (RuntimeException e) {
            String message = e.getMessage();
            answer = JsonObject.builder()
                    .put("error", message == null ? e.getClass().getSimpleName() : message)
                    .build();
        }
        return answer.toString();
    }

    private JsonObject answer(Request request) {
        Tokenizer tokenizer = encoding.tokenizer();
        return switch (request.string("op")) {
            case "render" -> tokens(encoding.render(request.conversation(), request.flag("auto_drop_analysis", true)));
            case "render_for_completion" ->
                tokens(encoding.renderForCompletion(
                        request.conversation(),
                        request.role(Role.ASSISTANT),
                        request.flag("auto_drop_analysis", true)));
            case "render_for_training" ->
                tokens(encoding.renderForTraining(request.conversation(), request.flag("auto_drop_analysis", true)));
            case "render_message" ->
                tokens(encoding.render(
                        Message.fromJson(request.value("message")),
                        request.flag("conversation_has_function_tools", false)));
            case "parse" -> {
                HarmonyEncoding.Parsed parsed =
                        encoding.parse(request.tokens(), request.optionalRole(), request.mode());
                yield messages(JsonObject.builder(), parsed.messages(), parsed.repairs());
            }
            case "stream" -> stream(request);
            case "encode" -> {
                String text = request.string("text");
                Set<String> allowed = request.names("allowed_special");
                yield tokens(tokenizer.encode(text, allowed, Set.of()));
            }
            case "decode" ->
                JsonObject.builder()
                        .put("text", tokenizer.decodeUtf8(request.tokens()))
                        .build();
            case "stop_tokens" ->
                JsonObject.builder()
                        .put("tokens", array(sorted(encoding.stopTokens())))
                        .put("assistant_actions", array(sorted(encoding.stopTokensForAssistantActions())))
                        .build();
            default -> throw new HarmonyException("op: unknown operation \"" + request.string("op") + "\"");
        };
    }

    private JsonObject stream(Request request) {
        HarmonyParser parser = encoding.parser(request.optionalRole(), request.mode());
        List<Json> steps = new ArrayList<>();
        for (int token : request.tokens()) {
            parser.process(token);
            JsonObject.Builder step =
                    JsonObject.builder().put("state", parser.state().text());
            Role role = parser.role();
            putPresent(step, "role", role == null ? null : role.text());
            putPresent(step, "recipient", parser.recipient());
            putPresent(step, "channel", parser.channel());
            putPresent(step, "content_type", parser.contentType());
            putPresent(step, "delta", parser.delta());
            steps.add(step.put("content", parser.content()).build());
        }
        parser.finish();
        return messages(JsonObject.builder().put("steps", Json.of(steps)), parser.messages(), parser.repairs());
    }

    private static JsonObject messages(JsonObject.Builder answer, List<Message> messages, List<Repair> repairs) {
        List<Json> list = new ArrayList<>();
        for (Repair repair : repairs) {
            list.add(JsonObject.builder()
                    .put("kind", repair.kind().name().toLowerCase(Locale.ROOT))
                    .put("message", repair.message())
                    .put("from", repair.from())
                    .put("to", repair.to())
                    .put("text", repair.text())
                    .build());
        }
        return answer.put(
                        "messages",
                        Json.of(messages.stream().map(Message::toJson).toList()))
                .put("repairs", Json.of(list))
                .build();
    }

    private static void putPresent(JsonObject.Builder json, String name, @Nullable String value) {
        if (value != null) {
            json.put(name, value);
        }
    }

    private static JsonObject tokens(int[] tokens) {
        return JsonObject.builder().put("tokens", array(tokens)).build();
    }

    private static Json array(int[] tokens) {
        return Json.of(Arrays.stream(tokens).mapToObj(Json::of).toList());
    }

    private static int[] sorted(Set<Integer> tokens) {
        return tokens.stream().mapToInt(Integer::intValue).sorted().toArray();
    }

    /** One line, taken apart. */
    private static final class Request {
        private final JsonObject json;

        Request(Json json) {
            if (!(json instanceof JsonObject object)) {
                throw new HarmonyException("a request is an object, found " + json.kind());
            }
            this.json = object;
        }

        Json value(String name) {
            Json value = json.present(name);
            if (value == null) {
                throw new HarmonyException(name + ": missing");
            }
            return value;
        }

        String string(String name) {
            if (value(name) instanceof JsonString string) {
                return string.value();
            }
            throw new HarmonyException(
                    name + ": expected a string, found " + value(name).kind());
        }

        boolean flag(String name, boolean ifAbsent) {
            Json value = json.present(name);
            if (value == null) {
                return ifAbsent;
            }
            if (value instanceof JsonBoolean flag) {
                return flag.value();
            }
            throw new HarmonyException(name + ": expected a boolean, found " + value.kind());
        }

        Conversation conversation() {
            return Conversation.fromJson(value("conversation"));
        }

        Role role(Role ifAbsent) {
            Role role = optionalRole();
            return role == null ? ifAbsent : role;
        }

        @Nullable
        Role optionalRole() {
            if (json.present("role") == null) {
                return null;
            }
            Role role = Role.of(string("role"));
            if (role == null) {
                throw new HarmonyException("unknown role: " + string("role"));
            }
            return role;
        }

        ParseMode mode() {
            if (json.present("mode") == null) {
                return ParseMode.STRICT;
            }
            return switch (string("mode")) {
                case "strict" -> ParseMode.STRICT;
                case "lenient" -> ParseMode.LENIENT;
                case "total" -> ParseMode.TOTAL;
                default ->
                    throw new HarmonyException(
                            "mode: expected \"strict\", \"lenient\" or \"total\", found \"" + string("mode") + "\"");
            };
        }

        int[] tokens() {
            List<Json> elements = elements("tokens");
            int[] tokens = new int[elements.size()];
            for (int i = 0; i < tokens.length; i++) {
                if (!(elements.get(i) instanceof JsonNumber number)) {
                    throw new HarmonyException("tokens[" + i + "]: expected a number, found "
                            + elements.get(i).kind());
                }
                try {
                    tokens[i] = number.intValueExact();
                } catch (ArithmeticException e) {
                    throw new HarmonyException("tokens[" + i + "]: " + number + " is no token", e);
                }
            }
            return tokens;
        }

        Set<String> names(String name) {
            Set<String> names = new HashSet<>();
            if (json.present(name) != null) {
                for (Json element : elements(name)) {
                    if (!(element instanceof JsonString string)) {
                        throw new HarmonyException(name + ": expected strings, found " + element.kind());
                    }
                    names.add(string.value());
                }
            }
            return names;
        }

        private List<Json> elements(String name) {
            if (value(name) instanceof JsonArray array) {
                return array.elements();
            }
            throw new HarmonyException(
                    name + ": expected an array, found " + value(name).kind());
        }
    }
}
