package dev.ossicle.cli;

import java.io.Serial;

/** The command line itself is wrong: exit status 2. */
final class UsageException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    UsageException(String message) {
        super(message);
    }
}
