package dev.ossicle.server.openai;

import dev.ossicle.chat.ToolChoice;
import dev.ossicle.harmony.ToolDescription;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import dev.ossicle.server.answer.BuiltIns;
import dev.ossicle.server.answer.Settings;
import dev.ossicle.server.http.ApiException;
import dev.ossicle.server.http.Fields;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The functions of a request, by the names that the model knows them by. */
final class Tools {
    private static final int MAX_TOOLS = 512;

    /** The argument of a tool that takes plain text. */
    static final String INPUT = "input";

    /** Kinds that hosts run themselves and this one does not. */
    private static final Set<String> HOSTED = Set.of(
            "web_search",
            "web_search_preview",
            "web_search_preview_2025_03_11",
            "web_search_2025_08_26",
            "file_search",
            "code_interpreter",
            "computer",
            "computer_use_preview",
            "image_generation",
            "local_shell",
            "shell",
            "apply_patch",
            "tool_search",
            "browser_search");

    /**
     * What a client knows a function by.
     *
     * @param custom whether it takes plain text rather than JSON
     */
    record Target(String name, @Nullable String namespace, boolean custom) {}

    private final List<ToolDescription> descriptions = new ArrayList<>();
    private final Map<String, Target> targets = new LinkedHashMap<>();
    private final List<String> ignored = new ArrayList<>();
    /** Types of those that run here. */
    private final Set<String> builtIns = new LinkedHashSet<>();
    /** Those of MCP servers, as they are asked for. */
    private final List<Fields> mcpEntries = new ArrayList<>();

    private @Nullable McpTools mcp;

    private final BuiltIns available;

    private Tools(BuiltIns available) {
        this.available = available;
    }

    /** {@code {"type": "function", "function": {...}}}. */
    static Tools ofChat(Fields body, BuiltIns available) {
        Tools tools = new Tools(available);
        for (Fields tool : body.objects("tools")) {
            String type = tool.string("type", "function");
            String builtIn = available.type(type);
            if (builtIn != null) {
                tools.builtIns.add(builtIn);
                continue;
            }
            switch (type) {
                case "function" -> {
                    Fields function = tool.fields("function");
                    if (function == null) {
                        throw tool.missing("function");
                    }
                    tools.add(function, null, false);
                }
                case "custom" -> {
                    Fields custom = tool.fields("custom");
                    if (custom == null) {
                        throw tool.missing("custom");
                    }
                    tools.add(custom, null, true);
                }
                default ->
                    throw tool.bad(
                            "type",
                            "tools of type \"" + tool.string("type") + "\" are not supported here: use functions");
            }
        }
        return tools;
    }

    /** {@code {"type": "function", "name": ...}}, and the other kinds that the Responses API has. */
    static Tools ofResponses(Fields body, BuiltIns available) {
        Tools tools = new Tools(available);
        for (Fields tool : body.objects("tools")) {
            tools.addResponsesTool(tool, null);
        }
        return tools;
    }

    private void addResponsesTool(Fields tool, @Nullable String namespace) {
        String type = tool.requiredString("type");
        switch (type) {
            case "function" -> add(tool, namespace, false);
            case "custom" -> add(tool, namespace, true);
            case "mcp" -> mcpEntries.add(tool);
            case "namespace" -> {
                for (Fields inner : tool.objects("tools")) {
                    addResponsesTool(inner, tool.requiredString("name"));
                }
            }
            default -> {
                String builtIn = available.type(type);
                if (builtIn != null) {
                    builtIns.add(builtIn);
                    return;
                }
                if (!HOSTED.contains(type)) {
                    throw tool.bad("type", "there are no tools of type \"" + type + "\"");
                }
                ignored.add(tool.path() + " (" + type + ")");
            }
        }
    }

    private void add(Fields tool, @Nullable String namespace, boolean custom) {
        String name = Settings.functionName(tool);
        String unique = name;
        if (targets.containsKey(unique) && namespace != null) {
            unique = namespace + "__" + name;
        }
        if (targets.containsKey(unique)) {
            throw tool.bad("name", "there are two tools called " + name);
        }
        if (targets.size() == MAX_TOOLS) {
            throw tool.bad("name", "there are more than " + MAX_TOOLS + " tools");
        }
        targets.put(unique, new Target(name, namespace, custom));
        String description = tool.string("description", "");
        descriptions.add(new ToolDescription(unique, description, custom ? inputSchema(tool) : parameters(tool)));
    }

    private static @Nullable Json parameters(Fields tool) {
        JsonObject schema = tool.jsonObject("parameters");
        return schema == null || schema.members().isEmpty() ? null : schema;
    }

