package dev.ossicle.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.engine.Chunk;
import dev.ossicle.engine.KvSequence;
import dev.ossicle.engine.Precision;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Far into a sequence, one token's attention is cut into spans that threads share: the same bits as head by head. */
final class TestSpans {
    private static final int DECODED = 6;

    @ParameterizedTest
    @CsvSource({"EXACT, 1500, 4, 2", "EXACT, 3069, 6, 2", "FAST, 3069, 6, 2", "FAST, 2047, 3, 1", "EXACT, 4096, 2, 2"})
    void giveTheSameBits(Precision precision, int prompt, int heads, int kvHeads) {
        ModelConfig config =
                new ModelConfig(2, 4, 2, 64, 32, 32, 16, heads, kvHeads, 32, 8192, 150_000, 32, 4096, 1, 32, 7, 1e-5);
        RandomModel model = new RandomModel(prompt);
        ModelWeights weights = model.weights(config);
        int[] tokens = model.tokens(config, prompt + DECODED);
        float[][] want = new float[DECODED][];
        try (VectorModelRunner runner = new VectorModelRunner(config, weights, 2, precision);
                KvSequence sequence = runner.newSequence(tokens.length)) {
            runner.forward(
                    List.of(new Chunk(sequence, tokens, DECODED)),
                    (chunk, position, logits) ->
                            want[position - prompt] = logits.values().clone());
        }
        // One thread takes spans from the second one on, 64 never have enough of them.
        for (int threads : new int[] {1, 2, 64}) {
            try (VectorModelRunner runner = new VectorModelRunner(config, weights, threads, precision);
                    KvSequence sequence = runner.newSequence(tokens.length);
                    KvSequence other = runner.newSequence(10)) {
                runner.forward(
                        List.of(new Chunk(sequence, Arrays.copyOf(tokens, prompt), 0)),
                        (chunk, position, logits) -> {});
                for (int i = 0; i < DECODED; i++) {
                    int[] next = {tokens[prompt + i]};
                    float[][] got = new float[1][];
                    runner.forward(
                            List.of(new Chunk(other, new int[] {i}, 0), new Chunk(sequence, next, 1)),
                            (chunk, position, logits) ->
                                    got[0] = logits.values().clone());
                    assertThat(got[0])
                            .as("%s, prompt of %d, %d threads, token %d", precision, prompt, threads, i)
                            .isEqualTo(want[i]);
                }
            }
        }
    }
}
