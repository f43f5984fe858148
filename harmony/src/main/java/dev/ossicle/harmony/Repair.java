package dev.ossicle.harmony;

/**
 * Something that total mode put right. {@code docs/harmony.md} has the rules, with an example of each kind.
 *
 * @param message the place in {@link HarmonyParser#messages()} of the message that it concerns; where none came of
 *     it, of the one that would be next
 * @param from the first token that it concerns, counted from the first that the parser took
 * @param to behind the last one
 * @param text for {@link Kind#TEXT_IN_HEADER} that text, for the other kinds of header the whole of the header, for
 *     {@link Kind#INVALID_UTF8} the bytes in hexadecimal, otherwise what the token says
 */
public record Repair(Kind kind, int message, int from, int to, String text) {
    /** What was wrong. */
    public enum Kind {
        /** A header without {@code <|start|>}. */
        MISSING_START,
        /** A header that ended, or in which text began, without {@code <|message|>}. */
        MISSING_MESSAGE,
        /** A message that ended because another began, or by {@code <|endoftext|>}. */
        MISSING_END,
        /** A header that named no role. */
        MISSING_ROLE,
        /** A header that named its role more than once. */
        REPEATED_ROLE,
        /** A channel without {@code <|channel|>} before it. */
        MISSING_CHANNEL_MARKER,
        /** {@code <|channel|>} without a channel behind it. */
        EMPTY_CHANNEL,
        /** More than one channel: the last counts. */
        REPEATED_CHANNEL,
        /** More than one recipient: the first counts. */
        REPEATED_RECIPIENT,
        /** A message of the assistant to the assistant, which is no call: it has no recipient. */
        SELF_RECIPIENT,
        /** A content type that OpenAI's library would take for a recipient. */
        BARE_CONTENT_TYPE,
        /** {@code <|constrain|>} without a content type behind it, or after the content type. */
        EMPTY_CONTENT_TYPE,
        /** Words without the space between them. */
        JOINED_WORDS,
        /** All that belongs in a header, but not as it should stand. */
        REARRANGED_HEADER,
        /** Text in a header that is no part of one. */
        TEXT_IN_HEADER,
        /** A header that just ended, and said nothing that would make a message. */
        UNFINISHED_HEADER,
        /** A control token where it means nothing. */
        STRAY_TOKEN,
        /** A token that the vocabulary does not have. */
        UNKNOWN_TOKEN,
        /** Bytes that are no text: U+FFFD stands for them. */
        INVALID_UTF8
    }
}
