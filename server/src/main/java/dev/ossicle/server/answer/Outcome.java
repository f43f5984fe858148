package dev.ossicle.server.answer;

import dev.ossicle.chat.ChatEvent.Usage;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an answer came to.
 *
 * @param ran calls of tools that run here
 * @param texts the text in the pieces in which it came
 * @param stopText the stop text that ended it; null if none did
 */
public record Outcome(
        End end,
        String reasoning,
        String text,
        List<Piece.Call> calls,
        List<Ran> ran,
        Usage usage,
        List<Piece.Text> texts,
        @Nullable String stopText) {

    /** A call of a tool that runs here, and what came of it. */
    public record Ran(Piece.ToolStart call, Piece.ToolEnd result) {}

    /** Why it ended. */
    public enum End {
        /** All is said, or a stop text came. */
        STOP,
        /** A function is to be called. */
        CALLS,
        /** Cut: tokens, context or time were used up. */
        LENGTH,
        /** Broken off because the server ends. */
        SHUTDOWN,
        /** Nobody waits for it any more. */
        CANCELLED
    }
}
