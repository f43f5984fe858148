package dev.ossicle.cli;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.engine.Chunk;
import dev.ossicle.engine.KvSequence;
import dev.ossicle.engine.ModelRunner;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;

/**
 * How one of OpenAI's models goes on when always the best token is taken, without Harmony: recorded by the integration tests of Hugging
 * Face's transformers (tests/fixtures/gpt_oss/integration_tests.json), as far as all their variants of attention agree.
 */
record KnownAnswer(String prompt, String continuation) {
    /** Tokens in agreement that no other weights would bring. */
    static final int ENOUGH = 5;

    private static final String ROSES = "Roses are red, violets";
    private static final String PRESIDENT = "How are you? Tell me the name of the president of";

    private static final List<KnownAnswer> OF_20B = List.of(
            new KnownAnswer(ROSES, " are blue, I love you, and I love you too.\n\nIt sounds like you're"),
            new KnownAnswer(
                    PRESIDENT,
                    " the United States.\" The assistant should respond with the name of the president. The user is"
                            + " asking for"));
    private static final List<KnownAnswer> OF_120B = List.of(
            new KnownAnswer(ROSES, " are blue, I am a language model, and I can help you too!\n\nSure! Here"),
            new KnownAnswer(
                    PRESIDENT, " the United\n\nHello! As of my last update in November 2023, the President of the"));

    /**
     * How far an answer went as it is known.
     *
     * @param tokens that agree
     * @param of so many
     * @param instead what came after those, a few tokens
     */
    record Agreement(int tokens, int of, String instead) {
        boolean isWhole() {
            return tokens == of;
        }
    }

    static List<KnownAnswer> of(ModelConfig config) {
        return config.equals(ModelConfig.GPT_OSS_20B)
                ? OF_20B
                : config.equals(ModelConfig.GPT_OSS_120B) ? OF_120B : List.of();
    }

    Agreement compare(ModelRunner runner, Tokenizer tokenizer, PrintWriter err) {
        int[] tokens = tokenizer.encodeOrdinary(prompt);
        int[] expected = tokenizer.encodeOrdinary(continuation);
        int[] found = new int[expected.length];
        Progress progress = new Progress(err, "tokens", expected.length);
        try (KvSequence sequence = runner.newSequence(tokens.length + expected.length)) {
            int[] next = tokens;
            for (int i = 0; i < found.length; i++) {
                int[] best = new int[1];
                runner.forward(
                        List.of(new Chunk(sequence, next, 1)),
                        (chunk, position, logits) -> best[0] = largest(logits.values()));
                found[i] = best[0];
                next = best;
                progress.update(i + 1L);
            }
        }
        progress.end();
        int agree = Arrays.mismatch(found, expected);
        int same = agree < 0 ? expected.length : agree;
        return new Agreement(
                same,
                expected.length,
                tokenizer.decode(Arrays.copyOfRange(found, same, Math.min(found.length, same + 5))));
    }

    private static int largest(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        return best;
    }
}
