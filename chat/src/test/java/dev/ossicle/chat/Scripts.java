package dev.ossicle.chat;

import dev.ossicle.engine.scripted.ScriptedModelRunner;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import java.util.List;

/** Models that say what a test has them say, over a vocabulary of single bytes. */
final class Scripts {
    private static final List<String> SPECIAL = List.of(
            "<|startoftext|>",
            "<|endoftext|>",
            "<|return|>",
            "<|constrain|>",
            "<|channel|>",
            "<|start|>",
            "<|end|>",
            "<|message|>",
            "<|call|>");

    static final Tokenizer TOKENIZER = tokenizer();

    private Scripts() {}

    private static Tokenizer tokenizer() {
        Tokenizer.Builder builder = Tokenizer.builder();
        for (int value = 0; value < 256; value++) {
            builder.token(value, new byte[] {(byte) value});
        }
        for (int i = 0; i < SPECIAL.size(); i++) {
            builder.special(SPECIAL.get(i), 256 + i);
        }
        return builder.build();
    }

    static ScriptedModelRunner runner() {
        return new ScriptedModelRunner(TOKENIZER.vocabularySize(), 1 << 16);
    }

    /** Adds an answer in Harmony's own words, from behind {@code <|start|>assistant}. */
    static ScriptedModelRunner answer(ScriptedModelRunner runner, String harmony) {
        return runner.answer(TOKENIZER.encode(harmony, TOKENIZER.specialNames()));
    }

    static ScriptedModelRunner finalAnswer(ScriptedModelRunner runner, String text) {
        return answer(runner, "<|channel|>final<|message|>" + text + "<|return|>");
    }

    static ScriptedModelRunner call(ScriptedModelRunner runner, String function, String arguments) {
        return answer(
                runner,
                "<|channel|>commentary to=functions." + function + " <|constrain|>json<|message|>" + arguments
                        + "<|call|>");
    }

    /** The prompt of the n-th answer as text, control tokens included. */
    static String prompt(ScriptedModelRunner runner, int n) {
        return TOKENIZER.decode(runner.prompts().get(n));
    }

    static ChatModel model(ScriptedModelRunner runner) {
        return LocalModel.of("script", runner, TOKENIZER);
    }
}
