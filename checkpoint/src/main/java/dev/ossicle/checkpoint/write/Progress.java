package dev.ossicle.checkpoint.write;

/** Hears how far the writing of a file has come. */
@FunctionalInterface
public interface Progress {
    Progress NONE = (written, total) -> {};

    void bytes(long written, long total);
}
