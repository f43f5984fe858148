package dev.ossicle.harmony;

/** What a parser does with tokens that are not as Harmony has them. */
public enum ParseMode {
    /** Throws, exactly where OpenAI's library does. */
    STRICT,
    /** The non-strict mode of OpenAI's library 0.0.8: a message may end in its header; otherwise throws too. */
    LENIENT,
    /** Never throws and never loses text: repairs, and reports each {@link Repair}. */
    TOTAL
}
