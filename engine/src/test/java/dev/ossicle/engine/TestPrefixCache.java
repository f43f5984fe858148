package dev.ossicle.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.engine.GenerationEvent.Done;
import dev.ossicle.engine.scripted.ScriptedModelRunner;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class TestPrefixCache {
    private static final int STOP = 99;

    private final ScriptedModelRunner runner = new ScriptedModelRunner(100, 4096);

    @Test
    void aLongerPromptComputesOnlyWhatIsNew() throws Exception {
        runner.answer(1, 2, STOP).answer(3, STOP).answer(4, STOP).answer(5, STOP);
        try (Engine engine = new Engine(runner)) {
            int[] prompt = IntStream.range(0, 700).map(i -> i % 50).toArray();
            assertThat(cached(engine, prompt)).isZero();
            assertThat(runner.computedTokens()).isEqualTo(700 + 2); // the stop token is not computed

            // The answer and a question after it.
            int[] more = concat(prompt, 1, 2, STOP, 10, 11);
            assertThat(cached(engine, more)).isEqualTo(702);
            assertThat(runner.computedTokens()).isEqualTo(702 + 3 + 1);

            // The same question with another answer in front: reasoning that was dropped.
            int[] dropped = concat(prompt, 20, 21, 22);
            assertThat(cached(engine, dropped)).isEqualTo(700);

            // The very same prompt again: all but the token whose logits are wanted.
            assertThat(cached(engine, dropped)).isEqualTo(702);
            assertThat(runner.prompts().getLast()).isEqualTo(dropped);
        }
        assertThat(runner.openSequences()).isZero();
    }

    @Test
    void whatIsForgottenIsComputedAgain() throws Exception {
        try (Engine engine = new Engine(runner)) {
            for (int i = 0; i < 70; i++) {
                runner.answer(STOP);
                int[] prompt = {i, i, i};
                assertThat(cached(engine, prompt)).isZero();
                assertThat(runner.prompts().getLast()).isEqualTo(prompt);
            }
            assertThat(runner.openSequences()).isLessThanOrEqualTo(64);
            runner.answer(STOP).answer(STOP);
            assertThat(cached(engine, new int[] {69, 69, 69})).isEqualTo(2);
            assertThat(cached(engine, new int[] {0, 0, 0})).isZero();
        }
        assertThat(runner.openSequences()).isZero();
    }

    @Test
    void aFailureLeavesNothingBehind() throws Exception {
        try (Engine engine = new Engine(runner)) {
            runner.answer(1, STOP);
            cached(engine, new int[] {1, 2, 3});
            int open = runner.openSequences();
            runner.beforeForward(() -> {
                throw new IllegalStateException("broken");
            });
            Generation generation = engine.start(request(new int[] {1, 2, 3, 4}));
            assertThatThrownBy(() -> drain(generation)).hasMessage("broken");
            runner.beforeForward(() -> {});
            runner.answer(STOP);
            assertThat(cached(engine, new int[] {1, 2, 3, 5})).isEqualTo(3);
            assertThat(runner.openSequences()).isLessThanOrEqualTo(open + 2);
        }
        assertThat(runner.openSequences()).isZero();
    }

    private static GenerationRequest request(int[] prompt) {
        return new GenerationRequest(prompt, Sampling.GREEDY, 100, Set.of(STOP));
    }

    private static int cached(Engine engine, int[] prompt) throws InterruptedException {
        return drain(engine.start(request(prompt))).timings().cachedTokens();
    }

    private static Done drain(Generation generation) throws InterruptedException {
        while (true) {
            if (generation.next() instanceof Done done) {
                return done;
            }
        }
    }

    private static int[] concat(int[] start, int... more) {
        int[] all = Arrays.copyOf(start, start.length + more.length);
        System.arraycopy(more, 0, all, start.length, more.length);
        return all;
    }
}
