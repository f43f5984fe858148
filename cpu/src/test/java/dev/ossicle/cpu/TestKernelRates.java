package dev.ossicle.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import org.junit.jupiter.api.Test;

final class TestKernelRates {
    @Test
    void eachKernelIsMeasuredOnOneThreadAndOnAll() {
        assertThat(KernelRates.measure(2, 1 << 20, 1, 1_000_000))
                .extracting(rate -> rate.kernel() + " x " + rate.vectors() + " on " + rate.threads())
                .containsExactly(
                        "mxfp4 x 1 on 1",
                        "mxfp4 x 1 on 2",
                        "mxfp4 x 64 on 1",
                        "mxfp4 x 64 on 2",
                        "q8_0 x 1 on 1",
                        "q8_0 x 1 on 2",
                        "q8_0 x 64 on 1",
                        "q8_0 x 64 on 2",
                        "bf16 x 1 on 1",
                        "bf16 x 1 on 2",
                        "bf16 x 64 on 1",
                        "bf16 x 64 on 2");
        for (KernelRates.Rate rate : KernelRates.measure(1, 1, 1, 1)) {
            // 32 rows and columns of a block and its scales; each weight is multiplied with every vector.
            double bytes = switch (rate.kernel()) {
                case "mxfp4" -> 17 / 32.0;
                case "q8_0" -> 36 / 32.0;
                default -> 2;
            };
            assertThat(rate.multiplicationsPerSecond() / rate.bytesPerSecond())
                    .as("%s", rate)
                    .isCloseTo(rate.vectors() / bytes, offset(1e-6));
        }
    }

    @Test
    void readingIsMeasuredByPowersOfTwoAndTheMost() {
        assertThat(ReadBandwidth.threadCounts(1)).containsExactly(1);
        assertThat(ReadBandwidth.threadCounts(2)).containsExactly(1, 2);
        assertThat(ReadBandwidth.threadCounts(6)).containsExactly(1, 2, 4, 6);
    }
}
