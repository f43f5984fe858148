package dev.ossicle.models.hub;

/** Told how a pull goes, from several threads. */
public interface PullProgress {
    /** Something that is worth a line. */
    void note(String line);

    /** @param done bytes that are here, those of earlier attempts included */
    void bytes(long done, long total);
}
