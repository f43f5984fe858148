package dev.ossicle.harmony.tokenizer;

import java.io.Serial;

/** A vocabulary that cannot be used, a text that may not be encoded, or tokens that cannot be decoded. */
public final class TokenizerException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    public TokenizerException(String message) {
        super(message);
    }

    public TokenizerException(String message, Throwable cause) {
        super(message, cause);
    }
}
