package dev.ossicle.engine;

import java.io.Serial;

/** The model's thread could not finish a generation; the cause says why. */
public final class GenerationException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    public GenerationException(Throwable cause) {
        super(cause.getMessage() == null ? cause.toString() : cause.getMessage(), cause);
    }
}
