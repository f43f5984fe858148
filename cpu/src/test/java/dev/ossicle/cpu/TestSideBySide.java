package dev.ossicle.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.engine.Engine;
import dev.ossicle.engine.Generation;
import dev.ossicle.engine.GenerationEvent;
import dev.ossicle.engine.GenerationEvent.Done;
import dev.ossicle.engine.GenerationEvent.Token;
import dev.ossicle.engine.GenerationRequest;
import dev.ossicle.engine.Precision;
import dev.ossicle.engine.Sampling;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** An answer is the same alone, beside others, and on top of what earlier ones left in the cache. */
final class TestSideBySide {
    private static final int ANSWER = 40;

    @ParameterizedTest
    @EnumSource
    void answersDoNotDependOnCompany(Precision precision) throws InterruptedException {
        RandomModel model = new RandomModel(200);
        ModelConfig config = model.config();
        ModelWeights weights = model.weights(config);
        int[][] prompts = new int[8][];
        for (int i = 0; i < prompts.length; i++) {
            prompts[i] = model.tokens(config, 1 + 37 * i);
        }
        List<List<Integer>> alone = new ArrayList<>();
        for (int[] prompt : prompts) {
            try (Engine engine = new Engine(new VectorModelRunner(config, weights, 1, precision))) {
                alone.add(tokens(engine.start(request(prompt))));
            }
        }
        try (Engine engine = new Engine(new VectorModelRunner(config, weights, 2, precision))) {
            for (int round = 0; round < 2; round++) { // the second one finds the prefixes of the first
                List<Generation> started = new ArrayList<>();
                for (int[] prompt : prompts) {
                    started.add(engine.start(request(prompt)));
                }
                for (int i = 0; i < prompts.length; i++) {
                    assertThat(tokens(started.get(i)))
                            .as("%s, prompt %d, round %d, %s", precision, i, round, config)
                            .isEqualTo(alone.get(i));
                }
            }
        }
    }

    /** A turn of 4000 tokens, then one that goes on behind the prompt: without the answer's thoughts. */
    @Test
    void aFollowUpComputesOnlyWhatIsNew() throws InterruptedException {
        ModelConfig config = new ModelConfig(2, 4, 2, 64, 32, 32, 8, 2, 1, 32, 8192, 150_000, 32, 4096, 1, 32, 7, 1e-5);
        RandomModel model = new RandomModel(3);
        try (Engine engine = new Engine(new VectorModelRunner(config, model.weights(config), 2, Precision.EXACT))) {
            int[] first = model.tokens(config, 4000);
            tokens(engine.start(request(first)));
            int[] second = Arrays.copyOf(first, 4150);
            Generation followUp = engine.start(request(second));
            int computed = -1;
            for (GenerationEvent event = followUp.next(); event != null; event = followUp.next()) {
                if (event instanceof Done done) {
                    computed = done.timings().promptTokens() - done.timings().cachedTokens();
                }
            }
            assertThat(computed).isBetween(1, 199);
        }
    }

    private static GenerationRequest request(int[] prompt) {
        return new GenerationRequest(prompt, Sampling.GREEDY, ANSWER, Set.of());
    }

    private static List<Integer> tokens(Generation generation) throws InterruptedException {
        List<Integer> tokens = new ArrayList<>();
        for (GenerationEvent event = generation.next(); event != null; event = generation.next()) {
            if (event instanceof Token token) {
                tokens.add(token.id());
            }
        }
        return tokens;
    }
}
