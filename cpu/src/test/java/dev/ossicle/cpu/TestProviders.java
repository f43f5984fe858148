package dev.ossicle.cpu;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.engine.DeviceOptions;
import dev.ossicle.engine.LoadProgress;
import dev.ossicle.engine.ModelRunner;
import dev.ossicle.engine.ModelRunnerProvider;
import dev.ossicle.engine.Precision;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

final class TestProviders {
    @Test
    void bothAreServicesAndOpenACheckpoint() {
        int found = 0;
        for (ModelRunnerProvider provider : ServiceLoader.load(ModelRunnerProvider.class)) {
            assertThat(provider.unavailable()).isEmpty();
            try (Checkpoint checkpoint = Checkpoint.open(Path.of("..", "fixtures", "model", "small", "model.gguf"));
                    ModelRunner runner =
                            provider.open(checkpoint, DeviceOptions.of(2, Precision.EXACT), LoadProgress.NONE)) {
                assertThat(runner.description()).contains(provider.description());
                switch (provider.name()) {
                    case "cpu" -> {
                        assertThat(provider.priority()).isEqualTo(10);
                        assertThat(runner).isInstanceOf(VectorModelRunner.class);
                        assertThat(runner.description())
                                .startsWith("CPU, Vector API, " + 32 * Lanes.WIDTH + " bits")
                                .endsWith(", 2 threads");
                    }
                    case "reference" -> {
                        assertThat(provider.priority()).isZero();
                        assertThat(runner).isInstanceOf(ReferenceModelRunner.class);
                    }
                    case String other -> throw new AssertionError(other);
                }
            }
            found++;
        }
        assertThat(found).isEqualTo(2);
    }

    @Test
    void withoutTheVectorModuleTheFlagIsNamed() throws IOException, InterruptedException {
        Process java = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        PrintAvailability.class.getName())
                .redirectErrorStream(true)
                .start();
        String output = new String(java.getInputStream().readAllBytes(), UTF_8);
        assertThat(java.waitFor()).isZero();
        assertThat(output.lines())
                .containsExactlyInAnyOrder(
                        "cpu: the Vector API is not on the module graph: give java the flag --add-modules jdk.incubator.vector",
                        "reference: yes");
    }

    /** What a program sees that was started without the flag. */
    static final class PrintAvailability {
        private PrintAvailability() {}

        public static void main(String[] arguments) {
            for (ModelRunnerProvider provider : ServiceLoader.load(ModelRunnerProvider.class)) {
                System.out.println(
                        provider.name() + ": " + provider.unavailable().orElse("yes"));
            }
        }
    }
}
