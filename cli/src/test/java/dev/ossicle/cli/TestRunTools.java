package dev.ossicle.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ossicle.chat.ChatModel;
import dev.ossicle.chat.LocalModel;
import dev.ossicle.engine.scripted.ScriptedModelRunner;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import dev.ossicle.tools.python.BubblewrapSandbox;
import dev.ossicle.tools.python.Sandboxes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code ossicle run --tools}, with the real tools and a model that says what the test has it say. */
@Timeout(120)
class TestRunTools {
    private static final String BROWSE = "<|channel|>analysis code<|message|>";

    private static ScriptedModelRunner script(String... answers) {
        Tokenizer tokenizer;
        try (LocalModel nano = (LocalModel) ChatModel.nano()) {
            tokenizer = nano.harmony().tokenizer();
        }
        ScriptedModelRunner runner = new ScriptedModelRunner(tokenizer.vocabularySize(), 1 << 16);
        for (String answer : answers) {
            runner.answer(tokenizer.encode(answer, tokenizer.specialNames()));
        }
        return runner;
    }

    /** Searches, opens, finds, computes over what was found, patches a file, answers with a citation. */
    @Test
    void aTaskOfManySteps(@TempDir Path folder) throws Exception {
        Optional<String> problem = Sandboxes.problem(new BubblewrapSandbox());
        assumeTrue(problem.isEmpty(), () -> "python cannot run here: " + problem.orElse(""));
        Path documents = Files.createDirectory(folder.resolve("documents"));
        Path work = Files.createDirectory(folder.resolve("work"));
        Files.writeString(
                documents.resolve("travel.md"),
                "# Travel in May\n\nThe train to Graz was 84 euros.\nThe hotel was 311 euros.\n");
        Files.writeString(documents.resolve("garden.md"), "# Garden\n\nTomatoes want sun.\n");
        Files.writeString(work.resolve("report.txt"), "travel: ?\n");
        ScriptedProvider.NEXT.set(script(
                "<|channel|>analysis<|message|>I look.<|end|><|start|>assistant to=browser.search" + BROWSE
                        + "{\"query\": \"travel May\"}<|call|>",
                " to=browser.open" + BROWSE + "{\"id\": 0, \"cursor\": 0}<|call|>",
                " to=browser.find" + BROWSE + "{\"pattern\": \"euros\", \"cursor\": 1}<|call|>",
                " to=python" + BROWSE + "print(84 + 311)<|call|>",
                "<|channel|>commentary to=functions.apply_patch <|constrain|>json<|message|>"
                        + "\"*** Begin Patch\\n*** Update File: report.txt\\n@@\\n-travel: ?\\n+travel: 395\\n*** End Patch\"<|call|>",
                "<|channel|>final<|message|>We spent 395 euros\u30101\u2020L3-L4\u3011.<|return|>"));
        CommandLineRun run = CommandLineRun.of(
                "run",
                "nano",
                "What did we spend?",
                "--device",
                "script",
                "--json",
                "--tools",
                "browser=" + documents + ",python,apply_patch=" + work);
        assertThat(run.status()).as(run.err()).isZero();
        List<JsonObject> events = run.out()
                .lines()
                .map(line -> (JsonObject) Json.parse(line))
                .filter(event -> !text(event, "type").equals("reading"))
                .toList();
        assertThat(events.stream().map(event -> text(event, "type") + " " + text(event, "name")))
                .containsSubsequence(
                        "reasoning ",
                        "tool_call browser.search",
                        "tool_result browser.search",
                        "tool_call browser.open",
                        "tool_result browser.open",
                        "tool_call browser.find",
                        "tool_result browser.find",
                        "tool_call python",
                        "tool_result python",
                        "tool_call apply_patch",
                        "tool_result apply_patch",
                        "text ",
                        "done ");
        assertThat(events.stream()
                        .filter(event -> text(event, "type").equals("tool_result"))
                        .map(event -> text(event, "output").strip()))
                .satisfiesExactly(
                        search -> assertThat(search).contains("Travel in May"),
                        open -> assertThat(open).contains("L4: The train to Graz was 84 euros."),
                        find -> assertThat(find).contains("The hotel was 311 euros."),
                        python -> assertThat(python).isEqualTo("395"),
                        patch -> assertThat(patch).isEqualTo("Done!"));
        assertThat(run.out())
                .contains("\"text\":\" ([documents.internal](https://documents.internal/travel.md)) \"")
                .contains("\"source\":{\"title\":\"Travel in May\",\"url\":\"https://documents.internal/travel.md\"}");
        assertThat(work.resolve("report.txt")).hasContent("travel: 395");
    }

    @Test
    void whatCannotBeUsedIsSaidBeforeTheModelIsLoaded(@TempDir Path folder) {
        assertThat(CommandLineRun.of("run", "--tools", "browser", "Hi").err()).contains("browser=FOLDER");
        assertThat(CommandLineRun.of("run", "--tools", "browser=" + folder.resolve("none"), "Hi")
                        .err())
                .contains("is no folder");
        assertThat(CommandLineRun.of("run", "--tools", "telepathy", "Hi").status())
                .isEqualTo(2);
    }

    private static String text(JsonObject event, String name) {
        return event.get(name) instanceof JsonString string ? string.value() : "";
    }
}
