package dev.ossicle.cli;

import dev.ossicle.tools.mcp.McpAddress;
import dev.ossicle.tools.mcp.McpLimits;
import dev.ossicle.tools.mcp.McpServer;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** The MCP servers of a command line: not connected yet. */
final class McpOptions {
    private static final Pattern NAMED = Pattern.compile("([A-Za-z][A-Za-z0-9_-]*)=(.+)", Pattern.DOTALL);

    @Option(
            names = "--mcp",
            paramLabel = "[NAME=]SERVER",
            description =
                    "An MCP server whose tools the model may use: a command line in quotes, or the URL of one that"
                            + " speaks streamable HTTP; may be given several times.")
    private List<String> servers = List.of();

    @Option(
            names = "--mcp-config",
            paramLabel = "FILE",
            description =
                    "MCP servers as Claude Desktop and VS Code have them: {\"mcpServers\": {NAME: {\"command\", \"args\","
                            + " \"env\"} or {\"url\", \"headers\"}}}. $${NAME} stands for a variable of the environment.")
    private List<Path> configurations = List.of();

    /** @throws UsageException if one of them cannot be understood */
    List<McpServer> servers() throws IOException {
        List<McpServer> all = new ArrayList<>();
        for (String text : servers) {
            Matcher named = NAMED.matcher(text);
            boolean isNamed = named.matches();
            String name = isNamed ? named.group(1) : servers.size() == 1 ? "mcp" : "mcp" + (all.size() + 1);
            all.add(new McpServer(name, address(isNamed ? named.group(2) : text), McpLimits.DEFAULT));
        }
        for (Path file : configurations) {
            all.addAll(McpConfiguration.read(file, System.getenv()));
        }
        for (int i = 0; i < all.size(); i++) {
            for (McpServer before : all.subList(0, i)) {
                if (before.prefix().equals(all.get(i).prefix())) {
                    throw new UsageException("two MCP servers are called "
                            + all.get(i).label() + ": give one another name with --mcp NAME=SERVER");
                }
            }
        }
        return all;
    }

    private static McpAddress address(String text) {
        try {
            return text.startsWith("http://") || text.startsWith("https://")
                    ? McpAddress.Url.trusted(URI.create(text), Map.of())
                    : new McpAddress.Command(ShellWords.split(text), Map.of());
        } catch (IllegalArgumentException e) {
            throw new UsageException("--mcp: " + Main.message(e));
        }
    }
}
