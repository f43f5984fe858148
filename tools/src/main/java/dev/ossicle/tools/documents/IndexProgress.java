package dev.ossicle.tools.documents;

/** Is told how far reading a folder for the first time, or again, has come. */
@FunctionalInterface
public interface IndexProgress {
    IndexProgress NONE = (files, of) -> {};

    /**
     * @param files that were looked at
     * @param of new and changed ones in all
     */
    void at(int files, int of);
}
