package dev.ossicle.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TestModelConfig {
    @Test
    void countsParametersAsTheModelCard() {
        assertThat(ModelConfig.GPT_OSS_120B.parameters()).isEqualTo(116_829_156_672L);
        assertThat(ModelConfig.GPT_OSS_20B.parameters()).isEqualTo(20_914_757_184L);
        assertThat(Math.round(ModelConfig.GPT_OSS_120B.activeParameters() / 1e7))
                .isEqualTo(513);
        assertThat(Math.round(ModelConfig.GPT_OSS_20B.activeParameters() / 1e7)).isEqualTo(361);
    }

    @Test
    void windowedLayersAlternate() {
        assertThat(ModelConfig.GPT_OSS_20B.isWindowed(0)).isTrue();
        assertThat(ModelConfig.GPT_OSS_20B.isWindowed(1)).isFalse();
    }

    private static ModelConfig config(int[] v, double[] d) {
        return new ModelConfig(
                v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], d[0], d[1], v[11], d[2], d[3], d[4],
                d[5]);
    }

    /** Whatever is let through has widths and a count of parameters that did not overflow. */
    @Test
    void anyNumbersMakeAModelOrAnError() {
        int[] integers = {
            Integer.MIN_VALUE,
            -1,
            0,
            1,
            2,
            3,
            31,
            32,
            64,
            4095,
            4096,
            65_536,
            1 << 20,
            1 << 24,
            1 << 30,
            Integer.MAX_VALUE
        };
        double[] doubles = {
            Double.NaN,
            Double.NEGATIVE_INFINITY,
            -1,
            0,
            Double.MIN_VALUE,
            1e-5,
            1,
            32,
            1.5e5,
            1e12,
            1e300,
            Double.POSITIVE_INFINITY
        };
        int made = 0;
        for (long seed = 0; seed < 30_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int[] v = {2, 4, 2, 100, 64, 64, 64, 4, 2, 16, 100, 100};
            double[] d = {1e5, 32, 1, 32, 7, 1e-5};
            for (int edits = random.nextInt(1, 8); edits > 0; edits--) {
                v[random.nextInt(v.length)] = integers[random.nextInt(integers.length)];
                if (random.nextInt(4) == 0) {
                    d[random.nextInt(d.length)] = doubles[random.nextInt(doubles.length)];
                }
            }
            try {
                ModelConfig config = config(v, d);
                made++;
                assertThat(config.queryWidth()).as("seed %d", seed).isPositive();
                assertThat(config.kvWidth()).as("seed %d", seed).isPositive();
                assertThat(config.parameters()).as("seed %d", seed).isBetween(1L, 2_000_000_000_000_000L);
                assertThat(config.activeParameters()).as("seed %d", seed).isPositive();
            } catch (IllegalArgumentException e) {
                assertThat(e).as("seed %d", seed).hasMessageMatching(".* (is|are) .*, must .*");
            }
        }
        assertThat(made).isGreaterThan(500);
    }

    @Test
    void namesWhatIsWrong() {
        assertThatThrownBy(() -> config(
                        new int[] {2, 4, 5, 100, 64, 64, 64, 4, 2, 16, 100, 100},
                        new double[] {1e5, 32, 1, 32, 7, 1e-5}))
                .hasMessage("experts per token is 5, must be between 1 and 4");
    }
}
