package dev.ossicle.tools.python;

/** The interpreter is gone; the message says why. */
final class InterpreterException extends Exception {
    private static final long serialVersionUID = 1;

    InterpreterException(String message) {
        super(message);
    }
}
