package dev.ossicle.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

final class TestRope {
    /** Of gpt-oss; rounding YaRN's boundaries to 8 and 18 would change those from 9 to 17 by up to 76 percent. */
    private static final double[] GPT_OSS = {
        1,
        0.689044306,
        0.474782055,
        0.327145872,
        0.225418,
        0.155322989,
        0.107024421,
        0.0737445682,
        0.0508132748,
        0.0317056962,
        0.0193350011,
        0.0115920493,
        0.00679495949,
        0.00386035932,
        0.00209379238,
        0.0010526021,
        0.000456483919,
        0.000129318701,
        3.83088124e-05,
        2.6396469e-05,
        1.81883367e-05,
        1.25325698e-05,
        8.63549588e-06,
        5.95023926e-06,
        4.09997848e-06,
        2.82506683e-06,
        1.94659621e-06,
        1.34129104e-06,
        9.2420895e-07,
        6.36820915e-07,
        4.38797825e-07,
        3.02351143e-07,
    };

    @Test
    void givesTheFrequenciesOfGptOss() {
        Rope rope = new Rope(ModelConfig.GPT_OSS_20B);
        for (int pair = 0; pair < GPT_OSS.length; pair++) {
            assertThat(rope.inverseFrequency(pair))
                    .as("pair %d", pair)
                    .isCloseTo(GPT_OSS[pair], Percentage.withPercentage(1e-5));
        }
        assertThat(rope.magnitude()).isCloseTo(1.3465735902799727, within(1e-15));
    }

    @Test
    void magnitudeIsInBothSineAndCosine() {
        Rope rope = new Rope(ModelConfig.GPT_OSS_20B);
        assertThat(rope.cos(0, 5)).isEqualTo(rope.magnitude());
        assertThat(Math.hypot(rope.cos(131_071, 3), rope.sin(131_071, 3))).isCloseTo(rope.magnitude(), within(1e-12));
    }
}
