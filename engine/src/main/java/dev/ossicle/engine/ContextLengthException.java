package dev.ossicle.engine;

import java.io.Serial;

/** A prompt that leaves no room for an answer in the model's context. */
public final class ContextLengthException extends IllegalArgumentException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final int promptTokens;
    private final int maxContext;

    ContextLengthException(int promptTokens, int maxContext) {
        super("the prompt has " + promptTokens + " tokens, the model's context is " + maxContext
                + ": nothing is left for an answer");
        this.promptTokens = promptTokens;
        this.maxContext = maxContext;
    }

    public int promptTokens() {
        return promptTokens;
    }

    public int maxContext() {
        return maxContext;
    }
}
