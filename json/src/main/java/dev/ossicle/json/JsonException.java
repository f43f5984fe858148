package dev.ossicle.json;

import java.io.Serial;

/** The text is not JSON. */
public final class JsonException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final int offset;

    public JsonException(String message, int offset) {
        super(message + " at offset " + offset);
        this.offset = offset;
    }

    /** Where in the text, in chars. */
    public int offset() {
        return offset;
    }
}
