package dev.ossicle.harmony.tokenizer;

/** Cuts a text into the pieces that are encoded one by one. */
sealed interface Splitter permits O200kSplitter, RegexSplitter {
    /** Gives all bytes of {@code utf8[0, length)} away in order. The bytes are valid UTF-8. */
    void split(byte[] utf8, int length, Pieces pieces);

    /** The regular expression that says the same. */
    String pattern();

    /** Where pieces go. */
    interface Pieces {
        void piece(int from, int to);
    }

    static Splitter of(String pattern) {
        return pattern.equals(O200kSplitter.PATTERN) ? new O200kSplitter() : new RegexSplitter(pattern);
    }
}
