package dev.ossicle.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ossicle.chat.Answer;
import dev.ossicle.chat.ChatEvent;
import dev.ossicle.chat.ChatModel;
import dev.ossicle.chat.LocalModel;
import dev.ossicle.engine.scripted.ScriptedModelRunner;
import dev.ossicle.server.Scripted;
import dev.ossicle.tools.patch.ApplyPatchSession;
import dev.ossicle.tools.patch.Workspace;
import dev.ossicle.tools.python.BubblewrapSandbox;
import dev.ossicle.tools.python.PythonLimits;
import dev.ossicle.tools.python.PythonSession;
import dev.ossicle.tools.python.Sandboxes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
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
}
