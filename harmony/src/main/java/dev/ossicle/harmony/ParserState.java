package dev.ossicle.harmony;

/** Where in a message a parser is. */
public enum ParserState {
    /** Before {@code <|start|>}. */
    EXPECT_START("ExpectStart"),
    /** Before {@code <|message|>}. */
    HEADER("Header"),
    /** In the text of a message. */
    CONTENT("Content");

    private final String text;

    ParserState(String text) {
        this.text = text;
    }

    /** As OpenAI's library calls it. */
    public String text() {
        return text;
    }
}
