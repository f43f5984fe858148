package dev.ossicle.cli;

import dev.ossicle.chat.Answer;
import dev.ossicle.chat.ChatEvent;
import dev.ossicle.cli.terminal.ChatSession;
import dev.ossicle.cli.terminal.Console;
import dev.ossicle.cli.terminal.Harmless;
import dev.ossicle.cli.terminal.ReasoningDisplay;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A conversation without a terminal: each line of the input is a turn, answers go to the output as plain text. */
final class PipeConsole implements Console {
    private final BufferedReader in;
    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean hideReasoning;

    PipeConsole(BufferedReader in, PrintWriter out, PrintWriter err, boolean hideReasoning) {
        this.in = in;
        this.out = out;
        this.err = err;
        this.hideReasoning = hideReasoning;
    }

    /** A line, or several between three quotes. */
    @Override
    public @Nullable String read() throws IOException {
        String line = in.readLine();
        if (line == null) {
            return null;
        }
        StringBuilder text = new StringBuilder(line);
        while (ChatSession.isOpenQuote(text.toString())) {
            String next = in.readLine();
            if (next == null) {
                break; // nobody closes it any more: what is there counts
            }
            text.append('\n').append(next);
        }
        return text.toString();
    }

    @Override
    public void say(String message) {
        err.println("ossicle: " + Harmless.text(message));
    }

    @Override
    public void remark(String message) {
        // the answer is what matters in a pipe
    }

    @Override
    public void show(String markdown) {
        err.println(Harmless.text(markdown));
    }

    @Override
    public Consumer<ChatEvent> answer(ReasoningDisplay display) {
        return new PlainWriter(out, err, hideReasoning || display == ReasoningDisplay.HIDE, true);
    }

    @Override
    public Interruption interruptible(Answer answer) {
        return new Interrupts(answer)::close;
    }

    @Override
    public void remember(boolean on) {
        // nothing is typed
    }

    @Override
    public boolean copy(String text) {
        return false;
    }

    @Override
    public void close() {
        out.flush();
    }
}
