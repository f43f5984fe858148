package dev.ossicle.tools.mcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.harmony.ToolDescription;
import dev.ossicle.tools.ToolOutput;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Servers that are processes: one of the SDK's, and some that go wrong. */
@Timeout(120)
class TestMcpCommand {
    /** Of a machine that is busy with other things. */
    private static final McpLimits LIMITS = McpLimits.DEFAULT.withMessage(1 << 20);

    private static final McpLimits IMPATIENT = LIMITS.withCall(Duration.ofMillis(700));

    private McpServer server = new McpServer("none", new McpAddress.Command(List.of("none"), Map.of()), LIMITS);

    @AfterEach
    void close() {
        server.close();
    }

    private McpServer start(Class<?> program, String argument, McpLimits limits) {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        List<String> words = List.of(
                java,
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                program.getName(),
                argument);
        server = new McpServer("my server", new McpAddress.Command(words, Map.of()), limits);
        return server;
    }

    private McpSession odd(String oddity, McpLimits limits) throws McpException, InterruptedException {
        return new McpSession(start(OddServer.class, oddity, limits));
    }

    @Test
    void theSdksServerIsUnderstood() throws Exception {
        McpSession session = new McpSession(start(SdkServer.class, "", LIMITS));
        assertThat(session.namespace().name()).isEqualTo("functions");
        assertThat(session.namespace().tools().stream().map(ToolDescription::name))
                .containsExactlyInAnyOrder(
                        "my_server__add", "my_server__look_at_it", "my_server__fail", "my_server__structured");
        ToolDescription add = session.namespace().tools().stream()
                .filter(tool -> tool.name().endsWith("add"))
                .findFirst()
                .orElseThrow();
        assertThat(add.description()).isEqualTo("Adds.");
        assertThat(String.valueOf(add.parameters())).contains("\"integer\"").doesNotContain("addArguments");
        assertThat(session.tool("my_server__add")).matches(McpTool::readOnly);
        assertThat(session.tool("my_server__fail")).matches(tool -> !tool.readOnly());
        assertThat(session.instructions()).isEqualTo("# Tools my_server__*\n\nUse sums for sums.");

        assertThat(session.call("my_server__add", "{\"a\": 2, \"b\": 3}")).isEqualTo(ToolOutput.of("5\ndone"));
        assertThat(session.call("my_server__look_at_it", ""))
                .isEqualTo(ToolOutput.of("[image/png, 12 kB, not shown]\n[file:///a.txt]\ninside"));
        assertThat(session.call("my_server__fail", "{}")).isEqualTo(ToolOutput.failure("no such sum"));
        assertThat(session.call("my_server__structured", "{}")).isEqualTo(ToolOutput.of("{\"sum\":5}"));
        assertThat(session.call("my_server__nothing", "{}").failed()).isTrue();
        assertThat(session.call("my_server__add", "{\"a\": ").failed()).isTrue();
        session.close();
        assertThat(session.call("my_server__add", "{\"a\": 2, \"b\": 3}"))
                .isEqualTo(ToolOutput.failure("this session is closed"));
        assertThat(new McpSession(server)
                        .call("my_server__add", "{\"a\": 1, \"b\": 1}")
                        .text())
                .startsWith("2");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "exit    | ended with exit status 3; it wrote to standard error: no file config.toml",
                "garbage | no message of the protocol: \"Welcome to this server!\"",
                "version | 1999-01-01",
                "endless | lists more than 512 tools",
                "wordy   | describes its tool do with 1000",
            })
    void whatDoesNotBeginIsSaid(String oddity, String said) {
        assertThatThrownBy(() -> odd(oddity, LIMITS))
                .isInstanceOf(McpException.class)
                .message()
                .startsWith("MCP server my server ")
                .satisfies(message -> assertThat(message.replace('\n', ' ')).contains(said));
    }

    @Test
    void aServerThatIsNeverReadyIsEnded() {
        assertThatThrownBy(() -> odd("hang", LIMITS.withConnect(Duration.ofMillis(1500))))
                .hasMessage("MCP server my server did not become ready within 1.5 seconds");
        assertThatThrownBy(() -> new McpSession(
                        new McpServer("x", new McpAddress.Command(List.of("/no/such/program"), Map.of()), LIMITS)))
                .hasMessageStartingWith("MCP server x cannot be started: ")
                .hasMessageContaining("/no/such/program");
        assertThat(ProcessHandle.current().children().filter(TestMcpCommand::isOdd))
                .isEmpty();
    }

    private static boolean isOdd(ProcessHandle process) {
        return process.isAlive() && process.info().commandLine().orElse("").contains("OddServer");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ids    | did not answer the call of do within 0.7 seconds (it sent answers to requests that were not made: 1)",
                "huge   | sent a message of more than 1048576 bytes",
                "flood  | sent more than 4194304 bytes that nobody asked for",
                "dies   | ended with exit status 1",
                "error  | refused to answer the call of do: odd",
                "shape  | did not answer the call of do as the protocol has it",
                "deaf   | did not answer the call of do within 0.7 seconds",
            })
    void whatGoesWrongIsAnOutput(String oddity, String said) throws Exception {
        boolean late = said.contains("seconds");
        McpSession session = odd(oddity, late ? IMPATIENT : LIMITS);
        String argument = oddity.equals("deaf") ? "d".repeat(1 << 20) : "";
        ToolOutput output = session.call("my_server__do", "{\"x\": \"" + argument + "\"}");
        assertThat(output.failed()).isTrue();
        assertThat(output.text()).startsWith("error: MCP server my server ").contains(said);
    }

    /** The next call finds it started anew. */
    @Test
    void aServerThatDiedIsStartedAgain() throws Exception {
        McpSession session = odd("dies", LIMITS);
        for (int i = 0; i < 2; i++) {
            assertThat(session.call("my_server__do", "{}").text()).contains("ended with exit status 1");
        }
    }

    @Test
    void aListThatChangedIsReadAgainForTheNextConversation() throws Exception {
        McpSession session = odd("changes", LIMITS);
        assertThat(session.call("my_server__old", "{}").text()).isEqualTo("changed");
        assertThat(session.namespace().tools().getFirst().name()).isEqualTo("my_server__old");
        assertThat(new McpSession(server).namespace().tools().getFirst().name()).isEqualTo("my_server__new");
    }

    @Test
    void standardErrorIsReadAndKeptShort() throws Exception {
        assertThat(odd("chatty", LIMITS).call("my_server__do", "{}").text()).isEqualTo("done");
    }

    @Test
    void anInterruptedCallIsCancelledAtTheServer() throws Exception {
        McpSession session = odd("waits", LIMITS);
        CountDownLatch interrupted = new CountDownLatch(1);
        Thread caller = Thread.ofVirtual().start(() -> {
            try {
                session.call("my_server__do", "{\"wait\": true}");
            } catch (InterruptedException e) {
                interrupted.countDown();
            }
        });
        while (caller.getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait(); // until it waits for the answer
        }
        // The request is written by a thread of its own: whatever is asked now comes after it.
        assertThat(session.call("my_server__do", "{}").text()).isEqualTo("0 cancelled");
        caller.interrupt();
        interrupted.await();
        String answer = "";
        while (!answer.equals("1 cancelled")) {
            answer = session.call("my_server__do", "{}").text();
        }
        assertThat(answer).isEqualTo("1 cancelled");
    }

    @Test
    void closingEndsTheProcessAndItsChildren() throws Exception {
        McpSession session = odd("stays", LIMITS);
        List<ProcessHandle> family = List.of(
                        session.call("my_server__do", "{}").text().split(" "))
                .stream()
                .map(pid -> ProcessHandle.of(Long.parseLong(pid)).orElseThrow())
                .toList();
        assertThat(family).hasSize(2).allMatch(ProcessHandle::isAlive);
        server.close();
        for (ProcessHandle each : family) {
            each.onExit().get();
        }
        assertThat(session.call("my_server__do", "{}").text()).isEqualTo("error: MCP server my server is closed");
    }

    /** A server may be closed while it is still awaited. */
    @Test
    void closingDoesNotWaitForWhatIsNeverReady() throws Exception {
        McpServer never = start(OddServer.class, "hang", LIMITS);
        Thread opener = Thread.ofVirtual().start(() -> {
            try {
                never.tools();
            } catch (McpException | InterruptedException e) {
                // closed
            }
        });
        while (opener.getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
        }
        never.close();
        opener.join();
    }
}
