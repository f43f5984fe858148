package dev.ossicle.tools.mcp;

import io.modelcontextprotocol.json.McpJsonDefaults;
import io.modelcontextprotocol.server.McpServer;
import io.modelcontextprotocol.server.McpServerFeatures;
import io.modelcontextprotocol.server.transport.StdioServerTransportProvider;
import io.modelcontextprotocol.spec.McpSchema;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** A server of the SDK's own, over standard input and output: what our side is measured against. */
final class SdkServer {
    private SdkServer() {}

    public static void main(String[] args) {
        StdioServerTransportProvider transport = new StdioServerTransportProvider(McpJsonDefaults.getMapper());
        McpServer.sync(transport)
                .serverInfo("sums", "1.0")
                .instructions("Use sums for sums.")
                .capabilities(McpSchema.ServerCapabilities.builder().tools(true).build())
                .jsonSchemaValidator((schema, value) ->
                        io.modelcontextprotocol.json.schema.JsonSchemaValidator.ValidationResponse.asValid(""))
                .tools(
                        tool(
                                "add",
                                "Adds.",
                                arguments -> result(List.of(
                                        new McpSchema.TextContent(
                                                Long.toString(number(arguments, "a") + number(arguments, "b"))),
                                        new McpSchema.TextContent("done")))),
                        tool(
                                "look.at_it",
                                "Shows a picture.",
                                arguments -> result(List.of(
                                        new McpSchema.ImageContent(null, "A".repeat(16_000), "image/png"),
                                        new McpSchema.EmbeddedResource(
                                                null,
                                                new McpSchema.TextResourceContents(
                                                        "file:///a.txt", "text/plain", "inside"))))),
                        tool(
                                "fail",
                                "Fails.",
                                arguments -> McpSchema.CallToolResult.builder(
                                                List.of(new McpSchema.TextContent("no such sum")))
                                        .isError(true)
                                        .build()),
                        tool(
                                "structured",
                                "",
                                arguments -> McpSchema.CallToolResult.builder(List.of())
                                        .structuredContent(Map.of("sum", 5))
                                        .build()))
                .build();
    }

    private static long number(Map<String, Object> arguments, String name) {
        return arguments.get(name) instanceof Number number ? number.longValue() : 0;
    }

    private static McpSchema.CallToolResult result(List<McpSchema.Content> content) {
        return McpSchema.CallToolResult.builder(content).build();
    }

    private static McpServerFeatures.SyncToolSpecification tool(
            String name, String description, Function<Map<String, Object>, McpSchema.CallToolResult> run) {
        Map<String, Object> schema = name.equals("add")
                ? Map.of(
                        "type",
                        "object",
                        "title",
                        "addArguments",
                        "properties",
                        Map.of("a", Map.of("type", "integer"), "b", Map.of("type", "integer")),
                        "required",
                        List.of("a", "b"))
                : Map.of("type", "object", "properties", Map.of());
        McpSchema.Tool tool = McpSchema.Tool.builder(name, schema)
                .description(description)
                .annotations(McpSchema.ToolAnnotations.builder()
                        .readOnlyHint(name.equals("add"))
                        .build())
                .build();
        return McpServerFeatures.SyncToolSpecification.builder()
                .tool(tool)
                .callHandler((exchange, request) -> run.apply(request.arguments()))
                .build();
    }
}
