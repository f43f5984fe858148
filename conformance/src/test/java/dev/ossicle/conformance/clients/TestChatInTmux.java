package dev.ossicle.conformance.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.ossicle.server.Scripted;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code ossicle chat nano} on a real pseudo-terminal, which tmux shows us. */
@Tag("clients")
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class TestChatInTmux {
    private static final long DEADLINE_NANOS = TimeUnit.SECONDS.toNanos(90);

    @TempDir
    Path folder;

    @BeforeEach
    void needsTmux() {
        boolean isThere = false;
        try {
            isThere = new ProcessBuilder("tmux", "-V").start().waitFor() == 0;
        } catch (IOException | InterruptedException e) {
            // said below
        }
        assumeTrue(isThere, "there is no tmux here");
    }

    @AfterEach
    void endsTmux() throws Exception {
        tmux("kill-server");
    }

    @Test
    void aConversationOnARealTerminal() throws Exception {
        start(80, 24, "chat", "nano", "--seed", "1", "--temperature", "0");
        keys("What is 2 + 3?", "Enter");
        await("the answer", pane -> pane.contains("2 + 3 = 5") && endsInPrompt(pane, 2));
        assertThat(pane()).contains("thought for").doesNotContain("thinking");
        assertThat(tmux("capture-pane", "-e", "-p")).contains("\u001b[2mthought for");

        // One after another, without waiting: the second is kept for the next prompt.
        keys("What is 4 + 4?", "Enter");
        keys("Who are you?", "Enter");
        await(
                "both answers",
                pane -> pane.contains("4 + 4 = 8") && pane.contains("Ossicle nano") && endsInPrompt(pane, 4));

        tmux("resize-window", "-x", "40", "-y", "24");
        keys("/show info", "Enter");
        await("its name", pane -> pane.contains("model     nano"));
        keys("/rea", "Tab", "hig", "Tab", "Enter");
        await("high", pane -> pane.contains("reasoning is high"));

        keys("half a line", "C-c");
        await("the hint", pane -> pane.contains("Ctrl-C once more"));
        keys("C-d");
        await("the end", pane -> pane.contains("left with 0"));
        assertThat(Files.readString(folder.resolve("state/history"))).contains("Who are you?");
    }

    @Test
    void ctrlCStopsAnAnswerAndNotTheProgram() throws Exception {
        // Plain loops are slow enough to be stopped in time.
        start(80, 24, "run", "nano", "--device", "reference", "--threads", "1");
        keys("What is 2 + 3?", "Enter");
        await("a thought", pane -> pane.contains("thinking"));
        keys("C-c");
        await("stopped", pane -> pane.contains("[stopped]") && endsInPrompt(pane, 2));
        keys("/bye", "Enter");
        await("the end", pane -> pane.contains("left with 0"));
    }

    /** What the documentation shows: made here, so that it is true. */
    @Test
    void aPictureOfAConversation() throws Exception {
        try (Scripted scripted = new Scripted()) {
            scripted.answer(
                    "<|channel|>analysis<|message|>They want a comparison. A table says it best, then a few lines of"
                            + " Java.<|end|><|start|>assistant<|channel|>final<|message|>" + PICTURED + "<|return|>");
            start(84, 40, "chat", scripted.server.address() + "/v1#gpt-oss-20b");
            keys("Which sorts does the JDK use, and how do I sort words by length?", "Enter");
            await("the answer", pane -> pane.contains("shortest first") && endsInPrompt(pane, 2));
        }
        Path screen = Files.createDirectories(Path.of("target", "screenshots")).resolve("terminal.ansi");
        // Java's word on incubating modules is none of the conversation's.
        Files.writeString(screen, tmux("capture-pane", "-e", "-p").replaceFirst("^WARNING: .*\n", ""));
        Node.install();
        Node.run(Map.of(), "node", "terminal.mjs", screen.toAbsolutePath().toString());
        assertThat(screen.resolveSibling("terminal.png")).isNotEmptyFile();
    }

    private static final String PICTURED = """
            ## Sorts of the JDK

            | what is sorted | algorithm | stable | worst case |
            |---|---|:---:|---|
            | objects | TimSort | yes | `n log n` |
            | primitives | dual-pivot quicksort | no | `n log n` |
            | parallel arrays | merge of sorted parts | objects only | `n log n` |

            A list of words, **shortest first**:

            ```java
            words.sort(Comparator.comparingInt(String::length)
                    .thenComparing(Comparator.naturalOrder()));
            ```

            1. `comparingInt` takes the length, without boxing.
            2. `thenComparing` decides between words of one length.

            > TimSort looks for runs that are sorted already: on nearly sorted input it is linear.
            """;

    private static boolean endsInPrompt(String pane, int prompts) {
        return pane.stripTrailing().endsWith(">>>") && pane.split(">>>", -1).length > prompts;
    }

    private void start(int columns, int rows, String... arguments) throws Exception {
        List<String> words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.ossicle.cli.Main"));
        words.addAll(List.of(arguments));
        // The class path is too long for tmux's own command line.
        Path script = Files.writeString(
                folder.resolve("chat.sh"),
                "trap : INT\nunset NO_COLOR\nexport OSSICLE_STATE='" + folder.resolve("state") + "'\n'"
                        + String.join("' '", words) + "'\necho left with $?\nread nothing\n");
        tmux(
                "-f",
                "/dev/null",
                "new-session",
                "-d",
                "-x",
                String.valueOf(columns),
                "-y",
                String.valueOf(rows),
                "sh " + script);
        await("the prompt", pane -> endsInPrompt(pane, 1));
    }

    private void keys(String... keys) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("send-keys"));
        arguments.addAll(List.of(keys));
        tmux(arguments.toArray(String[]::new));
    }

    private String pane() throws Exception {
        return tmux("capture-pane", "-p", "-S", "-100");
    }

    private void await(String what, Predicate<String> condition) throws Exception {
        long start = System.nanoTime();
        String pane = pane();
        while (!condition.test(pane)) {
            if (System.nanoTime() - start > DEADLINE_NANOS) {
                assertThat(pane).as("waited in vain for %s", what).isEqualTo(what);
            }
            pane = pane();
        }
    }

    /** A server of this test's own: nobody's session is touched. */
    private String tmux(String... arguments) throws Exception {
        List<String> command =
                new ArrayList<>(List.of("tmux", "-S", folder.resolve("socket").toString()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return said;
    }
}
