package dev.ossicle.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The vector runner against the reference on random models of odd shapes, in prefill, in decode and in between. */
final class TestRunnersAgree {
    static IntStream seeds() {
        return IntStream.range(0, 40);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void onRandomModels(int seed) {
        RandomModel model = new RandomModel(seed);
        Random random = new Random(~seed);
        ModelConfig config = model.config();
        ModelWeights weights = model.weights(config);
        int length =
                1 + model.pick(new int[] {0, 4, 31, config.window() - 1, config.window(), config.window() + 1, 150});
        int[] tokens = model.tokens(config, length);
        String where = "seed " + seed + ", " + length + " tokens, " + config;

        boolean[] nearTie = new boolean[length];
        float[][] want;
        try (ReferenceModelRunner reference = new ReferenceModelRunner(
                config, weights, (sequence, position, layer, g) -> nearTie[position] |= isNearTie(g, config))) {
            want = Logits.whole(reference, tokens);
            compare(Logits.randomPieces(reference, tokens, random), want, nearTie, where + ", reference in pieces");
        }
        int threads = 1 + random.nextInt(3);
        int passRows = 1 + random.nextInt(200);
        try (VectorModelRunner vector = new VectorModelRunner(config, weights, threads, passRows)) {
            where += ", " + threads + " threads, passes of " + passRows;
            compare(Logits.whole(vector, tokens), want, nearTie, where + ", prefill");
            compare(Logits.pieces(vector, tokens, 1), want, nearTie, where + ", decode");
            compare(Logits.randomPieces(vector, tokens, random), want, nearTie, where + ", in pieces");
        }
    }

    /** Whether rounding might decide which expert comes last. */
    private static boolean isNearTie(double[] g, ModelConfig config) {
        if (config.expertsPerToken() == config.experts()) {
            return false;
        }
        double[] sorted = g.clone();
        Arrays.sort(sorted);
        int last = g.length - config.expertsPerToken();
        return sorted[last] - sorted[last - 1] < 1e-5;
    }

    private static void compare(float[][] got, float[][] want, boolean[] leftOut, String where) {
        double sum = 0;
        int count = 0;
        for (int position = 0; position < want.length; position++) {
            if (!leftOut[position]) {
                double error = Logits.relativeError(got[position], want[position]);
                assertThat(error).as("%s, position %d", where, position).isLessThanOrEqualTo(1e-4);
                sum += error;
                count++;
            }
        }
        assertThat(count).as("%s: positions compared", where).isPositive();
        assertThat(sum / count).as("%s, mean", where).isLessThanOrEqualTo(1e-5);
    }
}
