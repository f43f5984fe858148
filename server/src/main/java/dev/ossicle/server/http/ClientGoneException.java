package dev.ossicle.server.http;

import java.io.IOException;
import java.io.Serial;

/** Nobody reads the answer any more. */
public final class ClientGoneException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    ClientGoneException(Throwable cause) {
        super("the client has gone", cause);
    }
}
