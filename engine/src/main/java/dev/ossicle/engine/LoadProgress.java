package dev.ossicle.engine;

/** Hears how far a model has come on its way into memory; where that takes no time worth speaking of, nothing. */
@FunctionalInterface
public interface LoadProgress {
    LoadProgress NONE = (done, all) -> {};

    /** Told by the thread that opens the model. */
    void bytes(long done, long all);
}
