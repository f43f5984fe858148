package dev.ossicle.train;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import dev.ossicle.checkpoint.ModelConfig;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

@EnabledIfPyTorch
final class TestInduction {
    private static final long SEED = 5;
    private static final int VOCABULARY = 500;
    private static final int LENGTH = 40;

    /** Chance would be one in five hundred. */
    @Test
    void anUntrainedModelGoesOnWithASequenceThatRepeats() {
        ModelConfig config = TrainNano.config(VOCABULARY);
        ParameterLayout layout = new ParameterLayout(config);
        SplittableRandom random = new SplittableRandom(SEED);
        int[] tokens = new int[2 * LENGTH];
        for (int i = 0; i < LENGTH; i++) {
            tokens[i] = random.nextInt(VOCABULARY);
            tokens[i + LENGTH] = tokens[i];
        }
        int right = 0;
        try (NDManager manager = NDManager.newBaseManager()) {
            DifferentiableModel model = new DifferentiableModel(layout);
            long[] likeliest = model.forward(
                            manager, model.arrays(manager, layout.initialise(SEED), false), Batch.of(tokens))
                    .logits()
                    .argMax(1)
                    .toLongArray();
            for (int i = LENGTH; i + 1 < tokens.length; i++) {
                right += likeliest[i] == tokens[i + 1] ? 1 : 0;
            }
        }
        assertThat(right).as("of %d, seed %d", LENGTH - 1, SEED).isGreaterThan(LENGTH / 3);
    }
}
