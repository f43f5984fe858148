package dev.ossicle.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.chat.ChatModel;
import dev.ossicle.chat.ChatOptions;
import dev.ossicle.chat.Limits;
import dev.ossicle.chat.LocalModel;
import dev.ossicle.engine.scripted.ScriptedModelRunner;
import dev.ossicle.harmony.ToolDescription;
import dev.ossicle.harmony.ToolNamespace;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.tools.Source;
import dev.ossicle.tools.ToolOutput;
import dev.ossicle.tools.ToolSession;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import org.jline.terminal.Terminal.Signal;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A whole conversation with a model that says what the test has it say, on a terminal that can be looked at. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class TestChatSession {
    private static final String CTRL_C = "\u0003";
    private static final String CTRL_D = "\u0004";
    private static final Tokenizer TOKENIZER = tokenizer();

    @TempDir
    Path folder;

    private final ScriptedModelRunner runner = new ScriptedModelRunner(TOKENIZER.vocabularySize(), 1 << 16);
    private final ChatModel model = LocalModel.of("script", runner, TOKENIZER);
    private final AtomicLong clock = new AtomicLong(1);
    private final List<String> opened = new ArrayList<>();
    private @Nullable VirtualScreen screen;
    private @Nullable FutureTask<Integer> running;

    private static Tokenizer tokenizer() {
        Tokenizer.Builder builder = Tokenizer.builder();
        for (int value = 0; value < 256; value++) {
            builder.token(value, new byte[] {(byte) value});
        }
        String[] special = {
            "startoftext", "endoftext", "return", "constrain", "channel", "start", "end", "message", "call"
        };
        for (int i = 0; i < special.length; i++) {
            builder.special("<|" + special[i] + "|>", 256 + i);
        }
        return builder.build();
    }

    private void answers(String harmony) {
        runner.answer(TOKENIZER.encode(harmony, TOKENIZER.specialNames()));
    }

    private void says(String text) {
        answers("<|channel|>final<|message|>" + text + "<|return|>");
    }

    private void thinksAndSays(String thought, String text) {
        answers("<|channel|>analysis<|message|>" + thought + "<|end|><|start|>assistant<|channel|>final<|message|>"
                + text + "<|return|>");
    }

    private VirtualScreen start(int columns, int rows) throws Exception {
        return start(columns, rows, "xterm-256color", true);
    }

    private VirtualScreen start(int columns, int rows, String type, boolean styled) throws Exception {
        VirtualScreen fresh = new VirtualScreen(type, columns, rows);
        screen = fresh;
        FutureTask<Integer> task = new FutureTask<>(() -> {
            try (Console console = new TerminalConsole(
                            fresh.terminal(),
                            folder.resolve("state"),
                            List.of("python", "none"),
                            styled,
                            writer -> event -> {
                                if (event instanceof dev.ossicle.chat.ChatEvent.Text text) {
                                    writer.print(Harmless.text(text.text()));
                                }
                                if (event instanceof dev.ossicle.chat.ChatEvent.Done) {
                                    writer.println();
                                }
                                writer.flush();
                            },
                            clock::get);
                    ChatSession session = new ChatSession(
                            model,
                            console,
                            folder.resolve("state"),
                            this::open,
                            List.of(),
                            null,
                            ChatOptions.DEFAULT.withSeed(1),
                            Limits.DEFAULT,
                            ReasoningDisplay.FOLD,
                            false)) {
                return session.run();
            }
        });
        running = task;
        new Thread(task, "session").start();
        fresh.await("a prompt", text -> text.endsWith(">>>"));
        return fresh;
    }

    /** Ends the conversation; returns how many commands failed. */
    private int end() throws Exception {
        if (screen != null && running != null && !running.isDone()) {
            screen.type(CTRL_D);
        }
        return result();
    }

    private int result() throws Exception {
        if (running == null) {
            throw new IllegalStateException("nothing was started");
        }
        return running.get(30, TimeUnit.SECONDS);
    }

    @AfterEach
    void closesCleanly() throws Exception {
        if (running != null && !running.isDone()) {
            end();
        }
        model.close();
        assertThat(runner.openSequences()).isZero();
    }

    /** Types a line and waits for the next prompt. */
    private static void enter(VirtualScreen screen, String line) throws Exception {
        int prompts = prompts(screen.text());
        screen.type(line + "\r");
        screen.await("the prompt after " + line, text -> prompts(text) > prompts && text.endsWith(">>>"));
    }

    private static int prompts(String text) {
        return text.split(">>>", -1).length;
    }

    /** Without what differs from run to run: the line of timings, which may be broken. */
    private static String steady(String text) {
        return Pattern.compile("[0-9.,]+\\stokens/s\\s·.*?\\s[0-9.]+\\ss$", Pattern.MULTILINE | Pattern.DOTALL)
                .matcher(text)
                .replaceAll("(timings)");
    }

    // --- tools ---

    private OpenTools open(List<String> names) {
        opened.addAll(names);
        if (names.contains("bad")) {
            throw new IllegalArgumentException("there is no tool bad");
        }
        return new OpenTools(names, names.isEmpty() ? List.of() : List.of(new Lookup()), () -> {});
    }

    /** {@code functions.look}: says what it was asked, long things for "long", nothing good for "fail". */
    private static final class Lookup implements ToolSession {
        @Override
        public ToolNamespace namespace() {
            return new ToolNamespace(
                    ToolNamespace.FUNCTIONS, null, List.of(new ToolDescription("look", "Looks things up", null)));
        }

        @Override
        public ToolOutput call(String function, String body) {
            if (body.contains("long")) {
                return ToolOutput.of("row\n".repeat(30));
            }
            return body.contains("fail")
                    ? ToolOutput.failure("error: no such thing\u001b[2J")
                    : ToolOutput.of("found " + body);
        }

        @Override
        public @Nullable Source source(int cursor) {
            return cursor == 3 ? new Source("A page", "https://example.com/page") : null;
        }

        @Override
        public void close() {}
    }

    private void calls(String arguments) {
        answers(
                "<|channel|>analysis<|message|>I must look.<|end|><|start|>assistant<|channel|>commentary to=functions.look"
                        + " <|constrain|>json<|message|>" + arguments + "<|call|>");
    }

    // --- tests ---

    @ParameterizedTest
    @CsvSource({"80,true,conversation.80", "40,true,conversation.40", "60,false,conversation.plain"})
    void aConversationLooksAsItDid(int columns, boolean styled, String golden) throws Exception {
        thinksAndSays(
                "They want to see everything: a heading, a table, code. ".repeat(6),
                "## Tables\n\nHere is **one**, with a [link](https://example.com):\n\n| name | value |\n|:---|---:|\n"
                        + "| one | 1 |\n| 漢字 | 22 |\n\n```python\nprint('hello')\n```\n\n- a list\n- with two items");
        calls("{\"q\":\"long\"}");
        says("Found it【3†L1】.");
        calls("{\"q\":\"fail\"}");
        says("It failed.");
        VirtualScreen shown = start(columns, 50, "xterm-256color", styled);
        enter(shown, "Show me");
        enter(shown, "/tools python");
        enter(shown, "Look at this very long question that must be broken at forty columns by the editor");
        enter(shown, "And again");
        end();
        Golden.check(golden + ".txt", steady(shown.text()) + "\n");
        assertThat(shown.written().contains("\u001b[36m")).isEqualTo(styled);
        if (!styled) {
            assertThat(shown.written()).doesNotContainPattern("\u001b\\[[0-9;]*[1-9][0-9;]*m");
        }
    }

    @Test
    void everyCommandDoesWhatItSays() throws Exception {
        VirtualScreen shown = start(100, 60);
        enter(shown, "/?");
        assertThat(shown.text()).contains("/reasoning", "/copy", "Ctrl-D");
        enter(shown, "/? set");
        assertThat(shown.text()).contains("/set parameter NAME VALUE");
        enter(shown, "/clera");
        assertThat(shown.text()).contains("there is no command /clera: /clear?");
        enter(shown, "/retry");
        assertThat(shown.text()).contains("there is no question yet");
        enter(shown, "/copy");
        assertThat(shown.text()).contains("there is no answer yet");

        thinksAndSays("Hm, greetings.", "Hello *you*.");
        enter(shown, "Hi");
        assertThat(shown.text()).contains("thought for 0.0 s\n\nHello you.").doesNotContain("greetings");
        enter(shown, "/show");
        assertThat(shown.text()).contains("reasoning:\nHm, greetings.\n\nanswer:\nHello *you*.");
        enter(shown, "/copy");
        assertThat(shown.written())
                .contains("\u001b]52;c;"
                        + Base64.getEncoder().encodeToString("Hello *you*.".getBytes(StandardCharsets.UTF_8))
                        + "\u0007");

        says("Second.");
        enter(shown, "/retry");
        assertThat(shown.text()).contains("again: Hi\nSecond.");
        says("Third.");
        enter(shown, "More");
        enter(shown, "/show history");
        assertThat(shown.text()).contains("user:\nHi\n\nassistant:\nSecond.\n\nuser:\nMore\n\nassistant:\nThird.");
        enter(shown, "/undo");
        assertThat(shown.text()).contains("taken back: More");

        enter(shown, "/save first");
        assertThat(shown.text()).contains("kept 2 messages in ");
        enter(shown, "/clear");
        enter(shown, "/show history");
        assertThat(shown.text()).contains("nothing was said yet");
        enter(shown, "/load frist");
        assertThat(shown.text()).contains("there is no conversation frist; there are: first");
        Files.writeString(folder.resolve("state/conversations/broken.json"), "{\"format\":");
        enter(shown, "/load broken");
        assertThat(shown.text()).contains("not JSON");
        enter(shown, "/load first");
        assertThat(shown.text()).contains("goes on after 2 messages\n\nSecond.\n");
        says("Fourth.");
        enter(shown, "Go on");
        assertThat(TOKENIZER.decode(runner.prompts().getLast())).contains("Hi", "Second.", "Go on");

        enter(shown, "/reasoning high");
        enter(shown, "/reasoning show");
        thinksAndSays("First thought.\nSecond thought.", "Fifth.");
        enter(shown, "Think");
        assertThat(shown.text()).contains("First thought.\nSecond thought.\n\nFifth.");
        assertThat(TOKENIZER.decode(runner.prompts().getLast())).contains("Reasoning: high");
        enter(shown, "/reasoning hide");
        thinksAndSays("Secret thought.", "Sixth.");
        enter(shown, "Think");
        assertThat(shown.text()).contains("Sixth.").doesNotContain("Secret");
        enter(shown, "/reasoning lwo");
        assertThat(shown.text()).contains("there is no /reasoning lwo: low?");

        enter(shown, "/system You are brief.");
        enter(shown, "/set parameter temperature 0.5");
        enter(shown, "/set parameter num_predict 40");
        enter(shown, "/set parameter top_p 7");
        enter(shown, "/set parameter topp 1");
        assertThat(shown.text()).contains("there is no /set parameter topp: top_p?");
        enter(shown, "/set parameter seed x");
        assertThat(shown.text()).contains("seed: x is no number");
        enter(shown, "/show parameters");
        assertThat(shown.text()).contains("temperature  0.5", "num_predict  40", "reasoning    high, hide");
        enter(shown, "/set verbose");
        says("Seventh, which is longer than the forty tokens that it may have.");
        enter(shown, "Long");
        assertThat(shown.text()).contains("[cut after 40 tokens; the answer is not complete]", "prompt: ");
        assertThat(TOKENIZER.decode(runner.prompts().getLast())).contains("# Instructions\n\nYou are brief.");
        enter(shown, "/set quiet");
        enter(shown, "/set parameter num_predict 4000");
        enter(shown, "/system none");
        enter(shown, "/show system");
        assertThat(shown.text()).contains("no instructions");

        enter(shown, "/tools bad");
        assertThat(shown.text()).contains("there is no tool bad");
        enter(shown, "/tools python, other");
        assertThat(shown.text()).contains("tools: look");
        enter(shown, "/show info");
        assertThat(shown.text()).contains("model     script", "a script", "65,536 tokens", "tools     look");
        enter(shown, "/clear");
        assertThat(opened).containsExactly("bad", "python", "other", "python", "other");
        enter(shown, "/tools none");
        assertThat(shown.text()).contains("tools: none");

        enter(shown, "/set format json");
        says("{\"a\": 1}");
        enter(shown, "JSON");
        assertThat(TOKENIZER.decode(runner.prompts().getLast())).contains("# Response Formats");
        enter(shown, "/set noformat");
        enter(shown, "/set frobnicate");
        assertThat(shown.text()).contains("There are: parameter, system");

        shown.type("/bye\r");
        assertThat(result()).isEqualTo(11);
    }

    @Test
    void whatStandsInQuotesOrIsPastedIsOneText() throws Exception {
        VirtualScreen shown = start(80, 30);
        says("One.");
        shown.type("\"\"\"first\r");
        shown.await("more", text -> text.endsWith("..."));
        shown.type("second\r");
        enter(shown, "third\"\"\"");
        assertThat(TOKENIZER.decode(runner.prompts().getLast())).contains("<|message|>first\nsecond\nthird<|end|>");
        says("Two.");
        enter(shown, "\u001b[200~pasted\rin\rlines\u001b[201~ and typed");
        assertThat(TOKENIZER.decode(runner.prompts().getLast()))
                .contains("<|message|>pasted\nin\nlines and typed<|end|>");
        says("Three.");
        enter(shown, " /not a command");
        assertThat(TOKENIZER.decode(runner.prompts().getLast())).contains("<|message|>/not a command<|end|>");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void ctrlCStopsTheAnswerAtAnyPoint(long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        String text = "A *first* paragraph.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```\n\nThe end.";
        thinksAndSays("Some thoughts about it.", text);
        Semaphore passes = new Semaphore(0);
        runner.beforeForward(passes::acquireUninterruptibly);
        VirtualScreen shown = start(80, 30);
        shown.type("Go\r");
        passes.release(random.nextInt(1, 140));
        long start = System.nanoTime();
        while (passes.availablePermits() > 0 && System.nanoTime() - start < TimeUnit.SECONDS.toNanos(20)) {
            Thread.onSpinWait();
        }
        shown.type(CTRL_C);
        passes.release(1 << 20);
        shown.await("the prompt", screenText -> prompts(screenText) == 3 && screenText.endsWith(">>>"));
        assertThat(shown.text()).as("seed %d", seed).contains("[stopped]");
        enter(shown, "/show history");
        assertThat(shown.text()).as("seed %d", seed).contains("user:\nGo");
        says("Still here.");
        enter(shown, "Next");
        assertThat(shown.text()).as("seed %d", seed).contains("\nStill here.\n");
        assertThat(end()).isZero();
    }

    @Test
    void aStoppedAnswerStaysAndIsMarked() throws Exception {
        says("One two three four five");
        Semaphore passes = new Semaphore(0);
        runner.beforeForward(passes::acquireUninterruptibly);
        VirtualScreen shown = start(80, 30);
        shown.type("Count\r");
        passes.release(16); // the prompt, "<|channel|>final<|message|>", "One two"
        shown.await("One two", text -> text.contains("One two"));
        shown.type(CTRL_C);
        passes.release(1 << 20);
        shown.await("[stopped]", text -> text.contains("[stopped]") && text.endsWith(">>>"));
        enter(shown, "/show history");
        assertThat(shown.text()).containsPattern("assistant \\(stopped\\):\nOne two");
        enter(shown, "/save cut");
        assertThat(Files.readString(folder.resolve("state/conversations/cut.json")))
                .contains("\"cut\":[1]");
        says("Six.");
        enter(shown, "Go on");
        assertThat(TOKENIZER.decode(runner.prompts().getLast())).contains("<|message|>One two");
    }

    @Test
    void whatIsTypedWhileItAnswersWaitsForThePrompt() throws Exception {
        says("The first answer.");
        says("The second answer.");
        Semaphore passes = new Semaphore(0);
        runner.beforeForward(passes::acquireUninterruptibly);
        VirtualScreen shown = start(80, 30);
        shown.type("First\r");
        passes.release(15);
        shown.await("the beginning", text -> text.contains("The f"));
        shown.type("Second\rand a beg");
        assertThat(shown.text()).doesNotContain("Second");
        passes.release(1 << 20);
        shown.await("both", text -> text.contains("The second answer.") && text.endsWith(">>> and a beg"));
        assertThat(shown.text())
                .contains("The first answer.")
                .containsSubsequence("first answer", ">>> Second", "second");
        says("The third answer.");
        enter(shown, "inning");
        assertThat(TOKENIZER.decode(runner.prompts().getLast())).contains("<|message|>and a beginning<|end|>");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void resizingWhileItAnswersLosesNothing(long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 120; i++) {
            text.append("word").append(i).append(i % 17 == 16 ? ".\n\n" : " ");
        }
        says(text.toString());
        Semaphore passes = new Semaphore(0);
        runner.beforeForward(passes::acquireUninterruptibly);
        VirtualScreen shown = start(80, 24);
        shown.type("Go\r");
        for (int i = 0; i < 12; i++) {
            passes.release(60);
            long start = System.nanoTime();
            while (passes.availablePermits() > 0 && System.nanoTime() - start < TimeUnit.SECONDS.toNanos(20)) {
                Thread.onSpinWait();
            }
            shown.resize(random.nextInt(20, 100), random.nextInt(8, 40));
        }
        shown.resize(100, 40);
        passes.release(1 << 20);
        shown.await("the prompt", screenText -> prompts(screenText) == 3 && screenText.endsWith(">>>"));
        for (int i = 110; i < 120; i++) {
            assertThat(shown.text()).as("seed %d", seed).contains("word" + i);
        }
        assertThat(end()).isZero();
    }

    @Test
    void ctrlCAtThePromptClearsTheLineAndLeavesTheSecondTime() throws Exception {
        VirtualScreen shown = start(80, 24);
        shown.type("half a line" + CTRL_C);
        shown.await("the hint", text -> text.contains("Ctrl-C once more") && text.endsWith(">>>"));
        clock.addAndGet(1_500_000_000);
        shown.type(CTRL_C); // too late to be the second one
        shown.await("the hint again", text -> text.split("Ctrl-C once more", -1).length == 3 && text.endsWith(">>>"));
        clock.addAndGet(500_000_000);
        shown.type(CTRL_C);
        assertThat(result()).isZero();
        assertThat(shown.terminal().handle(Signal.INT, org.jline.terminal.Terminal.SignalHandler.SIG_DFL))
                .isEqualTo(org.jline.terminal.Terminal.SignalHandler.SIG_DFL);
    }

    @Test
    void aFailingModelEndsTheTurnOnly() throws Exception {
        says("Never said.");
        says("Said in the end.");
        VirtualScreen shown = start(80, 24);
        AtomicLong failures = new AtomicLong(1);
        runner.beforeForward(() -> {
            if (failures.getAndDecrement() > 0) {
                throw new IllegalStateException("the graphics card is on fire\u001b[2J");
            }
        });
        enter(shown, "Question");
        assertThat(shown.text()).contains("on fire␛[2J", "/retry asks it again");
        enter(shown, "/show history");
        assertThat(shown.text()).contains("nothing was said yet");
        enter(shown, "/retry");
        assertThat(shown.text()).contains("again: Question\nNever said.");
        assertThat(end()).isEqualTo(1);
    }

    @Test
    void longResultsAreCutAndFailedOnesAreShown() throws Exception {
        VirtualScreen shown = start(80, 60);
        enter(shown, "/tools python");
        calls("{\"q\":\"long\"}");
        calls("{\"q\":\"fail\"}");
        says("Both seen.");
        enter(shown, "Look");
        assertThat(shown.text())
                .contains("▸ look {\"q\":\"long\"}\n  row\n", "  ... 24 more lines: /show last\n")
                .contains("▸ look {\"q\":\"fail\"}\n  error: no such thing␛[2J")
                .contains("Both seen.");
        enter(shown, "/show last");
        assertThat(shown.text()).contains("result of look:\n" + "row\n".repeat(29) + "row");
    }

    @Test
    void nothingThatAModelWritesSteersTheTerminal() throws Exception {
        String evil = "\u001b]0;title\u0007\u001b[2J\u009b31m\u0008\u0085";
        VirtualScreen shown = start(80, 60);
        enter(shown, "/tools python");
        enter(shown, "/reasoning show");
        answers("<|channel|>analysis<|message|>" + evil
                + "<|end|><|start|>assistant<|channel|>commentary to=functions.look <|constrain|>json<|message|>{\"fail\":\"x\"}"
                + "<|call|>");
        thinksAndSays(evil, evil + "\n\n```" + evil + "\n" + evil + "\n```\n\n" + "&#27;[2J `" + evil + "`");
        enter(shown, "Be evil");
        enter(shown, "/show last");
        enter(shown, "/show history");
        enter(shown, "/save evil");
        enter(shown, "/load evil");
        assertThat(shown.written()).doesNotContain("\u001b]0", "\u001b[2J", "\u009b", "\u0085", "\u0008\u0085");
        assertThat(shown.text()).contains("␛]0;title␇␛[2J");
    }

    @Test
    void whatWasTypedIsRememberedPrivately() throws Exception {
        says("One.");
        VirtualScreen shown = start(80, 24);
        enter(shown, "A question to remember");
        enter(shown, "/set nohistory");
        says("Two.");
        enter(shown, "A secret question");
        end();
        Path history = folder.resolve("state/history");
        assertThat(Files.readString(history)).contains("A question to remember").doesNotContain("secret");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(history)))
                .isEqualTo("rw-------");
        VirtualScreen again = start(80, 24);
        again.type("\u001bOA\u001bOA"); // up, as terminals send it to those who asked for keypad_xmit
        again.await("the question", text -> text.endsWith(">>> A question to remember"));
        again.type(CTRL_C);
        again.await("the hint", text -> text.endsWith(">>>"));
    }

    @Test
    void tabCompletesCommandsAndTheirValues() throws Exception {
        VirtualScreen shown = start(80, 30);
        shown.type("/reas\t");
        shown.await("/reasoning", text -> text.endsWith(">>> /reasoning"));
        shown.type("hi\t");
        shown.await("hi...", text -> text.contains("high") && text.contains("hide"));
        shown.type("g\t\r");
        shown.await("reasoning is high", text -> text.contains("reasoning is high") && text.endsWith(">>>"));
        shown.type("/set par\ttemp\t");
        shown.await("the parameter", text -> text.endsWith(">>> /set parameter temperature"));
        shown.type(CTRL_C);
        shown.await("the prompt", text -> text.endsWith(">>>"));
    }

    @Test
    void aDumbTerminalGetsPlainText() throws Exception {
        thinksAndSays("Hm.", "Some **bold** text.");
        VirtualScreen shown = start(80, 24, "dumb", true);
        shown.type("Hi\r");
        shown.await("the answer", text -> text.contains("Some **bold** text.") && text.endsWith(">>>"));
        shown.type("/copy\r");
        shown.await("no clipboard", text -> text.contains("there is no clipboard here") && text.endsWith(">>>"));
        assertThat(shown.written()).doesNotContain("\u001b");
        assertThat(end()).isEqualTo(1);
    }
}
