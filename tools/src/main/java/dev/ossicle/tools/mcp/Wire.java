package dev.ossicle.tools.mcp;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Carries messages to a server and back. Knows bytes, not what they mean. */
interface Wire {
    /** Hears what comes. */
    interface Listener {
        /** @throws IOException if it is no message */
        void message(String json) throws IOException;

        /** Nothing will come any more. */
        void ended(String why);
    }

    /** Begins. */
    void open(Listener newListener) throws IOException, InterruptedException;

    /**
     * Sends a message; may block for as long as its answer takes.
     *
     * @param version of the protocol, once it is agreed upon
     * @return whether the answer may come later
     */
    boolean send(String json, @Nullable String version, Exchange exchange) throws IOException;

    /** What the server said for people to read, to go with an error; empty if nothing. */
    String lastWords();

    void close();
}
