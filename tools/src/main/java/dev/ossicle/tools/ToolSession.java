package dev.ossicle.tools;

import dev.ossicle.harmony.ToolNamespace;
import java.io.FileNotFoundException;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Functions that share a state, such as an interpreter's variables or a browser's pages: one conversation's own. Opening one
 * is cheap; what is expensive starts with the first call. Calls come one after another.
 */
public interface ToolSession extends AutoCloseable {
    /**
     * What the model is told. The developer's namespace, {@link ToolNamespace#FUNCTIONS}, is called on the commentary channel
     * as {@code functions.NAME}; any other stands in the system message and is called on the analysis channel, as
     * {@code NAMESPACE.NAME} or, if it has no functions, as {@code NAMESPACE} with free text.
     */
    ToolNamespace namespace();

    /** What the developer's message says on how to use it, or null. */
    default @Nullable String instructions() {
        return null;
    }

    /**
     * Runs a call. What goes wrong is an output that the model can read, not an exception.
     *
     * @param function its name within the namespace; empty where the namespace itself is called
     * @param body as the model wrote it: JSON, or free text
     * @throws InterruptedException if the calling thread was interrupted; whatever ran has been ended
     */
    ToolOutput call(String function, String body) throws InterruptedException;

    /** Where a citation of this tool's in an answer leads, or null if it is none. */
    default @Nullable Source source(int cursor) {
        return null;
    }

    /**
     * The content of a file that an output named.
     *
     * @throws IOException if there is none, or it is too large
     */
    default byte[] file(String name) throws IOException, InterruptedException {
        throw new FileNotFoundException("there is no file " + name);
    }

    /** Ends what runs and removes what is left. A later call is refused. */
    @Override
    void close();
}
