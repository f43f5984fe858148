package dev.ossicle.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.checkpoint.CheckpointException;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.NumberFormat;
import dev.ossicle.checkpoint.write.Formats;
import dev.ossicle.checkpoint.write.HuggingFaceWriter;
import dev.ossicle.checkpoint.write.Progress;
import dev.ossicle.checkpoint.write.Synthesis;
import dev.ossicle.engine.DeviceOptions;
import dev.ossicle.engine.LoadProgress;
import dev.ossicle.engine.ModelRunnerProvider;
import dev.ossicle.engine.Precision;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is said of the GPU of a machine, or of its absence. */
class TestGpu {
    private static final Path FIXTURE = Path.of("..", "fixtures", "model", "small", "model.gguf");
    private static final DeviceOptions OPTIONS = DeviceOptions.of(1, Precision.FAST);

    private Driver driver;

    @BeforeEach
    void play() {
        PlayedGpu.onlyPlayed();
        driver = PlayedGpu.driver();
    }

    @AfterEach
    void reset() {
        if (driver != null) {
            PlayedGpu.set(driver, "reset", 0);
            PlayedGpu.driver(); // the property again
        }
    }

    @Test
    void aGpuIsDescribed() {
        PlayedGpu.set(driver, "memory", 85_000_000_000L);
        ModelRunnerProvider provider = provider();
        assertThat(provider.name()).isEqualTo("cuda");
        assertThat(provider.unavailable()).isEmpty();
        assertThat(provider.description())
                .isEqualTo("Played GPU, compute capability 8.0, 85.0 of 85.0 GB free, driver for CUDA 13.0");
    }

    @Test
    void noDriverIsNothingToSpeakOf() {
        System.clearProperty(Driver.PROPERTY);
        if (Driver.find() instanceof Driver.Found.Absent absent) { // else this machine has one
            assertThat(absent.reason())
                    .startsWith("there is no NVIDIA driver here")
                    .contains("-Dossicle.cuda.driver=FILE");
            assertThat(new CudaModelRunnerProvider().isMissed()).isFalse();
        }
    }

    @Test
    void aLibraryThatWasNamedMustBeADriver(@TempDir Path folder) {
        System.setProperty(Driver.PROPERTY, folder.resolve("nothing.so").toString());
        assertThat(none())
                .isEqualTo(new Gpu.None(
                        "-Dossicle.cuda.driver=" + folder.resolve("nothing.so")
                                + " is not a library that can be loaded",
                        true));
        System.setProperty(Driver.PROPERTY, "libm.so.6");
        assertThat(none().reason()).contains("is not");
    }

    @Test
    void anOldDriverIsNamedWithWhatIsNeeded() {
        PlayedGpu.set(driver, "driver", 12040);
        assertThat(none())
                .isEqualTo(new Gpu.None(
                        "the NVIDIA driver is too old: it knows CUDA 12.4, 13.0 is needed; install the driver 580 or newer",
                        true));
    }

    @Test
    void aDriverWithoutGpus() {
        PlayedGpu.set(driver, "devices", 0);
        assertThat(none().reason()).contains("shows no GPU", "nvidia-smi", "CUDA_VISIBLE_DEVICES", "--gpus all");
        assertThat(none().missed()).isFalse();
    }

    @Test
    void anOldGpu() {
        PlayedGpu.set(driver, "capability", 75);
        assertThat(none())
                .isEqualTo(new Gpu.None("Played GPU has compute capability 7.5, but 8.0 (Ampere) is needed", true));
        PlayedGpu.set(driver, "capability", 120);
        assertThat(new CudaModelRunnerProvider().unavailable()).isEmpty();
    }

    @Test
    void tooLittleMemoryComesWithTheNumberOfLayersThatWouldFit() {
        try (Checkpoint checkpoint = Checkpoint.open(FIXTURE)) {
            assertThat(provider().cannotRun(checkpoint, OPTIONS)).isEmpty();
            PlayedGpu.set(driver, "memory", 1_000_000);
            assertThat(provider().cannotRun(checkpoint, OPTIONS).orElseThrow())
                    .matches(
                            "the model needs \\d+\\.\\d GB of the GPU's memory \\(weights .*\\), 0\\.0 GB are free; it does not fit"
                                    + " even with all experts in host memory; use --device cpu");
        }
        long most = MemoryPlan.of(ModelConfig.GPT_OSS_120B, OPTIONS).bytes();
        long less = MemoryPlan.of(ModelConfig.GPT_OSS_120B, hostExperts(10)).bytes();
        assertThat(CudaModelRunnerProvider.tooSmall(less, ModelConfig.GPT_OSS_120B, OPTIONS)
                        .orElseThrow())
                .startsWith("the model needs " + Gpu.gigabytes(most) + " GB of the GPU's memory")
                .endsWith(Gpu.gigabytes(less)
                        + " GB are free; --n-cpu-moe 10 would keep the experts of 10 of its 36 layers in"
                        + " host memory, which is slower");
        assertThat(CudaModelRunnerProvider.tooSmall(most, ModelConfig.GPT_OSS_120B, OPTIONS))
                .isEmpty();
    }

    @Test
    void onlyExpertsInMxFp4CanBeRun(@TempDir Path folder) throws IOException {
        ModelConfig config = new RandomModel(1).config;
        HuggingFaceWriter.write(
                folder,
                config,
                Synthesis.weights(config, 1),
                new Formats(NumberFormat.BF16, NumberFormat.BF16),
                List.of(1),
                HuggingFaceWriter.USUAL_SHARD_BYTES,
                Progress.NONE);
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            String problem =
                    "the experts of layer 0 are BF16, the GPU's kernels read MXFP4 alone: take a file with MXFP4"
                            + " experts, or --device cpu";
            assertThat(provider().cannotRun(checkpoint, OPTIONS)).contains(problem);
            assertThat(provider().cannotRun(checkpoint, hostExperts(config.layers())))
                    .isEmpty();
            assertThatThrownBy(() -> provider().open(checkpoint, OPTIONS, LoadProgress.NONE))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining(problem);
        }
    }

    @Test
    void aShapeThatTheKernelsCannotComputeIsRefused() {
        try (Checkpoint checkpoint = Checkpoint.open(FIXTURE)) {
            PlayedGpu.set(driver, "shared", 60_000);
            assertThat(provider().cannotRun(checkpoint, OPTIONS).orElseThrow())
                    .endsWith("a block of this GPU may have 60000; use --device cpu");
        }
    }

    @Test
    void theLargeModelFitsInSeventyGigabytes() {
        DeviceOptions context32k = new DeviceOptions(1, Precision.FAST, 16, 0, 1_300_000_000);
        assertThat(MemoryPlan.of(ModelConfig.GPT_OSS_120B, context32k).bytes())
                .isBetween(63_000_000_000L, 70_000_000_000L);
        assertThat(MemoryPlan.of(ModelConfig.GPT_OSS_20B, context32k).bytes()).isLessThan(17_000_000_000L);
    }

    private static DeviceOptions hostExperts(int layers) {
        return new DeviceOptions(
                OPTIONS.threads(), OPTIONS.precision(), OPTIONS.cacheBits(), layers, OPTIONS.cacheBytes());
    }

    private static Gpu.None none() {
        return (Gpu.None) Gpu.look();
    }

    private static ModelRunnerProvider provider() {
        for (ModelRunnerProvider provider : ServiceLoader.load(ModelRunnerProvider.class)) {
            if (provider.name().equals("cuda")) {
                return provider;
            }
        }
        throw new AssertionError("not a service");
    }
}