    /** A tool of plain text is a function of one string; its grammar is told in words. */
    private static Json inputSchema(Fields tool) {
        JsonObject.Builder input = JsonObject.builder().put("type", "string");
        Fields format = tool.fields("format");
        if (format != null && "grammar".equals(format.string("type"))) {
            input.put(
                    "description",
                    "Must match this " + format.string("syntax", "") + " grammar:\n" + format.string("definition", ""));
        }
        return JsonObject.builder()
                .put("type", "object")
                .put(
                        "properties",
                        JsonObject.builder().put(INPUT, input.build()).build())
                .put("required", Json.of(List.of(Json.of(INPUT))))
                .put("additionalProperties", false)
                .build();
    }

    List<Fields> mcpEntries() {
        return mcpEntries;
    }

    /** Adds the functions of MCP servers, which have names of their own. */
    void addMcp(McpTools opened) {
        mcp = opened;
        for (ToolDescription function : opened.descriptions()) {
            if (targets.put(function.name(), new Target(function.name(), null, false)) != null) {
                throw ApiException.badRequest("tools", "there are two tools called " + function.name());
            }
            descriptions.add(function);
        }
        if (targets.size() > MAX_TOOLS) {
            throw ApiException.badRequest("tools", "there are more than " + MAX_TOOLS + " tools: see allowed_tools");
        }
    }

    List<ToolDescription> descriptions() {
        return descriptions;
    }

    /** Types of the tools that run here. */
    Set<String> builtIns() {
        return builtIns;
    }

    /** What was passed over, for the client to know. */
    List<String> ignored() {
        return ignored;
    }

    /** By the model's name for it. */
    Target target(String name) {
        Target target = targets.get(name);
        return target == null ? new Target(name, null, false) : target;
    }

    /** The model's name for what a client calls so in the history, whether or not it is offered now. */
    String modelName(String name, @Nullable String namespace) {
        for (var entry : targets.entrySet()) {
            Target target = entry.getValue();
            if (target.name().equals(name) && (namespace == null || namespace.equals(target.namespace()))) {
                return entry.getKey();
            }
        }
        return name;
    }

    /** {@code tool_choice}: a word, or an object that names a function or some of them. */
    ToolChoice choice(Fields body) {
        if (body.get("tool_choice") instanceof JsonString) {
            String word = body.requiredString("tool_choice");
            return switch (word) {
                case "auto" -> ToolChoice.AUTO;
                case "none" -> ToolChoice.NONE;
                case "required", "any" -> required(body, null);
                default ->
                    throw body.bad(
                            "tool_choice",
                            "tool_choice is \"" + word
                                    + "\", must be auto, none, required or an object that names a function");
            };
        }
        Fields choice = body.fields("tool_choice");
        if (choice == null) {
            return ToolChoice.AUTO;
        }
        String type = choice.requiredString("type");
        return switch (type) {
            case "function", "custom" -> {
                Fields inner = choice.fields(type); // chat completions have the name one level down
                String name = inner == null ? choice.requiredString("name") : inner.requiredString("name");
                yield required(body, Set.of(known(choice, name)));
            }
            case "mcp" -> required(body, mcpNames(choice));
            case "allowed_tools" -> {
                Fields inner = choice.fields("allowed_tools");
                Fields allowed = inner == null ? choice : inner;
                Set<String> names = new HashSet<>();
                for (Fields tool : allowed.objects("tools")) {
                    if ("mcp".equals(tool.string("type"))) {
                        names.addAll(mcpNames(tool));
                        continue;
                    }
                    Fields function = tool.fields("function");
                    names.add(known(tool, (function == null ? tool : function).requiredString("name")));
                }
                yield "required".equals(allowed.string("mode", "auto"))
                        ? required(body, names)
                        : new ToolChoice(false, names);
            }
            default -> throw choice.bad("type", "tool_choice of type \"" + type + "\" is not supported");
        };
    }

    private ToolChoice required(Fields body, @Nullable Set<String> names) {
        if (descriptions.isEmpty()) {
            throw body.bad("tool_choice", "tool_choice asks for a call, but there are no tools");
        }
        return new ToolChoice(true, names);
    }

    private Set<String> mcpNames(Fields where) {
        String label = where.requiredString("server_label");
        Set<String> names = mcp == null ? Set.of() : mcp.names(label, where.string("name"));
        if (names.isEmpty()) {
            throw where.bad(
                    "server_label", "tool_choice names MCP server " + label + ", which offers no such tool here");
        }
        return names;
    }

    private String known(Fields where, String name) {
        String known = modelName(name, null);
        if (!targets.containsKey(known)) {
            throw where.bad("name", "tool_choice names " + name + ", which is not among the tools");
        }
        return known;
    }

    /** The plain text in the arguments of a custom tool; the arguments as they are if they were cut. */
    static String input(String arguments) {
        try {
            if (Json.parse(arguments) instanceof JsonObject object && object.get(INPUT) instanceof JsonString text) {
                return text.value();
            }
        } catch (RuntimeException e) {
            // cut, or never JSON: whoever runs it will see
        }
        return arguments;
    }
}
