package dev.ossicle.cli.terminal;

import dev.ossicle.chat.Answer;
import dev.ossicle.chat.ChatEvent;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jline.reader.EndOfFileException;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Attributes;
import org.jline.terminal.Attributes.LocalFlag;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.Terminal.SignalHandler;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStyle;
import org.jspecify.annotations.Nullable;

/**
 * A terminal. Between questions it does not echo and does not lose what is typed: that waits for the next prompt. Where the
 * cursor cannot be moved (a dumb terminal), answers come as plain text.
 */
public final class TerminalConsole implements Console {
    private static final long TWICE_NANOS = 1_000_000_000;
    private static final String PASTE_IN_BRACKETS = "\u001b[?2004h";
    private static final String PASTE_AS_TYPED = "\u001b[?2004l";

    private final Terminal terminal;
    private final boolean styled;
    private final boolean live;
    private final LiveRegion region;
    private final LineEditor editor;
    private final Function<PrintWriter, Consumer<ChatEvent>> plainView;
    private final LongSupplier nanoTime;
    private final Attributes original;
    private final SignalHandler originalInterrupt;
    private final SignalHandler originalContinue;
    private volatile @Nullable Answer current;
    /** Since the last line was read: the answer may be only about to begin. */
    private volatile boolean stopRequested;

    private boolean interrupted;
    private long interruptedAt;

    /**
     * Takes the terminal over; it is given back, and closed, with this.
     *
     * @param folder for the history
     * @param tools names of tools to complete
     * @param styled whether colours are wanted
     * @param plainView how answers are shown where the cursor cannot be moved
     */
    public TerminalConsole(
            Terminal terminal,
            Path folder,
            List<String> tools,
            boolean styled,
            Function<PrintWriter, Consumer<ChatEvent>> plainView,
            LongSupplier nanoTime)
            throws IOException {
        this.terminal = terminal;
        this.live = LiveRegion.isPossible(terminal);
        this.styled = styled && live;
        this.region = new LiveRegion(terminal, this.styled);
        this.plainView = plainView;
        this.nanoTime = nanoTime;
        StateFolder.createFolder(folder);
        Path history = folder.resolve("history");
        StateFolder.createFile(history);
        this.editor = new LineEditor(terminal, history, ChatSession.store(folder), tools, this.styled);
        this.original = terminal.enterRawMode();
        keepTypeAhead();
        // Whenever nobody reads a line, Ctrl-C must not end the program: it belongs to the answer.
        this.originalInterrupt = terminal.handle(Signal.INT, signal -> {
            stopRequested = true;
            Answer answer = current;
            if (answer != null) {
                answer.cancel();
            }
        });
        this.originalContinue = terminal.handle(Signal.CONT, signal -> keepTypeAhead()); // after Ctrl-Z
    }

    private void keepTypeAhead() {
        terminal.enterRawMode();
        Attributes attributes = terminal.getAttributes();
        attributes.setLocalFlag(LocalFlag.ISIG, true);
        attributes.setLocalFlag(LocalFlag.NOFLSH, true);
        terminal.setAttributes(attributes);
    }

    @Override
    public @Nullable String read() {
        while (true) {
            try {
                String line = editor.read();
                interrupted = false;
                stopRequested = false;
                return line;
            } catch (UserInterruptException e) {
                long now = nanoTime.getAsLong();
                if (interrupted && now - interruptedAt < TWICE_NANOS) {
                    return null;
                }
                interrupted = true;
                interruptedAt = now;
                remark("Ctrl-C once more, Ctrl-D or /bye leaves");
            } catch (EndOfFileException e) {
                return null;
            } finally {
                if (live) {
                    // What is pasted while an answer comes is one text too.
                    terminal.writer().print(PASTE_IN_BRACKETS);
                    terminal.flush();
                }
                Thread.interrupted(); // a Ctrl-C that came when the line was complete
            }
        }
    }

    @Override
    public void say(String message) {
        print(message, Styles.PLAIN);
    }

    @Override
    public void remark(String message) {
        print(message, Styles.DIM);
    }

    private void print(String message, AttributedStyle style) {
        AttributedString text = new AttributedString(Harmless.text(message).replace("\t", "    "), style);
        printLines(Wrap.words(text, region.width()));
    }

    private void printLines(List<AttributedString> lines) {
        if (live) {
            region.print(lines);
            return;
        }
        for (AttributedString line : lines) {
            terminal.writer().println(line.toString());
        }
        terminal.flush();
    }

    @Override
    public void show(String markdown) {
        List<AttributedString> lines = new ArrayList<>();
        lines.add(AttributedString.EMPTY);
        lines.addAll(new Markdown(styled).lines(markdown, region.width()));
        lines.add(AttributedString.EMPTY);
        printLines(lines);
    }

    @Override
    public Consumer<ChatEvent> answer(ReasoningDisplay display) {
        return live
                ? new AnswerView(region, new Markdown(styled), display, nanoTime)
                : plainView.apply(terminal.writer());
    }

    @Override
    public Interruption interruptible(Answer answer) {
        current = answer;
        if (stopRequested) {
            answer.cancel();
        }
        return () -> current = null;
    }

    @Override
    public void remember(boolean on) {
        editor.remember(on);
    }

    /** By the escape sequence OSC 52; whether the terminal obeys it cannot be known. */
    @Override
    public boolean copy(String text) {
        if (!live) {
            return false;
        }
        String base64 = Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
        terminal.writer().print("\u001b]52;c;" + base64 + "\u0007");
        terminal.flush();
        return true;
    }

    @Override
    public void close() {
        if (live) {
            region.settle();
            terminal.writer().print(PASTE_AS_TYPED);
            terminal.flush();
        }
        terminal.handle(Signal.INT, originalInterrupt);
        terminal.handle(Signal.CONT, originalContinue);
        terminal.setAttributes(original);
        try {
            terminal.close();
        } catch (IOException e) {
            // there is nobody left to tell
        }
    }
}
