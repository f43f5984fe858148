package dev.ossicle.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.checkpoint.ModelConfig;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

final class TestRounding {
    @Test
    void bfloat16RoundsToTheNearestAndTiesToEven() {
        assertThat(Rounding.bfloat16(1)).isEqualTo(1);
        assertThat(Rounding.bfloat16(1 + 0x1p-8f)).isEqualTo(1); // between 1 and 1 + 2^-7: 1 is even
        assertThat(Rounding.bfloat16(1 + 3 * 0x1p-8f)).isEqualTo(1 + 2 * 0x1p-7f);
        assertThat(Rounding.bfloat16(1 + 0x1p-8f + 0x1p-20f)).isEqualTo(1 + 0x1p-7f);
        assertThat(Rounding.bfloat16(-0.0f)).isEqualTo(-0.0f);
        assertThat(Rounding.bfloat16(-3.14159f)).isEqualTo(-3.140625f);
    }

    @Test
    void roundingTwiceChangesNothingMore() {
        long seed = 9;
        ParameterLayout layout = new ParameterLayout(TrainNano.config(300));
        float[] weights = layout.initialise(seed);
        float[] once = new float[layout.size()];
        float[] twice = new float[layout.size()];
        Rounding.round(layout, weights, once);
        Rounding.round(layout, once, twice);
        assertThat(Arrays.mismatch(twice, once))
                .as("first difference, seed %d", seed)
                .isEqualTo(-1);
        double worst = 0;
        for (ParameterLayout.Parameter parameter : layout.all()) {
            if (parameter.role() != ParameterLayout.Role.EXPERT) {
                for (int i = parameter.offset(); i < parameter.offset() + parameter.size(); i++) {
                    worst = Math.max(worst, Math.abs(once[i] - weights[i]) / Math.max(1e-30, Math.abs(weights[i])));
                }
            }
        }
        assertThat(worst).isLessThanOrEqualTo(0x1p-8);
    }

    @Test
    void expertsShareAScaleOf32Neighbours() {
        ModelConfig config = TrainNano.config(300);
        ParameterLayout layout = new ParameterLayout(config);
        float[] weights = new float[layout.size()];
        int at = layout.get("0.down").offset();
        weights[at] = 6;
        weights[at + 1] = 0.7f; // beside 6 the grid's step is 0.5
        weights[at + 32] = 0.7f; // alone it is 0.25
        float[] rounded = new float[layout.size()];
        Rounding.round(layout, weights, rounded);
        assertThat(rounded[at]).isEqualTo(6);
        assertThat(rounded[at + 1]).isEqualTo(0.5f);
        assertThat(rounded[at + 32]).isEqualTo(0.75f);
    }
}
