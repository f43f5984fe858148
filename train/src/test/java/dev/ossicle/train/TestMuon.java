package dev.ossicle.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.ossicle.checkpoint.ModelConfig;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

@EnabledIfPyTorch
final class TestMuon {
    private static final long SEED = 4;

    private final ParameterLayout layout = new ParameterLayout(
            new ModelConfig(1, 2, 1, 3, 64, 32, 16, 2, 1, 4, 100, 150_000, 32, 4096, 1, 32, 7, 1e-5));

    /** Whatever the gradient's singular values, those of a step are nearly alike: its rows are nearly orthogonal. */
    @Test
    void aStepIsNearlyOrthogonalForEachExpert() {
        float[] weights = new float[layout.size()];
        float[] gradient = new float[layout.size()];
        SplittableRandom random = new SplittableRandom(SEED);
        for (int i = 0; i < gradient.length; i++) {
            gradient[i] = (float) (random.nextGaussian() * Math.exp(i % 7));
        }
        new Muon(layout, new float[layout.size()]).update(weights, gradient, 1e-3f, 1, 1);

        int gate = layout.get("0.gate").offset(); // [2*32, 64]: two experts of [32, 64]
        double size = dot(weights, gate, gate, 64);
        for (int a = 0; a < 32; a++) {
            for (int b = 0; b < 32; b++) {
                double product = dot(weights, gate + 64 * a, gate + 64 * b, 64) / size;
                assertThat(product).as("rows %d, %d, seed %d", a, b, SEED).isCloseTo(a == b ? 1 : 0, within(0.6));
            }
        }
        assertThat(weights[layout.get("embedding").offset()]).isZero();
        assertThat(weights[layout.get("0.router").offset()]).isZero();
    }

    @Test
    void theStepDoesNotDependOnTheGradientsSize() {
        float[] small = new float[layout.size()];
        float[] large = new float[layout.size()];
        float[] gradient = layout.initialise(SEED);
        new Muon(layout, new float[layout.size()]).update(small, gradient, 1, 0.1, 1);
        new Muon(layout, new float[layout.size()]).update(large, gradient, 1000, 0.1, 1);
        for (int i = 0; i < small.length; i++) {
            assertThat(large[i]).isCloseTo(small[i], within(1e-4f));
        }
    }

    private static double dot(float[] values, int a, int b, int length) {
        double sum = 0;
        for (int i = 0; i < length; i++) {
            sum += (double) values[a + i] * values[b + i];
        }
        return sum;
    }
}
