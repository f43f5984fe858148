package dev.ossicle.conformance.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.engine.EngineOptions;
import dev.ossicle.server.Actor;
import dev.ossicle.server.Scripted;
import dev.ossicle.server.ServerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Programs of other people as npm has them, unmodified. {@code ./mvnw verify -Pclients} runs them; they need Node and npm. */
@Tag("clients")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class TestNpmClients {
    private final Scripted scripted = new Scripted(ServerOptions.DEFAULT, EngineOptions.DEFAULT, true);

    TestNpmClients() throws IOException {
        scripted.runner.author(new Actor());
    }

    @AfterEach
    void close() {
        scripted.close();
    }

    @BeforeAll
    static void install() throws Exception {
        Node.install();
    }

    @ParameterizedTest
    @ValueSource(strings = {"openai", "agents", "ollama"})
    void libraries(String name) throws Exception {
        assertThat(Node.run(Map.of(), "node", name + ".mjs", scripted.server.address()))
                .endsWith(name + " ok\n");
    }

    /** The coding agent: reads files with its own tools, and ends. */
    @Test
    void codex(@TempDir Path home) throws Exception {
        Path project = Files.createDirectory(home.resolve("project"));
        Files.writeString(project.resolve("secret.txt"), "the cat sleeps\n");
        List<String> command = new ArrayList<>(List.of("node", "node_modules/@openai/codex/bin/codex.js", "exec"));
        command.addAll(List.of("--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"));
        command.addAll(List.of("-C", project.toString(), "-m", "gpt-oss-20b", "-c", "model_provider=\"x\"", "-c"));
        command.add("model_providers.x={name=\"x\",base_url=\"" + scripted.server.address()
                + "/v1\",wire_api=\"responses\"}");
        command.add("call exec_command with {\"cmd\": \"cat secret.txt\"}");
        String output = Node.run(
                Map.of(
                        "CODEX_HOME",
                        Files.createDirectory(home.resolve("codex")).toString()),
                command.toArray(String[]::new));
        assertThat(output).contains("It says:").contains("the cat sleeps");
        assertThat(scripted.prompt(0)).contains("namespace functions").contains("exec_command");
        // What it thought came back, and so its call is understood.
        assertThat(scripted.prompt(1)).contains("I will call it.").contains("the cat sleeps");
    }

    /** The same as it looks for Ollama by itself: version, models, a pull of what is missing, then Responses. */
    @Test
    void codexTakesUsForOllama(@TempDir Path home) throws Exception {
        String output = Node.run(
                Map.of(
                        "CODEX_HOME",
                        Files.createDirectory(home.resolve("codex")).toString(),
                        "CODEX_OSS_BASE_URL",
                        scripted.server.address() + "/v1"),
                "node",
                "node_modules/@openai/codex/bin/codex.js",
                "exec",
                "--skip-git-repo-check",
                "-C",
                home.toString(),
                "--oss",
                "--local-provider",
                "ollama",
                "say exactly hello from here");
        assertThat(output).contains("hello from here");
        assertThat(scripted.prompt(0)).contains("exec_command");
    }

    @Test
    void curl() throws Exception {
        String url = scripted.server.address() + "/v1/chat/completions";
        String body = "{\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}";
        assertThat(Node.run(Map.of(), "curl", "-sS", "--fail", url, "--json", body))
                .contains("You said: Hello");
        assertThat(Node.run(Map.of(), "curl", "-sS", url, "-d", body)).contains("Content-Type: application/json");
    }
}
