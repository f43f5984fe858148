package dev.ossicle.harmony;

import dev.ossicle.harmony.tokenizer.Tokenizer;

/** The ids that Harmony's control tokens have in a vocabulary. */
record ControlTokens(int start, int channel, int message, int constrain, int end, int call, int ret) {
    static final String CHANNEL = "<|channel|>";
    static final String CONSTRAIN = "<|constrain|>";

    static ControlTokens of(Tokenizer tokenizer) {
        return new ControlTokens(
                id(tokenizer, "<|start|>"),
                id(tokenizer, CHANNEL),
                id(tokenizer, "<|message|>"),
                id(tokenizer, CONSTRAIN),
                id(tokenizer, "<|end|>"),
                id(tokenizer, "<|call|>"),
                id(tokenizer, "<|return|>"));
    }

    private static int id(Tokenizer tokenizer, String name) {
        return tokenizer
                .special(name)
                .orElseThrow(() -> new HarmonyException("the vocabulary has no special token " + name
                        + ", which Harmony needs: it belongs to another model"));
    }

    /** Whether the token ends a message. */
    boolean isStop(int token) {
        return token == end || token == call || token == ret;
    }
}
