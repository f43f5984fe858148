package dev.ossicle.server.answer;

import dev.ossicle.tools.mcp.McpServer;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The MCP servers that requests may use. A program is never started because a request says so.
 *
 * @param byLabel the operator's own
 * @param urls whether a request may name others on the public network
 */
public record McpServers(Map<String, McpServer> byLabel, boolean urls) implements AutoCloseable {
    public static final McpServers NONE = new McpServers(Map.of(), false);

    public static McpServers of(Collection<McpServer> servers, boolean urls) {
        Map<String, McpServer> byLabel = new LinkedHashMap<>();
        servers.forEach(server -> byLabel.put(server.label(), server));
        return new McpServers(byLabel, urls);
    }

    @Override
    public void close() {
        byLabel.values().forEach(McpServer::close);
    }
}
