package dev.ossicle.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.engine.Chunk;
import dev.ossicle.engine.KvSequence;
import dev.ossicle.engine.ModelRunner;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Growing, going back, and what a sequence refuses. */
final class TestSequences {
    private static ModelConfig config(int window) {
        return new ModelConfig(2, 4, 2, 50, 32, 32, 16, 2, 1, window, 2048, 150_000, 32, 128, 1, 32, 7, 1e-5);
    }

    /** Windows and passes whose ring begins, ends and turns at different places of a block of 64. */
    @ParameterizedTest
    @CsvSource({"1, 16", "3, 128", "63, 130", "64, 64", "65, 64", "100, 512", "128, 200"})
    void goingBackIsExactAsFarAsItSays(int window, int passRows) {
        ModelConfig config = config(window);
        RandomModel model = new RandomModel(window);
        ModelWeights weights = model.weights(config);
        int[] tokens = model.tokens(config, 900);
        try (VectorModelRunner runner = new VectorModelRunner(config, weights, 1, passRows)) {
            float[][] want = Logits.whole(runner, tokens);
            for (int reach : new int[] {1, 64, 190, 256, 700, 900}) {
                try (KvSequence sequence = runner.newSequence(900)) {
                    float[][] got = new float[900][];
                    Logits.append(runner, sequence, Arrays.copyOf(tokens, reach), got);
                    int shortest = sequence.truncatableTo();
                    assertThat(shortest).isLessThanOrEqualTo(Math.max(0, reach - Math.max(passRows, 128)));

                    // A detour with other tokens, so that the ring holds the wrong keys, then back.
                    int back = shortest + (reach - shortest) / 2;
                    sequence.truncate(back);
                    assertThat(sequence.length()).isEqualTo(back);
                    int detour = reach - back;
                    if (detour > 0) {
                        Logits.append(runner, sequence, new int[detour], got);
                    }
                    assertThat(sequence.truncatableTo()).isEqualTo(shortest);
                    sequence.truncate(shortest);
                    Logits.append(runner, sequence, Arrays.copyOfRange(tokens, shortest, 900), got);
                    for (int position = 0; position < 900; position++) {
                        assertThat(Arrays.equals(got[position], want[position]))
                                .as("window %d, pass %d, reach %d, position %d", window, passRows, reach, position)
                                .isTrue();
                    }
                }
            }
        }
    }

    /** Forks at places around the ring's and the blocks' edges, then all go their own way, the first one on too. */
    @ParameterizedTest
    @ValueSource(ints = {1, 63, 64, 65, 191, 192, 193, 500})
    void forksShareTheirPastAndNothingElse(int at) {
        ModelConfig config = config(32);
        RandomModel model = new RandomModel(at);
        ModelWeights weights = model.weights(config);
        int[] tokens = model.tokens(config, at + 300);
        int[] others = tokens.clone();
        Arrays.fill(others, at, others.length, 7);
        for (ModelRunner runner :
                List.of(new VectorModelRunner(config, weights, 1, 64), new ReferenceModelRunner(config, weights))) {
            try (runner) {
                float[][] want = Logits.whole(runner, tokens);
                float[][] wantOthers = Logits.whole(runner, others);
                float[][] got = new float[at + 300][];
                float[][] gotOthers = new float[at + 300][];
                KvSequence first = runner.newSequence(1000);
                Logits.append(runner, first, Arrays.copyOf(tokens, at), got);
                long bytes = first.bytes();
                KvSequence second = first.fork();
                assertThat(second.length()).isEqualTo(at);
                assertThat(second.truncatableTo()).isEqualTo(first.truncatableTo());
                // In turns, so that each writes where the other still reads.
                for (int from = at; from < at + 300; from += 50) {
                    Logits.append(runner, second, Arrays.copyOfRange(others, from, from + 50), gotOthers);
                    Logits.append(runner, first, Arrays.copyOfRange(tokens, from, from + 50), got);
                }
                first.close();
                try (KvSequence third = second.fork()) {
                    second.close(); // the fork lives on
                    assertThat(third.length()).isEqualTo(at + 300);
                    assertThat(third.bytes()).isGreaterThanOrEqualTo(bytes);
                }
                for (int position = at; position < at + 300; position++) {
                    assertThat(Arrays.equals(got[position], want[position]))
                            .as("%d of the first", position)
                            .isTrue();
                    assertThat(Arrays.equals(gotOthers[position], wantOthers[position]))
                            .as("%d of the second", position)
                            .isTrue();
                }
            }
        }
    }

    @Test
    void goesBackNoFartherThanTheRing() {
        ModelConfig config = config(32);
        try (VectorModelRunner runner = new VectorModelRunner(config, new RandomModel(1).weights(config), 1, 64);
                KvSequence sequence = runner.newSequence(1000)) {
            forward(runner, sequence, new int[600]);
            // The ring is the window and 128 positions of slack, 160, in blocks of 64: 192.
            assertThat(sequence.truncatableTo()).isEqualTo(600 - 192 + 31);
            assertThatThrownBy(() -> sequence.truncate(600 - 192 + 30))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("length is 438, must be 0 or between 439 and 600: windowed layers keep no more");
            assertThatThrownBy(() -> sequence.truncate(601)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> sequence.truncate(-1)).isInstanceOf(IllegalArgumentException.class);
            assertThat(sequence.length()).isEqualTo(600);
            sequence.truncate(0);
            assertThat(sequence.truncatableTo()).isZero();
            forward(runner, sequence, new int[20]);
            assertThat(sequence.truncatableTo()).isZero();
        }
    }

