package dev.ossicle.models.hub;

import java.io.Serial;

/** A model cannot be had, and trying again would not help: what, where and what to do about it, in one line. */
public final class PullException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private static final int LONGEST = 1000;

    public PullException(String message) {
        super(oneLine(message));
    }

    /** A host's words may hold anything, and end up in a message. */
    private static String oneLine(String message) {
        String printable = message.replaceAll("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]", "?");
        return printable.length() <= LONGEST ? printable : printable.substring(0, LONGEST) + "...";
    }
}
