package dev.ossicle.cpu;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.cpu.VectorWidth.Rate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class TestVectorWidth {
    @ParameterizedTest
    @ValueSource(ints = {128, 256, 512})
    void theProbeMultipliesCodesWithActivations(int bits) {
        for (int lines : new int[] {0, 1, 2, 8, 11}) {
            WidthProbe probe = new WidthProbe();
            int[] lanes = new int[bits / 16];
            for (int line = 0; line < lines; line++) {
                int j = line % 8;
                for (int i = 0; i < bits / 8; i++) {
                    int codes = 37 * (64 * j + i);
                    int products = (codes & 15) * (j + 1) + (codes >> 4 & 15) * (j + 2);
                    lanes[i / 2] += products << 8 * (i % 2); // as it is
                    if (i % 4 > 0) {
                        lanes[(i - 1) / 2] += products << 8 * ((i - 1) % 2); // shifted by a byte, within an int
                    }
                }
            }
            int want = Arrays.stream(lanes).map(lane -> (short) lane).sum();
            assertThat(probe.multiply(bits, lines)).as("%d lines", lines).isEqualTo(want);
        }
    }

    @Test
    void thePreferredWidthStaysUnlessAnotherOneGainsMoreThanNoise() {
        assertThat(VectorWidth.choose(512, List.of())).isEqualTo(512);
        assertThat(VectorWidth.choose(512, List.of(new Rate(512, 10), new Rate(256, 11))))
                .isEqualTo(512);
        assertThat(VectorWidth.choose(512, List.of(new Rate(512, 10), new Rate(256, 12))))
                .isEqualTo(256);
        assertThat(VectorWidth.choose(512, List.of(new Rate(512, 10), new Rate(256, 12), new Rate(128, 13))))
                .isEqualTo(128);
        assertThat(VectorWidth.choose(256, List.of(new Rate(256, 10), new Rate(128, 9))))
                .isEqualTo(256);
    }

    @Test
    void aSingleWidthIsNotMeasured() {
        assertThat(VectorWidth.rates(List.of(128))).isEmpty();
    }

    @Test
    void onlyWidthsOfThisMachineAreTried() {
        assertThat(VectorWidth.available()).isSubsetOf(512, 256, 128).contains(128);
    }

    @ParameterizedTest
    @CsvSource(nullValues = "-", textBlock = """
                    -,   'Vector API, (128|256|512) bits(, measured: .* G products/s)?( .faster if java is given -XX:PerMethodRecompilationCutoff=10000.)?'
                    128, 'Vector API, 128 bits, forced'
                    256, 'Vector API, 256 bits, forced'
                    """)
    void theKernelsHaveTheWidthThatIsSaid(@Nullable String forced, String want)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector",
                "-cp",
                System.getProperty("java.class.path")));
        if (forced != null) {
            command.add("-Dossicle.cpu.vectorBits=" + forced);
        }
        command.add(Measure.class.getName());
        Process java = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        List<String> lines =
                new String(java.getInputStream().readAllBytes(), UTF_8).lines().toList();
        assertThat(java.waitFor()).isZero();
        assertThat(lines).hasSize(2);
        assertThat(lines.getFirst()).matches(want).contains(", " + lines.getLast() + " bits");
    }

    /** Measures in a JVM of its own: in this one, kernels may be loaded already. */
    static final class Measure {
        private Measure() {}

        public static void main(String[] arguments) {
            VectorWidth.measure();
            System.out.println(VectorModelRunner.vectors());
            System.out.println(Lanes.FLOATS.vectorBitSize());
        }
    }
}
