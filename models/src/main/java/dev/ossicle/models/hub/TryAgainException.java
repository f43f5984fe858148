package dev.ossicle.models.hub;

import java.io.IOException;
import java.io.Serial;
import java.time.Duration;

/** The host is busy or out of order for now. */
final class TryAgainException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    /** How long the host wants to be left alone; zero if it does not say. */
    private final Duration after;

    TryAgainException(String message, Duration after) {
        super(message);
        this.after = after;
    }

    Duration after() {
        return after;
    }
}