    @Test
    void randomPositionsCountLikeComputedOnes() {
        RandomModel model = new RandomModel(1);
        ModelConfig config = model.config();
        try (VectorModelRunner runner = new VectorModelRunner(config, model.weights(config), 1, 64);
                KvSequence random = runner.newSequence(600);
                KvSequence computed = runner.newSequence(600)) {
            runner.appendRandom(random, 500, 1);
            runner.forward(List.of(new Chunk(computed, new int[500], 0)), (chunk, position, logits) -> {});
            assertThat(random.length()).isEqualTo(500);
            assertThat(random.bytes()).isEqualTo(computed.bytes());
            int[] position = new int[1];
            runner.forward(List.of(new Chunk(random, new int[] {3}, 1)), (chunk, at, logits) -> position[0] = at);
            assertThat(position[0]).isEqualTo(500);
            assertThatThrownBy(() -> runner.appendRandom(random, 100, 1)).isInstanceOf(IllegalArgumentException.class);
            runner.appendRandom(random, 99, 1);
            assertThat(random.length()).isEqualTo(600);
        }
    }

    @Test
    void memoryGrowsWithTheSequenceAndWindowedLayersStop() {
        ModelConfig config = config(32);
        try (VectorModelRunner runner = new VectorModelRunner(config, new RandomModel(1).weights(config), 1, 64);
                KvSequence sequence = runner.newSequence(2048)) {
            long block = 64 * (16 + 32) * 4L; // 64 positions of one head of 16, values padded to 32
            assertThat(sequence.bytes()).isZero();
            forward(runner, sequence, new int[1]);
            assertThat(sequence.bytes()).isEqualTo(2 * block);
            forward(runner, sequence, new int[1023]);
            assertThat(sequence.bytes()).isEqualTo((3 + 16) * block);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void refusesBadBatchesBeforeComputing(boolean reference) {
        ModelConfig config = config(32);
        ModelWeights weights = new RandomModel(1).weights(config);
        try (ModelRunner runner = open(reference, config, weights);
                ModelRunner other = open(reference, config, weights)) {
            KvSequence a = runner.newSequence(10);
            KvSequence b = runner.newSequence(10);
            KvSequence foreign = other.newSequence(10);
            forward(runner, a, 1, 2);
            assertRefused(
                    runner, "token 50 at position 3 is outside the vocabulary of 50", chunk(b, 1), chunk(a, 1, 50));
            assertRefused(runner, "token -1 at position 0 is outside the vocabulary of 50", chunk(a, 1), chunk(b, -1));
            assertRefused(
                    runner,
                    "2 cached and 9 new tokens do not fit into a context of 10",
                    chunk(b, 1),
                    chunk(a, 1, 1, 1, 1, 1, 1, 1, 1, 1));
            assertRefused(runner, "chunks 0 and 2 are of the same sequence", chunk(a, 1), chunk(b, 1), chunk(a, 1));
            assertThatThrownBy(() -> forward(runner, foreign, 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("not of this runner");
            assertThat(a.length()).isEqualTo(2);
            assertThat(b.length()).isZero();
            assertThatThrownBy(() -> runner.newSequence(0)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> runner.newSequence(2049))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("context is 2049, must be between 1 and the model's 2048");
            forward(runner, a, 1, 1, 1, 1, 1, 1, 1, 1);
            assertThat(a.length()).isEqualTo(10);
            runner.forward(List.of(), (chunk, position, logits) -> {});
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void closedMeansClosed(boolean reference) {
        ModelConfig config = config(32);
        ModelRunner runner = open(reference, config, new RandomModel(1).weights(config));
        KvSequence first = runner.newSequence(10);
        KvSequence second = runner.newSequence(10);
        forward(runner, second, 1, 2, 3);
        first.close();
        first.close();
        assertThatThrownBy(first::length).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> first.truncate(0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> forward(runner, first, 1)).isInstanceOf(IllegalStateException.class);
        assertThat(second.length()).isEqualTo(3);
        runner.close();
        runner.close();
        assertThatThrownBy(second::length).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(second::bytes).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> runner.newSequence(1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> runner.forward(List.of(), (chunk, position, logits) -> {}))
                .isInstanceOf(IllegalStateException.class);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void handsOutOnlyTheLogitsThatAreWanted(boolean reference) {
        ModelConfig config = config(32);
        ModelWeights weights = new RandomModel(1).weights(config);
        try (ModelRunner runner = open(reference, config, weights)) {
            KvSequence a = runner.newSequence(100);
            KvSequence b = runner.newSequence(100);
            KvSequence c = runner.newSequence(100);
            forward(runner, b, 1, 2, 3);
            StringBuilder seen = new StringBuilder();
            runner.forward(
                    List.of(new Chunk(a, new int[70], 2), new Chunk(b, new int[5], 0), new Chunk(c, new int[1], 1)),
                    (chunk, position, logits) -> seen.append(chunk + ":" + position + " "));
            assertThat(seen.toString()).isEqualTo("0:68 0:69 2:0 ");
            assertThat(b.length()).isEqualTo(8);
        }
    }

    static ModelRunner open(boolean reference, ModelConfig config, ModelWeights weights) {
        return reference ? new ReferenceModelRunner(config, weights) : new VectorModelRunner(config, weights, 2, 64);
    }

    private static Chunk chunk(KvSequence sequence, int... tokens) {
        return new Chunk(sequence, tokens, 1);
    }

    private static void forward(ModelRunner runner, KvSequence sequence, int... tokens) {
        runner.forward(List.of(chunk(sequence, tokens)), (chunk, position, logits) -> {});
    }

    private static void assertRefused(ModelRunner runner, String message, Chunk... batch) {
        assertThatThrownBy(() -> runner.forward(List.of(batch), (chunk, position, logits) -> {}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }
}
