package dev.ossicle.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.cpu.ReferenceModelRunner;
import dev.ossicle.engine.Chunk;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.train.families.Dialogue;
import dev.ossicle.train.families.Dialogues;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training, saving and exporting a model that is far too small to learn much. */
@EnabledIfPyTorch
final class TestTrainer {
    private static final long SEED = 3;
    private static final double RATE = 3e-3;

    private static Tokenizer tokenizer;
    private static Lessons lessons;
    private static ParameterLayout layout;

    @TempDir
    private Path folder;

    @BeforeAll
    static void prepare() {
        tokenizer = NanoTokenizer.train();
        lessons = new Lessons(tokenizer);
        layout = new ParameterLayout(new ModelConfig(
                2, 5, 4, tokenizer.vocabularySize(), 32, 32, 8, 2, 1, 16, 1000, 150_000, 32, 4096, 1, 32, 7, 1e-5));
    }

    @Test
    void aResumedTrainingIsTheUninterruptedOne() throws IOException {
        Trainer whole = new Trainer(layout, lessons, start(), RATE);
        for (int i = 0; i < 4; i++) {
            whole.step(0.45 + 0.05 * i);
        }
        Trainer first = new Trainer(layout, lessons, start(), RATE);
        first.step(0.45);
        first.step(0.5);
        Path file = folder.resolve("training.state");
        first.state(12.5).save(file);
        TrainingState loaded = TrainingState.load(file, layout);
        assertThat(loaded.seconds()).isEqualTo(12.5);
        Trainer second = new Trainer(layout, lessons, loaded, RATE);
        second.step(0.55);
        second.step(0.6);

        assertThat(second.steps()).isEqualTo(whole.steps()).isEqualTo(4);
        assertThat(second.tokens()).isEqualTo(whole.tokens());
        assertSame(second.state(0).weights(), whole.state(0).weights());
        assertSame(second.state(0).mean(), whole.state(0).mean());
        assertSame(second.state(0).square(), whole.state(0).square());
    }

    private static TrainingState start() {
        return TrainingState.start(SEED, layout.initialise(SEED));
    }

    private static void assertSame(float[] actual, float[] expected) {
        assertThat(Arrays.mismatch(actual, expected)).as("first difference").isEqualTo(-1);
    }

    @Test
    void trainingLowersTheLoss() {
        Trainer trainer = new Trainer(layout, lessons, start(), RATE);
        double before = trainer.step(0);
        double after = before;
        for (int i = 0; i < 25; i++) {
            after = trainer.step(0);
        }
        assertThat(before).isBetween(6.0, 8.0); // ln 1567 is 7.4
        assertThat(after).isLessThan(before - 0.2);
    }

    @Test
    void theExportIsWhatWasTrained() throws IOException {
        float[] rounded = new float[layout.size()];
        Rounding.round(layout, layout.initialise(SEED), rounded);
        Export.write(folder, layout, rounded, tokenizer);
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.config()).isEqualTo(layout.config());
            assertSame(CheckpointWeights.flatten(checkpoint.weights(), layout), rounded);
        }
        Tokenizer read = Tokenizer.fromTokenizerJson(folder.resolve("tokenizer.json"));
        Dialogues dialogues = Dialogues.taught(new SplittableRandom(SEED));
        Lessons readLessons = new Lessons(read);
        for (int i = 0; i < 200; i++) {
            Dialogue dialogue = dialogues.next();
            assertThat(readLessons.render(dialogue).tokens())
                    .as("%s, seed %d", dialogue, SEED)
                    .containsExactly(lessons.render(dialogue).tokens());
        }
        assertThat(Files.size(folder.resolve("model.safetensors"))).isPositive();
    }

    @Test
    void theJudgeAgreesWithGreedyAnswersOfTheReferenceRunner() {
        Trainer trainer = new Trainer(layout, lessons, start(), RATE);
        for (int i = 0; i < 3; i++) {
            trainer.step(1);
        }
        float[] weights = trainer.rounded();
        Dialogues dialogues = Dialogues.taught(new SplittableRandom(SEED));
        List<Example> examples = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            Example example = lessons.render(dialogues.next());
            // What this model says by itself becomes the right answer of every other example.
            examples.add(i % 2 == 0 ? withLikeliest(example, weights) : example);
        }
        boolean[] right = new Judge(layout, weights).right(examples);
        for (int i = 0; i < right.length; i++) {
            Example own = withLikeliest(examples.get(i), weights);
            assertThat(right[i])
                    .as("example %d, seed %d", i, SEED)
                    .isEqualTo(Arrays.equals(own.next(), examples.get(i).next()));
        }
        assertThat(right).contains(true, false);
    }

    private static Example withLikeliest(Example example, float[] weights) {
        int[] next = example.next().clone();
        try (ReferenceModelRunner runner =
                new ReferenceModelRunner(layout.config(), CheckpointWeights.matrices(layout, weights))) {
            int[] tokens = example.tokens();
            runner.forward(
                    List.of(new Chunk(runner.newSequence(tokens.length), tokens, tokens.length)),
                    (chunk, position, row) -> {
                        if (next[position] >= 0) {
                            float[] logits = row.values();
                            for (int id = 0; id < logits.length; id++) {
                                next[position] = logits[id] > logits[next[position]] ? id : next[position];
                            }
                        }
                    });
        }
        return new Example(example.tokens(), next);
    }

    @Test
    void aDamagedStateIsRefused() throws IOException {
        Path file = folder.resolve("training.state");
        start().save(file);
        byte[] good = Files.readAllBytes(file);

        byte[] changed = good.clone();
        changed[good.length / 2] ^= 1;
        Files.write(file, changed);
        assertThatThrownBy(() -> TrainingState.load(file, layout)).hasMessageContaining("checksum");

        Files.write(file, Arrays.copyOf(good, good.length - 5));
        assertThatThrownBy(() -> TrainingState.load(file, layout)).hasMessageContaining("cut off");

        Files.write(file, new byte[100]);
        assertThatThrownBy(() -> TrainingState.load(file, layout)).hasMessageContaining("not a training state");

        Files.write(file, good);
        ParameterLayout other = new ParameterLayout(TrainNano.config(960));
        assertThatThrownBy(() -> TrainingState.load(file, other)).hasMessageContaining("parameters");
    }
}
