package dev.ossicle.harmony;

import java.io.Serial;

/** A message that cannot be rendered, tokens that do not parse, or JSON that is no message. */
public final class HarmonyException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    public HarmonyException(String message) {
        super(message);
    }

    public HarmonyException(String message, Throwable cause) {
        super(message, cause);
    }
}
