package dev.ossicle.cli;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonBoolean;
import dev.ossicle.json.JsonException;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import dev.ossicle.tools.mcp.McpAddress;
import dev.ossicle.tools.mcp.McpLimits;
import dev.ossicle.tools.mcp.McpServer;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A file that names MCP servers, in the form that has become common. What would be wrong to ignore is refused. */
final class McpConfiguration {
    private static final Pattern VARIABLE = Pattern.compile("\\$\\{(?:env:)?([A-Za-z_][A-Za-z0-9_]*)}");

    private final Path file;
    private final Map<String, String> variables;

    private McpConfiguration(Path file, Map<String, String> variables) {
        this.file = file;
        this.variables = variables;
    }

    /** @param variables that a value may name */
    static List<McpServer> read(Path file, Map<String, String> variables) throws IOException {
        return new McpConfiguration(file, variables).servers();
    }

    private List<McpServer> servers() throws IOException {
        Json whole;
        try {
            whole = Json.parse(Files.readString(file));
        } catch (JsonException e) {
            throw new UsageException(file + " is not JSON: " + e.getMessage());
        }
        Json named = whole instanceof JsonObject object
                ? object.present(object.get("mcpServers") == null ? "servers" : "mcpServers")
                : null;
        if (!(named instanceof JsonObject servers)) {
            throw new UsageException(file + " has no \"mcpServers\" with servers by name");
        }
        List<McpServer> all = new ArrayList<>();
        for (Map.Entry<String, Json> each : servers.members().entrySet()) {
            if (!(each.getValue() instanceof JsonObject server)) {
                throw wrong(each.getKey(), "is " + each.getValue().kind() + ", must be an object");
            }
            if (!JsonBoolean.TRUE.equals(server.get("disabled"))) {
                all.add(new McpServer(each.getKey(), address(each.getKey(), server), McpLimits.DEFAULT));
            }
        }
        return all;
    }

    private UsageException wrong(String name, String what) {
        return new UsageException(file + ": MCP server " + name + " " + what);
    }

    private McpAddress address(String name, JsonObject server) {
        for (String unsupported : List.of("cwd", "envFile")) {
            if (server.present(unsupported) != null) {
                throw wrong(name, "has \"" + unsupported + "\", which is not supported");
            }
        }
        if ("sse".equals(string(name, server, "type"))) {
            throw wrong(name, "is of type sse, which MCP has given up: use its URL for streamable HTTP");
        }
        String command = string(name, server, "command");
        String url = string(name, server, "url");
        if ((command == null) == (url == null)) {
            throw wrong(name, "must have either \"command\" or \"url\"");
        }
        try {
            if (url != null) {
                return McpAddress.Url.trusted(URI.create(url), strings(name, server, "headers"));
            }
            List<String> words = new ArrayList<>(List.of(String.valueOf(command)));
            if (server.present("args") instanceof JsonArray arguments) {
                for (Json argument : arguments.elements()) {
                    words.add(text(name, "args", argument));
                }
            }
            return new McpAddress.Command(words, strings(name, server, "env"));
        } catch (IllegalArgumentException e) {
            throw wrong(name, "cannot be reached: " + Main.message(e));
        }
    }

    private @Nullable String string(String name, JsonObject server, String member) {
        Json value = server.present(member);
        return value == null ? null : text(name, member, value);
    }

    private Map<String, String> strings(String name, JsonObject server, String member) {
        Map<String, String> strings = new HashMap<>();
        if (server.present(member) instanceof JsonObject object) {
            object.members().forEach((key, value) -> strings.put(key, text(name, member + "." + key, value)));
        }
        return strings;
    }

    private String text(String name, String member, Json value) {
        if (!(value instanceof JsonString string)) {
            throw wrong(name, "has a \"" + member + "\" that is " + value.kind() + ", must be a string");
        }
        Matcher matcher = VARIABLE.matcher(string.value());
        return matcher.replaceAll(found -> {
            String replacement = variables.get(found.group(1));
            if (replacement == null) {
                throw wrong(name, "names the variable " + found.group(1) + ", which is not set");
            }
            return Matcher.quoteReplacement(replacement);
        });
    }
}
