package dev.ossicle.cli.terminal;

import dev.ossicle.tools.ToolSession;
import java.io.Closeable;
import java.io.IOException;
import java.util.List;

/**
 * The tools of a conversation, open until this is closed.
 *
 * @param names as they were asked for
 * @param owner of the sessions, which closes them
 */
public record OpenTools(List<String> names, List<ToolSession> sessions, Closeable owner) implements Closeable {
    public OpenTools {
        names = List.copyOf(names);
        sessions = List.copyOf(sessions);
    }

    /** Opens tools by name. */
    @FunctionalInterface
    public interface Opener {
        /**
         * Opens them, or none.
         *
         * @throws RuntimeException whose message says why a tool cannot be had
         */
        OpenTools open(List<String> names) throws IOException, InterruptedException;
    }

    @Override
    public void close() throws IOException {
        owner.close();
    }
}
