package dev.ossicle.tools.patch;

/** A patch that cannot be read or does not fit; the message is for the model. */
public final class PatchException extends Exception {
    private static final long serialVersionUID = 1;

    PatchException(String message) {
        super(message);
    }
}
