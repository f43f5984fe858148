package dev.ossicle.server.openai;

import static dev.ossicle.server.openai.Wire.object;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonNull;
import dev.ossicle.json.JsonObject;
import dev.ossicle.tools.ToolOutput;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A call of a tool of an MCP server.
 *
 * @param approval id of the request that the client approved of; null if it was not asked
 */
record McpCall(
        String label,
        String tool,
        String arguments,
        @Nullable String approval) implements HostedCall {
    @Override
    public String prefix() {
        return "mcp_";
    }

    @Override
    public JsonObject.Builder item(JsonObject.Builder item, @Nullable ToolOutput output) {
        boolean failed = output != null && output.failed();
        return item.put("type", "mcp_call")
                .put("status", output == null ? "in_progress" : failed ? "failed" : "completed")
                .put("server_label", label)
                .put("name", tool)
                .put("arguments", output == null ? "" : arguments)
                .put("approval_request_id", approval == null ? JsonNull.NULL : Json.of(approval))
                .put("output", output == null || output.failed() ? JsonNull.NULL : Json.of(output.text()))
                .put("error", output != null && output.failed() ? error(output.text()) : JsonNull.NULL);
    }

    private static Json error(String text) {
        return object().put("type", "mcp_tool_execution_error")
                .put(
                        "content",
                        Json.of(List.of(
                                object().put("type", "text").put("text", text).build())))
                .build();
    }

    @Override
    public List<Event> begin() {
        return List.of(
                new Event("response.mcp_call.in_progress"),
                new Event(
                        "response.mcp_call_arguments.delta",
                        object().put("delta", arguments).build()),
                new Event(
                        "response.mcp_call_arguments.done",
                        object().put("arguments", arguments).build()));
    }

    @Override
    public List<Event> end(ToolOutput output) {
        return List.of(new Event("response.mcp_call." + (output.failed() ? "failed" : "completed")));
    }
}
