package dev.ossicle.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.tools.mcp.McpServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** MCP servers as command lines and files name them; none is connected to. */
class TestMcpOptions {
    @TempDir
    private Path folder;

    private List<McpServer> read(String json) throws IOException {
        return McpConfiguration.read(Files.writeString(folder.resolve("mcp.json"), json), Map.of("KEY", "k$1"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "npx -y  server /tmp | npx,-y,server,/tmp",
                "a 'b c' \"d 'e\" f\\ g '' | a,b c,d 'e,f g,",
                "a\"b\"'c' \"x\\\"y\\n\" | abc,x\"y\\n",
            })
    void linesAreSplitAsAShellDoes(String line, String words) {
        assertThat(String.join(",", ShellWords.split(line))).isEqualTo(words);
        assertThat(ShellWords.split(ShellWords.join(ShellWords.split(line)))).isEqualTo(ShellWords.split(line));
    }

    @Test
    void aQuoteMustBeClosed() {
        assertThatThrownBy(() -> ShellWords.split("a 'b")).hasMessageContaining("a quote (') is not closed");
    }

    @Test
    void filesAreReadAsOthersHaveThem() throws IOException {
        assertThat(read("""
                        {"mcpServers": {
                          "files": {"command": "npx", "args": ["-y", "server"], "env": {"TOKEN": "${KEY}"}},
                          "wiki": {"type": "http", "url": "https://a.org/mcp", "headers": {"Authorization": "Bearer ${env:KEY}"}},
                          "off": {"command": "x", "disabled": true}}}""")).extracting(McpServer::label).containsExactly("files", "wiki");
        assertThat(read("{\"servers\": {\"code\": {\"type\": \"stdio\", \"command\": \"x\"}}}"))
                .hasSize(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[                                                           | is not JSON",
                "{}                                                          | has no \"mcpServers\"",
                "{\"mcpServers\": {\"a\": 5}}                                  | MCP server a is a number, must be an object",
                "{\"mcpServers\": {\"a\": {}}}                                 | must have either \"command\" or \"url\"",
                "{\"mcpServers\": {\"a\": {\"url\": \"a b\"}}}                 | cannot be reached",
                "{\"mcpServers\": {\"a\": {\"url\": \"ftp://x/\"}}}            | is no URL of an MCP server",
                "{\"mcpServers\": {\"a\": {\"command\": 1}}}                   | must be a string",
                "{\"mcpServers\": {\"a\": {\"command\": \"x\", \"cwd\": \"/\"}}} | has \"cwd\", which is not supported",
                "{\"mcpServers\": {\"a\": {\"type\": \"sse\", \"url\": \"https://x/\"}}} | is of type sse",
                "{\"mcpServers\": {\"a\": {\"command\": \"${NONE}\"}}}          | names the variable NONE, which is not set",
            })
    void whatCannotBeUsedIsSaid(String json, String said) {
        assertThatThrownBy(() -> read(json))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("mcp.json")
                .hasMessageContaining(said);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "--mcp|box=/no/such/program|1|MCP server box cannot be started",
                "--mcp|/no/such/program|1|MCP server mcp cannot be started",
                "--mcp|http://127.0.0.1:1/mcp|1|MCP server mcp ",
                "--mcp|a='b|2|is not closed",
                "--mcp-config|/no/such/file|1|no such file",
                "--tools|mcp|2|MCP servers are given by --mcp",
            })
    void aRunThatCannotHaveThemDoesNotBegin(String option, String value, int status, String said) {
        CommandLineRun run = CommandLineRun.of("run", "nano", "Hi", option, value);
        assertThat(run.err()).contains(said).doesNotContain("\tat ");
        assertThat(run.status()).isEqualTo(status);
        assertThat(run.out()).isEmpty();
    }

    @Test
    void twoServersHaveTwoNames() {
        CommandLineRun run = CommandLineRun.of("run", "nano", "Hi", "--mcp", "a=x", "--mcp", "a=y");
        assertThat(run.err()).contains("two MCP servers are called a");
        assertThat(run.status()).isEqualTo(2);
    }
}
