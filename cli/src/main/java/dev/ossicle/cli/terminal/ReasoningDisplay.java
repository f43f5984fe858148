package dev.ossicle.cli.terminal;

/** What is seen of the model's reasoning. */
public enum ReasoningDisplay {
    /** Its last lines while it comes, one line afterwards. */
    FOLD,
    /** All of it. */
    SHOW,
    /** Only how long it took. */
    HIDE
}
