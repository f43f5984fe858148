package dev.ossicle.engine;

import java.io.Serial;

/** A forward pass came to infinities or NaN: broken weights. The message names the layer where it began. */
public final class NonFiniteException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    public NonFiniteException(String message) {
        super(message);
    }
}
