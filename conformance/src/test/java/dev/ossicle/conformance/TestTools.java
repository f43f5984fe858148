package dev.ossicle.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ossicle.chat.Answer;
import dev.ossicle.chat.ChatEvent;
import dev.ossicle.chat.ChatModel;
import dev.ossicle.chat.LocalModel;
import dev.ossicle.engine.scripted.ScriptedModelRunner;
import dev.ossicle.server.Scripted;
import dev.ossicle.tools.browser.BrowserSession;
import dev.ossicle.tools.documents.DocumentFolder;
import dev.ossicle.tools.documents.IndexProgress;
import dev.ossicle.tools.patch.ApplyPatchSession;
import dev.ossicle.tools.patch.Workspace;
import dev.ossicle.tools.python.BubblewrapSandbox;
import dev.ossicle.tools.python.PythonLimits;
import dev.ossicle.tools.python.PythonSession;
import dev.ossicle.tools.python.Sandboxes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tools of gpt-oss's in a conversation, the real ones, with a model that says what the test has it say. */
@Timeout(120)
class TestTools {
    @Test
    void pythonComputesAndAPatchIsApplied(@TempDir Path folder) throws Exception {
        Optional<String> problem = Sandboxes.problem(new BubblewrapSandbox());
        assumeTrue(problem.isEmpty(), () -> "python cannot run here: " + problem.orElse(""));
        Files.writeString(folder.resolve("answer.txt"), "unknown\n");
        ScriptedModelRunner runner = new ScriptedModelRunner(Scripted.TOKENIZER.vocabularySize(), 1 << 16)
                .answer(Scripted.tokens(
                        " to=python<|channel|>analysis code<|message|>x = 123456 * 654321\nprint(x)<|call|>"))
                .answer(Scripted.tokens(" to=python<|channel|>analysis code<|message|>print(x + 1)<|call|>"))
                .answer(Scripted.tokens("<|channel|>commentary to=functions.apply_patch <|constrain|>json<|message|>"
                        + "\"*** Begin Patch\\n*** Update File: answer.txt\\n@@\\n-unknown\\n+80779853376\\n*** End Patch\""
                        + "<|call|>"))
                .answer(Scripted.tokens("<|channel|>final<|message|>It is 80779853376.<|return|>"));
        try (ChatModel model = LocalModel.of("script", runner, Scripted.TOKENIZER);
                PythonSession python = new PythonSession(new BubblewrapSandbox(), PythonLimits.DEFAULT);
                ApplyPatchSession patch = new ApplyPatchSession(new Workspace(folder), false)) {
            Answer answer = model.chat().sessions(python, patch).ask("What is 123456 * 654321?");
            List<String> results = new ArrayList<>();
            StringBuilder said = new StringBuilder();
            for (ChatEvent event : answer) {
                switch (event) {
                    case ChatEvent.ToolResult result ->
                        results.add(result.output().strip());
                    case ChatEvent.Text text -> said.append(text.text());
                    default -> {}
                }
            }
            assertThat(results).containsExactly("80779853376", "80779853377", "Done!");
            assertThat(said).hasToString("It is 80779853376.");
        }
        assertThat(folder.resolve("answer.txt")).hasContent("80779853376");
    }

    /** Wherever a task is broken off, nothing of it stays: no process, no thread of a tool, no file. */
    @Test
    void aTaskMayBeCancelledAnywhere(@TempDir Path folder) throws Exception {
        Optional<String> problem = Sandboxes.problem(new BubblewrapSandbox());
        assumeTrue(problem.isEmpty(), () -> "python cannot run here: " + problem.orElse(""));
        Files.writeString(folder.resolve("note.txt"), "The hotel was 311 euros.\n");
        Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
        Set<Path> before = list(temporary);
        int done = 0;
        try (DocumentFolder documents = DocumentFolder.open(folder, IndexProgress.NONE)) {
            for (int cancelAt = 0; done == 0; cancelAt++) {
                ScriptedModelRunner runner = new ScriptedModelRunner(Scripted.TOKENIZER.vocabularySize(), 1 << 16)
                        .answer(Scripted.tokens(
                                " to=browser.search<|channel|>analysis code<|message|>{\"query\": \"hotel\"}<|call|>"))
                        .answer(Scripted.tokens(" to=python<|channel|>analysis code<|message|>"
                                + "import time\nopen('x', 'w').write('x')\nprint(1)<|call|>"))
                        .answer(Scripted.tokens("<|channel|>final<|message|>311<|return|>"));
                try (ChatModel model = LocalModel.of("script", runner, Scripted.TOKENIZER);
                        PythonSession python = new PythonSession(new BubblewrapSandbox(), PythonLimits.DEFAULT);
                        BrowserSession browser = new BrowserSession(documents, documents);
                        Answer answer = model.chat().sessions(browser, python).ask("What was the hotel?")) {
                    for (int i = 0; i < cancelAt && answer.next() != null; i++) {}
                    answer.cancel();
                    done = answer.done().finish() == ChatEvent.Finish.STOP ? 1 : 0;
                }
                assertThat(runner.openSequences()).isZero();
            }
        }
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (ProcessHandle.current().descendants().findAny().isPresent() && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
        assertThat(ProcessHandle.current()
                        .descendants()
                        .map(process -> process.info().commandLine().orElse("")))
                .isEmpty();
        assertThat(Thread.getAllStackTraces().keySet().stream().map(Thread::getName))
                .noneMatch(name -> name.startsWith("ossicle-python") || name.startsWith("ossicle-tool"));
        Set<Path> after = list(temporary);
        after.removeAll(before);
        assertThat(after.stream().filter(path -> path.getFileName().toString().startsWith("ossicle")))
                .isEmpty();
    }

    private static Set<Path> list(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.collect(Collectors.toCollection(HashSet::new));
        }
    }
}
