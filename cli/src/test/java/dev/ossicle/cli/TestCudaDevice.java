package dev.ossicle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What commands say of {@code --device cuda} where there is a GPU, played by cuda's tests, and where there is none. */
class TestCudaDevice {
    private static final String PROPERTY = "ossicle.cuda.driver";

    @TempDir
    static Path folder;

    private static String model = "";
    private final @Nullable String before = System.getProperty(PROPERTY);

    @BeforeAll
    static void writeModel() throws IOException {
        model = TinyModel.write(folder.resolve("tiny")).toString();
    }

    @AfterEach
    void restore() {
        if (before == null) {
            System.clearProperty(PROPERTY);
        } else {
            System.setProperty(PROPERTY, before);
        }
    }

    @Test
    void aDriverThatIsAbsentIsAMistakeOnlyIfAskedFor() {
        System.setProperty(PROPERTY, folder.resolve("absent.so").toString());
        CommandLineRun asked = CommandLineRun.of("run", model, "Hi", "--device", "cuda");
        assertThat(asked.status()).isEqualTo(2);
        assertThat(asked.err())
                .contains("device cuda cannot be used:", "absent.so is not a library that can be loaded");
        System.clearProperty(PROPERTY);
        CommandLineRun notAsked = CommandLineRun.of("run", model, "Hi", "--max-tokens", "2", "--precision", "exact");
        assertThat(notAsked.status()).as(notAsked.err()).isZero();
        assertThat(notAsked.err()).doesNotContain("cuda");
    }

    @Test
    void aGpuThatCannotRunTheModelSaysWhy() throws IOException {
        System.setProperty(PROPERTY, played());
        CommandLineRun run = CommandLineRun.of("run", model, "Hi", "--device", "cuda");
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err()).contains("device cuda cannot be used: the model's head dimension is", "use --device cpu");
        assertThat(CommandLineRun.of("run", model, "Hi", "--n-cpu-moe", "-1").err())
                .contains("--n-cpu-moe is -1, must not be negative");
    }

    @Test
    void doctorDescribesTheGpu() throws IOException {
        System.setProperty(PROPERTY, played());
        CommandLineRun run = CommandLineRun.of("doctor");
        assertThat(run.out())
                .containsPattern(
                        "device cuda +yes: Played GPU, compute capability 8\\.0, .* GB free, driver for CUDA 13\\.0");
    }

    /** The library that cuda's tests have compiled. */
    private static String played() throws IOException {
        Path built = Path.of("..", "cuda", "target", "play");
        Optional<Path> newest = Optional.empty();
        if (Files.isDirectory(built)) {
            try (Stream<Path> libraries = Files.list(built)) {
                newest = libraries
                        .filter(file -> file.toString().endsWith(".so"))
                        .max(Comparator.comparingLong(file -> file.toFile().lastModified()));
            }
        }
        Assumptions.assumeTrue(newest.isPresent(), "skipped: cuda's tests have not compiled the played GPU here");
        return newest.orElseThrow().toAbsolutePath().toString();
    }
}
