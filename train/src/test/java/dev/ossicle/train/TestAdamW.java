package dev.ossicle.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.ossicle.checkpoint.ModelConfig;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class TestAdamW {
    private final ParameterLayout layout = new ParameterLayout(
            new ModelConfig(1, 2, 1, 3, 32, 32, 2, 1, 1, 4, 100, 150_000, 32, 4096, 1, 32, 7, 1e-5));

    @Test
    void theFirstStepMovesEachWeightByTheRateAgainstItsGradient() {
        float[] weights = new float[layout.size()];
        float[] gradient = new float[layout.size()];
        for (int i = 0; i < gradient.length; i++) {
            gradient[i] = i % 2 == 0 ? 1e-3f : -2e-3f;
        }
        new AdamW(layout).update(weights, gradient, 1, 0.01);
        for (int i = 0; i < weights.length; i++) {
            assertThat(weights[i]).isCloseTo(i % 2 == 0 ? -0.01f : 0.01f, within(1e-4f));
        }
    }

    @Test
    void onlyMatricesDecay() {
        float[] weights = new float[layout.size()];
        Arrays.fill(weights, 1);
        new AdamW(layout).update(weights, new float[layout.size()], 1, 0.1);
        assertThat(weights[layout.get("0.gate").offset()]).isCloseTo(0.995f, within(1e-6f));
        assertThat(weights[layout.get("0.attentionNorm").offset()]).isEqualTo(1);
        assertThat(weights[layout.get("0.sinks").offset()]).isEqualTo(1);
    }

    @Test
    void aLargeGradientIsClippedToItsNorm() {
        float[] gradient = new float[layout.size()];
        Arrays.fill(gradient, 10);
        AdamW optimiser = new AdamW(layout);
        double norm = optimiser.update(new float[layout.size()], gradient, 1, 0.01);
        assertThat(norm).isCloseTo(10 * Math.sqrt(layout.size()), within(1e-3));
        double clipped = 0;
        for (float mean : optimiser.mean()) {
            clipped += Math.pow(mean / 0.1, 2); // the first mean is a tenth of the gradient
        }
        assertThat(Math.sqrt(clipped)).isCloseTo(1, within(1e-3));
    }

    @Test
    void findsTheMinimumOfAParabola() {
        float[] weights = new float[layout.size()];
        float[] gradient = new float[layout.size()];
        int at = layout.get("0.sinks").offset();
        AdamW optimiser = new AdamW(layout);
        for (int step = 1; step <= 2000; step++) {
            gradient[at] = weights[at] - 0.5f;
            optimiser.update(weights, gradient, step, 0.01);
        }
        assertThat(weights[at]).isCloseTo(0.5f, within(0.01f));
    }
}
