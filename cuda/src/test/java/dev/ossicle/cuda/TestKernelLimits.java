package dev.ossicle.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.engine.Chunk;
import dev.ossicle.engine.KvSequence;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is refused is what the launches could not do, to the byte. */
class TestKernelLimits {
    /** Of compute capability 8.6, 8.9 and 12.0; others have 163 or 227 KiB. */
    private static final int LEAST = 99 << 10;

    private static ModelConfig config(int experts, int picks, int hidden, int intermediate, int heads, int kvHeads) {
        return config(experts, picks, hidden, intermediate, 64, heads, kvHeads);
    }

    private static ModelConfig config(
            int experts, int picks, int hidden, int intermediate, int headDim, int heads, int kvHeads) {
        return new ModelConfig(
                1,
                experts,
                picks,
                7,
                hidden,
                intermediate,
                headDim,
                heads,
                kvHeads,
                32,
                1000,
                150_000,
                32,
                128,
                1,
                32,
                7,
                1e-5);
    }

    @ParameterizedTest
    @ValueSource(ints = {LEAST, 163 << 10, 227 << 10})
    void thePublishedModelsRunOnEveryGpu(int sharedBytes) {
        assertThat(KernelLimits.problem(ModelConfig.GPT_OSS_20B, sharedBytes)).isEmpty();
        assertThat(KernelLimits.problem(ModelConfig.GPT_OSS_120B, sharedBytes)).isEmpty();
    }

    @Test
    void whatAKernelIsMadeForIsNamed() {
        assertThat(KernelLimits.problem(config(1, 1, 32, 32, 32, 1, 1), LEAST))
                .contains("the model's head dimension is 32, a GPU can compute 64 alone; use --device cpu");
        assertThat(KernelLimits.problem(config(1, 1, 32, 32, 129, 1), LEAST))
                .contains("the model's query heads for each key head are 129, a GPU can compute 128 at most;"
                        + " use --device cpu");
        assertThat(KernelLimits.problem(config(33, 33, 32, 32, 1, 1), LEAST))
                .contains("the model's experts for each token are 33, a GPU can compute 32 at most; use --device cpu");
        assertThat(KernelLimits.problem(config(4000, 1, 32, 32, 1, 1), LEAST))
                .contains(
                        "the model's experts are 4000, for which the kernel decode_router needs 128384 bytes of shared"
                                + " memory; a block of this GPU may have 101376; use --device cpu");
    }

    /** Each is the largest launch of its model, and larger than those that are the same for all models. */
    @ParameterizedTest
    @CsvSource({
        "decode_qkv,        1,  1, 5120,   32,   1,  1",
        "decode_out,        1,  1,   32,   32,  84,  4",
        "decode_router,  3200,  1,   32,   32,   1,  1",
        "decode_down,       4,  4,   32, 5120,   1,  1",
        "decode_down,      32, 32,   32,  512,   1,  1",
        "expert_gate_up,    1,  1, 4352,   32,   1,  1",
        "expert_down,       1,  1,   32, 4352,   1,  1",
    })
    void sharedMemoryIsWhatTheLaunchesAskFor(
            String kernel, int experts, int picks, int hidden, int intermediate, int heads, int kvHeads) {
        ModelConfig config = config(experts, picks, hidden, intermediate, heads, kvHeads);
        KernelLimits.Launch most = KernelLimits.launches(config).stream()
                .max((a, b) -> Integer.compare(a.given(), b.given()))
                .orElseThrow();
        assertThat(most.kernel()).isEqualTo(kernel);
        int all = most.own() + most.given();
        assertThat(KernelLimits.problem(config, all)).isEmpty();
        assertThat(KernelLimits.problem(config, all - 1).orElseThrow()).contains(kernel);

        RandomModel model = new RandomModel(1, config);
        Driver driver = PlayedGpu.driver();
        try {
            PlayedGpu.set(driver, "shared", most.given()); // the player does not count a kernel's own arrays
            run(model);
            PlayedGpu.set(driver, "shared", most.given() - 1);
            assertThatThrownBy(() -> run(model))
                    .isInstanceOf(CudaException.class)
                    .hasMessageContaining(kernel)
                    .hasMessageContaining(most.given() + " bytes of shared memory");
        } finally {
            PlayedGpu.set(driver, "reset", 0);
        }
    }

    /** Enough rows for each expert to have many, then one; steps of eight are recorded when it opens. */
    private static void run(RandomModel model) {
        try (CudaModelRunner runner = TestCudaModelRunner.open(model.config, model.weights, 20, 0);
                KvSequence sequence = runner.newSequence(21)) {
            for (int rows : new int[] {20, 1}) {
                runner.forward(
                        List.of(new Chunk(sequence, model.tokens(rows), 1)),
                        (chunk, position, logits) -> assertThat(logits.values()).hasSize(model.config.vocabulary()));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "201088, 101376, true",
        "545792, 101376, true",
        "545793, 101376, false",
        "1048576, 166912, true",
        "1048577, 232448, false"
    })
    void aVocabularyThatCannotBeDrawnFromIsLeftToTheHost(int vocabulary, int sharedBytes, boolean draws) {
        assertThat(DeviceLogits.draws(vocabulary, sharedBytes)).isEqualTo(draws);
    }

    @Test
    void ownArraysAreThoseThatTheCompilerReports() throws IOException {
        List<KernelLimits.Launch> launches = KernelLimits.launches(ModelConfig.GPT_OSS_120B);
        int found = 0;
        try (Stream<String> lines = Files.lines(Path.of("kernels.txt"))) {
            for (String[] words : lines.map(line -> line.split(" ")).toList()) {
                for (KernelLimits.Launch launch : launches) {
                    if (words[0].equals(launch.kernel()) && words[1].startsWith("sm_")) {
                        assertThat(Integer.parseInt(words[3])).as(words[0]).isEqualTo(launch.own());
                        found++;
                    }
                }
            }
        }
        assertThat(found).isEqualTo(3 * launches.size());
    }
}
