package dev.ossicle.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.engine.GenerationEvent.Done;
import dev.ossicle.engine.GenerationEvent.Finish;
import dev.ossicle.engine.GenerationEvent.Prefilled;
import dev.ossicle.engine.GenerationEvent.Token;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class TestEngine {
    private final FakeRunner runner = new FakeRunner(2000);

    @Test
    void countsUpToTheStopToken() throws Exception {
        try (Engine engine = new Engine(runner)) {
            List<GenerationEvent> events = drain(engine.start(request(new int[] {1, 2, 3}, 50, 7)));
            assertThat(tokens(events)).containsExactly(4, 5, 6, 7);
            Done done = (Done) events.getLast();
            assertThat(done.finish()).isEqualTo(Finish.STOP);
            assertThat(done.timings().promptTokens()).isEqualTo(3);
            assertThat(done.timings().tokens()).isEqualTo(4);
            assertThat(events.getFirst()).isEqualTo(new Prefilled(3, 3));
        }
        assertThat(runner.openSequences).hasValue(0);
        assertThat(runner.closed).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 511, 512, 513, 1024, 1999})
    void promptsOfAnyLengthAreComputedInChunksAndReported(int length) throws Exception {
        try (Engine engine = new Engine(runner)) {
            List<GenerationEvent> events = drain(engine.start(request(new int[length], 1, 99)));
            assertThat(tokens(events)).containsExactly(1);
            List<Integer> progress = events.stream()
                    .filter(Prefilled.class::isInstance)
                    .map(e -> ((Prefilled) e).tokens())
                    .toList();
            assertThat(progress).hasSize((length + 511) / 512).isSorted().last().isEqualTo(length);
        }
        assertThat(runner.chunkLengths.stream().mapToInt(Integer::intValue).sum())
                .isEqualTo(length);
        assertThat(runner.chunkLengths).allMatch(n -> n <= 512);
    }

    @Test
    void endsAtItsMaximumAndAtTheEndOfTheContext() throws Exception {
        try (Engine engine = new Engine(runner)) {
            List<GenerationEvent> events = drain(engine.start(request(new int[] {0}, 5, 99)));
            assertThat(tokens(events)).hasSize(5);
            assertThat(((Done) events.getLast()).finish()).isEqualTo(Finish.LENGTH);

            events = drain(engine.start(request(new int[1990], 1000, 99)));
            assertThat(((Done) events.getLast()).finish()).isEqualTo(Finish.CONTEXT);
            assertThat(tokens(events)).hasSize(10);
        }
    }

    @Test
    void refusesWhatCannotWork() {
        try (Engine engine = new Engine(runner)) {
            assertThatThrownBy(() -> engine.start(request(new int[2000], 1, 99)))
                    .hasMessageContaining("2000 tokens")
                    .hasMessageContaining("context");
            assertThatThrownBy(() -> engine.start(request(new int[] {1, 100}, 1, 99)))
                    .hasMessageContaining("token 1 is 100");
            assertThatThrownBy(() -> request(new int[0], 1, 99)).hasMessageContaining("empty");
            assertThatThrownBy(() -> request(new int[1], 0, 99)).hasMessageContaining("max tokens");
        }
    }

    @Test
    void aCancelledGenerationEndsAndTheNextOneRuns() throws Exception {
        CountDownLatch computing = new CountDownLatch(1);
        CountDownLatch cancelled = new CountDownLatch(1);
        runner.beforeForward = () -> {
            computing.countDown();
            awaitQuietly(cancelled);
        };
        try (Engine engine = new Engine(runner)) {
            Generation first = engine.start(request(new int[] {0}, 1_000, 99));
            Generation second = engine.start(request(new int[] {0}, 3, 99));
            computing.await();
            first.cancel();
            cancelled.countDown();
            List<GenerationEvent> events = drain(first);
            assertThat(((Done) events.getLast()).finish()).isEqualTo(Finish.CANCELLED);
            assertThat(tokens(events)).hasSizeLessThan(3);
            assertThat(tokens(drain(second))).hasSize(3);
        }
        assertThat(runner.openSequences).hasValue(0);
    }

    @Test
    void closingEndsWhatRunsAndWhatWaits() throws Exception {
        CountDownLatch computing = new CountDownLatch(1);
        CountDownLatch closing = new CountDownLatch(1);
        runner.beforeForward = () -> {
            computing.countDown();
            awaitQuietly(closing);
        };
        Engine engine = new Engine(runner);
        Generation running = engine.start(request(new int[] {0}, 1_000, 99));
        Generation waiting = engine.start(request(new int[] {0}, 1_000, 99));
        computing.await();
        Thread closer = Thread.ofVirtual().start(engine::close);
        // close() interrupts the model's thread, which is let go by that.
        closer.join();
        assertThat(((Done) drain(running).getLast()).finish()).isEqualTo(Finish.CANCELLED);
        assertThat(((Done) drain(waiting).getLast()).finish()).isEqualTo(Finish.CANCELLED);
        assertThat(runner.closed).isTrue();
        assertThatThrownBy(() -> engine.start(request(new int[] {0}, 1, 99))).hasMessageContaining("closed");
    }

    @Test
    void aFailureReachesTheCallerAndSparesTheNextGeneration() throws Exception {
        runner.failure = new NonFiniteException("layer 3 came to NaN");
        try (Engine engine = new Engine(runner)) {
            Generation failed = engine.start(request(new int[] {0}, 1, 99));
            assertThatThrownBy(() -> drain(failed))
                    .isInstanceOf(GenerationException.class)
                    .hasMessage("layer 3 came to NaN");
            assertThat(failed.next()).isNull();
            runner.failure = null;
            assertThat(tokens(drain(engine.start(request(new int[] {0}, 1, 99)))))
                    .containsExactly(1);
        }
        assertThat(runner.openSequences).hasValue(0);
    }

    @Test
    void theMaskDecidesAndIsToldOfEachToken() throws Exception {
        List<Integer> accepted = new ArrayList<>();
        TokenMask even = new TokenMask() {
            @Override
            public void allowed(BitMask out) {
                IntStream.iterate(0, i -> i < out.size(), i -> i + 2).forEach(out::set);
            }

            @Override
            public void accept(int token) {
                accepted.add(token);
            }

            @Override
            public boolean mayEnd() {
                return true;
            }
        };
        Sampling sampling = new Sampling(1, 1, 0, 0, 42);
        try (Engine engine = new Engine(runner)) {
            List<Integer> tokens =
                    tokens(drain(engine.start(new GenerationRequest(new int[] {3}, sampling, 200, Set.of(), 2, even))));
            assertThat(tokens).hasSize(200).allMatch(t -> t % 2 == 0).isEqualTo(accepted);
        }
    }

    private static GenerationRequest request(int[] prompt, int maxTokens, int stop) {
        return new GenerationRequest(prompt, Sampling.GREEDY, maxTokens, Set.of(stop));
    }

    private static List<GenerationEvent> drain(Generation generation) throws InterruptedException {
        List<GenerationEvent> events = new ArrayList<>();
        for (var event = generation.next(); event != null; event = generation.next()) {
            events.add(event);
        }
        return events;
    }

    private static List<Integer> tokens(List<GenerationEvent> events) {
        return events.stream()
                .filter(Token.class::isInstance)
                .map(e -> ((Token) e).id())
                .toList();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void theRequestIsItsOwnCopy() {
        int[] prompt = {1, 2};
        GenerationRequest request = request(prompt, 1, 9);
        Arrays.fill(prompt, 7);
        assertThat(request.prompt()).containsExactly(1, 2);
    }
}
