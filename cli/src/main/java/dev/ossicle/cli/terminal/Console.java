package dev.ossicle.cli.terminal;

import dev.ossicle.chat.Answer;
import dev.ossicle.chat.ChatEvent;
import java.io.IOException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Where a conversation takes place: a terminal, or the two ends of a pipe. */
public interface Console extends AutoCloseable {
    /** What is said or commanded next, one or several lines; null when there is nothing more. */
    @Nullable
    String read() throws IOException;

    /** A message to the user, of one or several lines. */
    void say(String message);

    /** A remark that does not matter much: timings. */
    void remark(String message);

    /** Markdown, laid out. */
    void show(String markdown);

    /** Shows the answer that comes next. */
    Consumer<ChatEvent> answer(ReasoningDisplay display);

    /** While what it returns is open, Ctrl-C stops the answer. */
    Interruption interruptible(Answer answer);

    /** Whether lines are remembered from now on. */
    void remember(boolean on);

    /** Puts a text on the clipboard; false where there is none. */
    boolean copy(String text);

    @Override
    void close();

    /** What {@link #interruptible} begins. */
    interface Interruption extends AutoCloseable {
        @Override
        void close();
    }
}
