package dev.ossicle.conformance.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.tools.ToolOutput;
import dev.ossicle.tools.mcp.McpAddress;
import dev.ossicle.tools.mcp.McpLimits;
import dev.ossicle.tools.mcp.McpServer;
import dev.ossicle.tools.mcp.McpSession;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The server that MCP's authors have for trying clients, over both of its wires. */
@Tag("clients")
@Timeout(300)
class TestMcpServers {
    private static final String PROGRAM = "clients/node_modules/@modelcontextprotocol/server-everything/dist/index.js";

    @BeforeAll
    static void install() throws Exception {
        TestNpmClients.install();
    }

    private static void use(McpAddress address) throws Exception {
        try (McpServer server = new McpServer("everything", address, McpLimits.DEFAULT)) {
            McpSession session = new McpSession(server);
            assertThat(session.namespace().tools()).hasSizeGreaterThan(8);
            assertThat(session.call("everything__echo", "{\"message\": \"hello\"}"))
                    .isEqualTo(ToolOutput.of("Echo: hello"));
            assertThat(session.call("everything__get-sum", "{\"a\": 2, \"b\": 3}")
                            .text())
                    .contains("5");
            assertThat(session.call("everything__get-tiny-image", "{}").text()).contains("[image/png, ", "not shown]");
            assertThat(session.call("everything__get-structured-content", "{\"location\": \"New York\"}")
                            .text())
                    .contains("temperature");
            assertThat(session.call("everything__trigger-long-running-operation", "{\"duration\": 1, \"steps\": 2}")
                            .text())
                    .contains("completed");
            ToolOutput wrong = session.call("everything__get-sum", "{\"a\": \"two\"}");
            assertThat(wrong.failed()).isTrue();
            assertThat(wrong.text()).contains("expected number");
        }
    }

    @Test
    void overStandardInputAndOutput() throws Exception {
        use(new McpAddress.Command(List.of("node", PROGRAM, "stdio"), Map.of()));
    }

    @Test
    void overStreamableHttp() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        ProcessBuilder builder = new ProcessBuilder("node", PROGRAM, "streamableHttp").redirectErrorStream(true);
        builder.environment().put("PORT", Integer.toString(port));
        Process program = builder.start();
        try {
            BufferedReader said =
                    new BufferedReader(new InputStreamReader(program.getInputStream(), StandardCharsets.UTF_8));
            String line = said.readLine();
            while (line != null && !line.contains("listening")) {
                line = said.readLine();
            }
            assertThat(line).as("what it says when it is ready").isNotNull();
            Thread.ofVirtual().start(() -> said.lines().forEach(ignored -> {}));
            use(McpAddress.Url.trusted(URI.create("http://127.0.0.1:" + port + "/mcp"), Map.of()));
        } finally {
            program.destroyForcibly();
        }
    }
}
