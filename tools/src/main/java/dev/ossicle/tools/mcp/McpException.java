package dev.ossicle.tools.mcp;

import java.io.Serial;

/** What is wrong with a server, in a sentence that begins with which one. */
public final class McpException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    McpException(String message) {
        super(message);
    }
}
