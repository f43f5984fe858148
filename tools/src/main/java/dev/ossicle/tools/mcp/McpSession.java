package dev.ossicle.tools.mcp;

import dev.ossicle.harmony.ToolDescription;
import dev.ossicle.harmony.ToolNamespace;
import dev.ossicle.json.JsonObject;
import dev.ossicle.tools.Arguments;
import dev.ossicle.tools.ToolOutput;
import dev.ossicle.tools.ToolSession;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What one conversation may call of a server: functions among the developer's own, by {@code LABEL__TOOL}. There gpt-oss was
 * trained to find tools that it has not met, and hosts of models that are elsewhere know no other place.
 */
public final class McpSession implements ToolSession {
    private static final int MAX_INSTRUCTIONS = 4096;

    private final McpServer server;
    private final Map<String, McpTool> tools;
    private final ToolNamespace namespace;
    private final String instructions;
    private volatile boolean closed;

    /** All tools of a server, which whoever opened it closes. */
    public McpSession(McpServer server) throws McpException, InterruptedException {
        this(server, server.tools());
    }

    /**
     * Some tools of a server.
     *
     * @throws McpException if one of them takes more of the prompt than it may
     */
    public McpSession(McpServer server, List<McpTool> chosen) throws McpException, InterruptedException {
        this.server = server;
        this.tools = FunctionNames.of(server.label(), chosen);
        String said = server.instructions();
        this.instructions = said.length() > MAX_INSTRUCTIONS ? said.substring(0, MAX_INSTRUCTIONS) + "..." : said;
        List<ToolDescription> functions = new ArrayList<>();
        for (Map.Entry<String, McpTool> each : tools.entrySet()) {
            McpTool tool = each.getValue();
            JsonObject schema = Schemas.trim(tool.inputSchema());
            String all = tool.name() + tool.description() + schema;
            int bytes = all.getBytes(StandardCharsets.UTF_8).length;
            if (bytes > server.limits().schema()) {
                throw new McpException("MCP server " + server.label() + " describes its tool " + tool.name() + " with "
                        + bytes + " bytes, " + server.limits().schema() + " are allowed");
            }
            boolean none = !(schema.get("properties") instanceof JsonObject properties)
                    || properties.members().isEmpty();
            functions.add(new ToolDescription(each.getKey(), tool.description(), none ? null : schema));
        }
        namespace = ToolNamespace.functions(functions);
    }

    private McpSession(McpSession all, Predicate<McpTool> kept) {
        server = all.server;
        instructions = all.instructions;
        tools = new LinkedHashMap<>(all.tools);
        tools.values().removeIf(kept.negate());
        namespace = ToolNamespace.functions(all.namespace.tools().stream()
                .filter(function -> tools.containsKey(function.name()))
                .toList());
    }

    /** The same with some of its functions, under the names that they have here. */
    public McpSession only(Predicate<McpTool> kept) {
        return new McpSession(this, kept);
    }

    /** What a tool is called by the model, wherever it is offered. */
    public static String functionName(String label, String tool) {
        McpTool alone = new McpTool(tool, "", JsonObject.EMPTY, null, false);
        return FunctionNames.of(label, List.of(alone)).keySet().iterator().next();
    }

    @Override
    public ToolNamespace namespace() {
        return namespace;
    }

    /** What the server says, under its label. */
    @Override
    public @Nullable String instructions() {
        return instructions.isBlank() || tools.isEmpty()
                ? null
                : String.join("\n\n", "# Tools " + server.prefix() + "*", instructions);
    }

    /** The label of the server. */
    public String label() {
        return server.label();
    }

    /** By the name of its function; null if there is none. */
    public @Nullable McpTool tool(String function) {
        return tools.get(function);
    }

    @Override
    public ToolOutput call(String function, String body) throws InterruptedException {
        McpTool tool = tools.get(function);
        if (tool == null) {
            return Arguments.unknownFunction(function);
        }
        JsonObject arguments = Arguments.parse(body).orElse(null);
        if (arguments == null) {
            return Arguments.invalid();
        }
        return closed ? ToolOutput.failure("this session is closed") : server.call(tool.name(), arguments);
    }

    /** Later calls are refused; the server stays for others. */
    @Override
    public void close() {
        closed = true;
    }
}
