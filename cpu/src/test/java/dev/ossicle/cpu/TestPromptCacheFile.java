package dev.ossicle.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.engine.Engine;
import dev.ossicle.engine.EngineOptions;
import dev.ossicle.engine.Generation;
import dev.ossicle.engine.GenerationEvent;
import dev.ossicle.engine.GenerationEvent.Done;
import dev.ossicle.engine.GenerationEvent.Token;
import dev.ossicle.engine.GenerationRequest;
import dev.ossicle.engine.ModelRunner;
import dev.ossicle.engine.Precision;
import dev.ossicle.engine.PromptCacheFile;
import dev.ossicle.engine.Sampling;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What one process computed serves the next one, and changes no answer. */
@Timeout(60)
class TestPromptCacheFile {
    private enum Device {
        REFERENCE,
        EXACT,
        FAST
    }

    private static final int ANSWER = 20;

    private final ModelConfig config =
            new ModelConfig(3, 4, 2, 64, 32, 32, 8, 2, 1, 32, 8192, 150_000, 32, 4096, 1, 32, 7, 1e-5);
    private final ModelWeights weights = new RandomModel(5).weights(config);

    @TempDir
    private Path folder;

    private record Answered(int cached, List<Integer> tokens) {}

    private ModelRunner runner(Device device) {
        return switch (device) {
            case REFERENCE -> new ReferenceModelRunner(config, weights);
            case EXACT -> new VectorModelRunner(config, weights, 2, Precision.EXACT);
            case FAST -> new VectorModelRunner(config, weights, 2, Precision.FAST);
        };
    }

    private static Answered answer(Engine engine, int[] prompt) throws InterruptedException {
        Generation generation = engine.start(new GenerationRequest(prompt, Sampling.GREEDY, ANSWER, Set.of()));
        List<Integer> tokens = new ArrayList<>();
        while (true) {
            GenerationEvent event = generation.next();
            if (event instanceof Token token) {
                tokens.add(token.id());
            } else if (event instanceof Done done) {
                return new Answered(done.timings().cachedTokens(), tokens);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void theNextProcessGoesOn(Device device) throws Exception {
        PromptCacheFile file = new PromptCacheFile(folder.resolve("cache"), "a model");
        int[] first = new Random(1).ints(300, 0, config.vocabulary()).toArray();
        int[] second = new Random(2).ints(150, 0, config.vocabulary()).toArray();
        Answered expected;
        Answered other;
        try (Engine engine = new Engine(runner(device), EngineOptions.DEFAULT, file)) {
            expected = answer(engine, first);
            other = answer(engine, second);
            assertThat(expected.cached).isZero();
        }
        try (Engine engine = new Engine(runner(device), EngineOptions.DEFAULT, file)) {
            Answered again = answer(engine, first);
            assertThat(again.tokens).isEqualTo(expected.tokens);
            assertThat(again.cached).isEqualTo(299);
            assertThat(answer(engine, second)).isEqualTo(new Answered(149, other.tokens));
        }
    }

    @Test
    void whatIsNotItsOwnIsRefusedOrPassedOver() throws Exception {
        PromptCacheFile file = new PromptCacheFile(folder.resolve("cache"), "a model");
        try (Engine engine = new Engine(runner(Device.EXACT), EngineOptions.DEFAULT, file)) {
            answer(engine, new int[] {1, 2, 3});
        }
        byte[] bytes = Files.readAllBytes(file.path());
        // Another model: begins anew, and takes the file over.
        PromptCacheFile others = new PromptCacheFile(file.path(), "another model");
        try (Engine engine = new Engine(runner(Device.EXACT), EngineOptions.DEFAULT, others)) {
            assertThat(answer(engine, new int[] {1, 2, 3}).cached).isZero();
        }
        // Damaged anywhere, cut anywhere, something else: a clear word, and nothing is overwritten.
        Random random = new Random(3);
        for (int i = 0; i < 60; i++) {
            byte[] broken = bytes.clone();
            if (i % 2 == 0) {
                broken[random.nextInt(broken.length)] ^= 1 << random.nextInt(8);
            } else {
                broken = Arrays.copyOf(broken, random.nextInt(broken.length));
            }
            Files.write(file.path(), broken);
            if (i == 58) {
                Files.writeString(file.path(), "my only copy of something dear");
            }
            byte[] before = Files.readAllBytes(file.path());
            try (Engine engine = new Engine(runner(Device.EXACT), EngineOptions.DEFAULT, file)) {
                // A damaged name is another model's.
                assertThat(answer(engine, new int[] {1, 2, 3}).cached).isZero();
                assertThat(i).isNotEqualTo(58);
            } catch (IllegalArgumentException e) {
                assertThat(e).hasMessageContaining(file.path().toString());
                assertThat(Files.readAllBytes(file.path())).isEqualTo(before);
            }
        }
        Files.write(file.path(), bytes);
        assertThatThrownBy(() -> new Engine(runner(Device.FAST), EngineOptions.DEFAULT, file))
                .hasMessageContaining("this runner");
    }
}
