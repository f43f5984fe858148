package dev.ossicle.chat;

import java.io.Serial;

/** An answer cannot be had: the model failed, or its host did not do its part. The message says what to do. */
public final class ChatException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    public ChatException(String message) {
        super(message);
    }

    public ChatException(String message, Throwable cause) {
        super(message, cause);
    }
}
