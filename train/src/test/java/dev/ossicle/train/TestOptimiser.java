package dev.ossicle.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ossicle.checkpoint.ModelConfig;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

@EnabledIfPyTorch
final class TestOptimiser {
    private final ParameterLayout layout = new ParameterLayout(
            new ModelConfig(1, 2, 1, 3, 32, 32, 2, 1, 1, 4, 100, 150_000, 32, 4096, 1, 32, 7, 1e-5));
    private final float[] mean = new float[layout.size()];
    private final Optimiser optimiser = new Optimiser(layout, mean, new float[layout.size()]);

    @Test
    void theFirstStepMovesWhatIsNoMatrixOfALayerByTheRateAgainstItsGradient() {
        float[] weights = new float[layout.size()];
        float[] gradient = new float[layout.size()];
        for (int i = 0; i < gradient.length; i++) {
            gradient[i] = i % 2 == 0 ? 1e-3f : -2e-3f;
        }
        optimiser.update(weights, gradient, 1, 0.01);
        for (ParameterLayout.Parameter parameter : layout.all()) {
            int end = parameter.offset() + parameter.size();
            for (int i = parameter.offset(); i < end && !Muon.applies(parameter); i++) {
                assertThat(weights[i]).isCloseTo(i % 2 == 0 ? -0.01f : 0.01f, within(1e-4f));
            }
        }
    }

    @Test
    void onlyMatricesDecay() {
        float[] weights = new float[layout.size()];
        Arrays.fill(weights, 1);
        optimiser.update(weights, new float[layout.size()], 1, 0.1);
        assertThat(weights[layout.get("0.gate").offset()]).isCloseTo(0.995f, within(1e-6f));
        assertThat(weights[layout.get("embedding").offset()]).isCloseTo(0.995f, within(1e-6f));
        assertThat(weights[layout.get("0.attentionNorm").offset()]).isEqualTo(1);
        assertThat(weights[layout.get("0.sinks").offset()]).isEqualTo(1);
    }

    @Test
    void aLargeGradientIsClippedToItsNorm() {
        float[] gradient = new float[layout.size()];
        Arrays.fill(gradient, 10);
        double norm = optimiser.update(new float[layout.size()], gradient, 1, 0.01);
        assertThat(norm).isCloseTo(10 * Math.sqrt(layout.size()), within(1e-3));
        double clipped = 0;
        for (ParameterLayout.Parameter parameter : layout.all()) {
            int end = parameter.offset() + parameter.size();
            for (int i = parameter.offset(); i < end; i++) {
                // AdamW's first mean is a tenth of the gradient, Muon's momentum all of it.
                clipped += Math.pow(Muon.applies(parameter) ? mean[i] : mean[i] / 0.1, 2);
            }
        }
        assertThat(Math.sqrt(clipped)).isCloseTo(1, within(1e-3));
    }

    @Test
    void findsTheMinimumOfAParabola() {
        float[] weights = new float[layout.size()];
        float[] gradient = new float[layout.size()];
        int at = layout.get("0.sinks").offset();
        AdamW adam = new AdamW(layout, mean, new float[layout.size()]);
        for (int step = 1; step <= 2000; step++) {
            gradient[at] = weights[at] - 0.5f;
            adam.update(weights, gradient, 1, step, 0.01, 1);
        }
        assertThat(weights[at]).isCloseTo(0.5f, within(0.01f));
    }

    @Test
    void aGradientThatIsNotFiniteChangesNothing() {
        float[] weights = new float[layout.size()];
        float[] gradient = new float[layout.size()];
        gradient[3] = Float.NaN;
        assertThatThrownBy(() -> optimiser.update(weights, gradient, 7, 0.1))
                .isInstanceOf(ArithmeticException.class)
                .hasMessageContaining("step 7");
        assertThat(weights).containsOnly(0);
    }
}
