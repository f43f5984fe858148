package dev.ossicle.engine;

import java.io.Serial;

/** As many generations as an engine takes are waiting or running already: try again when one has ended. */
public final class QueueFullException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    QueueFullException(int generations) {
        super(generations + " generations are waiting or running already, which is the maximum: try again later");
    }
}
