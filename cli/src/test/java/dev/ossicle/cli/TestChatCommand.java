package dev.ossicle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.chat.ChatEvent;
import dev.ossicle.cli.terminal.ReasoningDisplay;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestChatCommand {
    @TempDir
    static Path folder;

    private static String model = "";

    @BeforeAll
    static void writeModel() throws IOException {
        model = TinyModel.write(folder.resolve("tiny")).toString();
    }

    private static CommandLineRun chat(String input, String... options) {
        InputStream before = System.in;
        System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
        try {
            String[] words = {"chat", model, "--seed", "5", "--max-tokens", "30"};
            String[] line = new String[words.length + options.length];
            System.arraycopy(words, 0, line, 0, words.length);
            System.arraycopy(options, 0, line, words.length, options.length);
            return CommandLineRun.of(line);
        } finally {
            System.setIn(before);
        }
    }

    @Test
    void eachLineOfAPipeIsATurn() {
        CommandLineRun run = chat("First\n\n\"\"\"Second,\nstill second\"\"\"\n/show history\n");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.err())
                .containsSubsequence("user:\nFirst\n", "user:\nSecond,\nstill second\n")
                .contains("cut after 30 tokens");
        assertThat(run.out() + run.err())
                .as("a model of noise writes any byte")
                .doesNotContain("\u001b", "\u009b", "\u0007", ">>>");
    }

    @Test
    void whatFailsIsToldAndTheRestGoesOn() {
        CommandLineRun run = chat("/clera\n/load nothing-of-that-name\n/show info\n/bye\nnever asked\n");
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err())
                .contains("there is no command /clera: /clear?", "there is no conversation nothing-of-that-name")
                .contains("messages  0")
                .doesNotContain("never asked");
    }

    @Test
    void badOptionsAreUsageErrors() {
        assertThat(chat("", "--temperature", "-1").status()).isEqualTo(2);
        assertThat(chat("", "--tools", "telepathy").err()).contains("there is no tool telepathy");
        assertThat(CommandLineRun.of("chat", "/no/such/model").status()).isEqualTo(2);
        assertThat(CommandLineRun.of("chat", "--help").out()).contains("Examples:", "OSSICLE_STATE");
    }

    @Test
    void aQuoteThatIsNeverClosedCounts() throws IOException {
        PipeConsole console = new PipeConsole(
                new BufferedReader(new StringReader("\"\"\"one\ntwo")),
                new PrintWriter(new StringWriter()),
                new PrintWriter(new StringWriter()),
                false);
        assertThat(console.read()).isEqualTo("\"\"\"one\ntwo");
        assertThat(console.read()).isNull();
        assertThat(console.copy("x")).isFalse();
        assertThat(console.answer(ReasoningDisplay.FOLD)).isInstanceOf(PlainWriter.class);
    }

    /** A file gets what the model wrote; a terminal is not steered by it. */
    @Test
    void plainTextIsHarmlessWhereItIsSeen() {
        String evil = "a\u001b]0;title\u0007\u009b2Jb";
        assertThat(written(new ChatEvent.Text(evil, false), false)).isEqualTo(evil + "|");
        assertThat(written(new ChatEvent.Text(evil, false), true)).isEqualTo("a␛]0;title␇\uFFFD2Jb|");
        for (ChatEvent event : new ChatEvent[] {
            new ChatEvent.Reasoning(evil),
            new ChatEvent.ToolCall("1", "f", evil),
            new ChatEvent.ToolResult("1", "f", evil, false)
        }) {
            assertThat(written(event, false))
                    .startsWith("|")
                    .contains("a␛]0;title␇\uFFFD2Jb")
                    .doesNotContain("\u001b");
        }
    }

    private static String written(ChatEvent event, boolean harmless) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        new PlainWriter(new PrintWriter(out, true), new PrintWriter(err, true), false, harmless).accept(event);
        return out + "|" + err;
    }
}
