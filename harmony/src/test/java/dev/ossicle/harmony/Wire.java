package dev.ossicle.harmony;

import dev.ossicle.harmony.tokenizer.Tokenizer;

/** Tokens as people write them: with the literals of control tokens. */
final class Wire {
    static final HarmonyEncoding ENCODING = HarmonyEncoding.gptOss();
    static final Tokenizer TOKENIZER = ENCODING.tokenizer();

    static final int RETURN = id("<|return|>");
    static final int CONSTRAIN = id("<|constrain|>");
    static final int CHANNEL = id("<|channel|>");
    static final int START = id("<|start|>");
    static final int END = id("<|end|>");
    static final int MESSAGE = id("<|message|>");
    static final int CALL = id("<|call|>");
    static final int END_OF_TEXT = id("<|endoftext|>");

    private Wire() {}

    static int id(String name) {
        return TOKENIZER.special(name).orElseThrow();
    }

    static int[] tokens(String text) {
        return TOKENIZER.encode(text, TOKENIZER.specialNames());
    }

    /** A message in one line: the header in the order in which it is rendered, then the text. */
    static String show(Message message) {
        StringBuilder line = new StringBuilder(message.role().text());
        if (message.name() != null) {
            line.append(':').append(message.name());
        }
        if (message.recipient() != null) {
            line.append(" to=").append(message.recipient());
        }
        if (message.channel() != null) {
            line.append(" @").append(message.channel());
        }
        if (message.contentType() != null) {
            line.append(" [").append(message.contentType()).append(']');
        }
        return line.append(": ").append(message.text()).toString();
    }
}
