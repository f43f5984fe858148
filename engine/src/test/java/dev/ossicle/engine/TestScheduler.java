package dev.ossicle.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ossicle.engine.GenerationEvent.Done;
import dev.ossicle.engine.GenerationEvent.Finish;
import dev.ossicle.engine.GenerationEvent.Token;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Policy alone: no thread, no clock but our own, a model that counts upwards. */
final class TestScheduler {
    private static final int POISON = 98;

    private final FakeRunner runner = new FakeRunner(2000);
    private long now;
    private final Scheduler scheduler = new Scheduler(runner, EngineOptions.DEFAULT, () -> now);
    private int ended;

    private Generation add(
            int[] prompt, int maxTokens, int priority, @Nullable Duration timeout, @Nullable TokenMask mask) {
        return add(scheduler, prompt, maxTokens, priority, timeout, mask);
    }

    private Generation add(
            Scheduler scheduler,
            int[] prompt,
            int maxTokens,
            int priority,
            @Nullable Duration timeout,
            @Nullable TokenMask mask) {
        GenerationRequest request = new GenerationRequest(
                prompt, Sampling.GREEDY, maxTokens, Set.of(), -1, mask, priority, timeout, LogitAdjustments.NONE);
        Generation generation = new Generation(request, now, () -> ended++);
        scheduler.add(generation);
        return generation;
    }

    private Generation add(int[] prompt, int maxTokens) {
        return add(prompt, maxTokens, 0, null, null);
    }

    /** All events that are there; the last one is {@link Done}, or nothing if it failed. */
    private static List<GenerationEvent> drain(Generation generation) throws InterruptedException {
        List<GenerationEvent> events = new ArrayList<>();
        try {
            for (var event = generation.next(); event != null; event = generation.next()) {
                events.add(event);
            }
        } catch (GenerationException e) {
            assertThat(e.getMessage()).containsAnyOf("poisoned", "the mask fell over");
        }
        return events;
    }

    private static List<Integer> tokens(List<GenerationEvent> events) {
        return events.stream()
                .filter(Token.class::isInstance)
                .map(each -> ((Token) each).id())
                .toList();
    }

    private static List<Integer> counting(int from, int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> (from + 1 + i) % FakeRunner.VOCABULARY)
                .toList();
    }

    static IntStream seeds() {
        return IntStream.range(0, 300);
    }

    private enum Fate {
        ENDS,
        IS_CANCELLED,
        IS_POISONED,
        HAS_A_BROKEN_MASK
    }

    private record Story(Generation generation, Fate fate, int last, int maxTokens) {}

    /** Any order of arrivals, cancels and failures: every answer is whole and its own, and nothing is left behind. */
    @ParameterizedTest
    @MethodSource("seeds")
    void nothingIsLostOrSwapped(int seed) throws InterruptedException {
        Random random = new Random(seed);
        // A byte a position: enough for all, for some, and for not even one.
        EngineOptions options = new EngineOptions(8 + seed % 64, 256, new long[] {1L << 30, 4000, 300}[seed % 3]);
        Scheduler scheduler = new Scheduler(runner, options, () -> now);
        runner.poison = POISON;
        runner.failLate = seed % 2 == 0;
        runner.drawsLate = seed % 3 == 0;
        List<Story> stories = new ArrayList<>();
        int steps = 0;
        while (stories.size() < 40 || !scheduler.isIdle()) {
            now += random.nextInt(100_000_000);
            if (stories.size() < 40 && random.nextInt(3) == 0) {
                Fate fate = random.nextInt(3) > 0 ? Fate.ENDS : Fate.values()[random.nextInt(Fate.values().length)];
                int length = 1 + random.nextInt(random.nextBoolean() ? 20 : 1500);
                int[] prompt = random.ints(length, 0, 40).toArray();
                int maxTokens = 1 + random.nextInt(30); // counts to less than the poison
                if (fate == Fate.IS_POISONED) {
                    prompt[random.nextInt(length)] = POISON;
                }
                TokenMask mask = fate == Fate.HAS_A_BROKEN_MASK ? new BrokenMask(random.nextInt(maxTokens)) : null;
                Generation generation = add(scheduler, prompt, maxTokens, random.nextInt(3), null, mask);
                stories.add(new Story(generation, fate, prompt[length - 1], maxTokens));
            }
            for (Story story : stories) {
                if (story.fate == Fate.IS_CANCELLED && random.nextInt(10) == 0) {
                    story.generation.cancel();
                }
            }
            scheduler.step();
            assertThat(++steps).as("seed %d: steps", seed).isLessThan(20_000);
        }
        for (int i = 0; i < stories.size(); i++) {
            Story story = stories.get(i);
            String where = "seed " + seed + ", generation " + i + ", " + story.fate;
            List<GenerationEvent> events = drain(story.generation);
            List<Integer> tokens = tokens(events);
            assertThat(tokens).as(where).isEqualTo(counting(story.last, tokens.size()));
            boolean done = !events.isEmpty() && events.getLast() instanceof Done;
            switch (story.fate) {
                case ENDS -> assertThat(tokens).as(where).hasSize(story.maxTokens);
                case IS_CANCELLED -> assertThat(done).as(where).isTrue();
                case IS_POISONED -> {
                    assertThat(done).as(where).isFalse();
                    assertThat(tokens).as(where).isEmpty();
                }
                case HAS_A_BROKEN_MASK -> assertThat(done).as(where).isFalse();
            }
        }
        assertThat(ended).as("seed %d", seed).isEqualTo(stories.size());
        scheduler.close();
        assertThat(runner.openSequences).as("seed %d", seed).hasValue(0);
    }

    private static final class BrokenMask implements TokenMask {
        private int left;

        BrokenMask(int left) {
            this.left = left;
        }

        @Override
        public void allowed(BitMask out) {
            if (left-- == 0) {
                throw new IllegalStateException("the mask fell over");
            }
            IntStream.range(0, out.size()).forEach(out::set);
        }

        @Override
        public void accept(int token) {}

        @Override
        public boolean mayEnd() {
            return true;
        }
    }

    @Test
    void aMaskHearsOfEachTokenOnceThoughAPassFailsAfterIt() throws InterruptedException {
        runner.poison = POISON;
        runner.failLate = true;
        List<Integer> heard = new ArrayList<>();
        TokenMask anything = new TokenMask() {
            @Override
            public void allowed(BitMask out) {
                IntStream.range(0, out.size()).forEach(out::set);
            }

            @Override
            public void accept(int token) {
                heard.add(token);
            }

            @Override
            public boolean mayEnd() {
                return true;
            }
        };
        Generation healthy = add(new int[] {3}, 5, 0, null, anything);
        scheduler.step();
        Generation poisoned = add(new int[] {POISON}, 5); // who decodes comes first, and draws before the pass fails
        while (!scheduler.isIdle()) {
            scheduler.step();
        }
        assertThat(tokens(drain(healthy))).isEqualTo(counting(3, 5)).isEqualTo(heard);
        assertThat(tokens(drain(poisoned))).isEmpty();
        scheduler.close();
        assertThat(runner.openSequences).hasValue(0);
    }

    @Test
    void aVeryLongTimeoutIsNone() throws InterruptedException {
        Generation patient = add(new int[] {3}, 2, 0, Duration.ofSeconds(Long.MAX_VALUE), null);
        while (!scheduler.isIdle()) {
            scheduler.step();
        }
        assertThat(tokens(drain(patient))).isEqualTo(counting(3, 2));
    }

    @Test
    void aLongPromptHoldsNobodyUp() {
        List<Generation> decoding = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            decoding.add(add(new int[] {i}, 500));
        }
        scheduler.step();
        add(new int[1900], 10);
        for (int step = 0; step < 15; step++) {
            scheduler.step();
            assertThat(runner.lastBatch).hasSizeGreaterThanOrEqualTo(5);
            assertThat(runner.lastBatch.subList(0, 5))
                    .as("each decodes a token")
                    .containsOnly(1);
            assertThat(runner.lastBatch.stream().mapToInt(Integer::intValue).sum())
                    .isLessThanOrEqualTo(5 + runner.prefillTokens() / 4);
        }
    }

    @Test
    void aShortPromptDoesNotWaitForLongOnes() {
        for (int i = 0; i < 3; i++) {
            add(new int[1900], 10);
        }
        scheduler.step();
        Generation quick = add(new int[] {5}, 1);
        scheduler.step();
        scheduler.step();
        assertThat(ended).as("done in two steps").isEqualTo(1);
        quick.cancel();
    }

    @Test
    void priorityGoesFirstAndWaitingRaisesIt() throws InterruptedException {
        for (int i = 0; i < EngineOptions.DEFAULT.maxRunning(); i++) {
            add(new int[] {1}, 3);
        }
        scheduler.step();
        Generation patient = add(new int[] {2}, 1, 0, null, null);
        now += Duration.ofSeconds(4).toNanos();
        for (int i = 0; i < EngineOptions.DEFAULT.maxRunning(); i++) {
            add(new int[] {3}, 3, 3, null, null); // three points; the patient one has four by now
        }
        while (ended < EngineOptions.DEFAULT.maxRunning()) {
            scheduler.step();
        }
        scheduler.step();
        assertThat(tokens(drain(patient))).containsExactly(3);
    }

    @Test
    void whoCameLastIsSetAsideWhenMemoryIsShort() throws InterruptedException {
        Scheduler small = new Scheduler(runner, new EngineOptions(8, 256, 1000), () -> now);
        Generation first = add(small, new int[600], 300, 0, null, null);
        Generation second = add(small, new int[300], 300, 0, null, null);
        int most = 0;
        while (!small.isIdle()) {
            small.step();
            assertThat(runner.cacheBytes()).isLessThan(1000 + runner.prefillTokens());
            most = Math.max(most, small.status().waiting());
        }
        assertThat(most).as("one of the two had to wait").isEqualTo(1);
        assertThat(tokens(drain(first))).isEqualTo(counting(0, 300));
        assertThat(tokens(drain(second))).isEqualTo(counting(0, 300));
        small.close();
    }

    @Test
    void logitsAreAdjusted() throws InterruptedException {
        GenerationRequest request = new GenerationRequest(
                new int[] {5},
                Sampling.GREEDY,
                3,
                Set.of(),
                0,
                null,
                0,
                null,
                new LogitAdjustments(Map.of(6, -100.0, 50, 3.0), 0, 2));
        Generation generation = new Generation(request, now, () -> ended++);
        scheduler.add(generation);
        while (!scheduler.isIdle()) {
            scheduler.step();
        }
        // 6 is banned, so 50, then 51 (5 beats 3), then 52.
        assertThat(tokens(drain(generation))).containsExactly(50, 51, 52);
    }

    @Test
    void timeIsUp() throws InterruptedException {
        Generation late = add(new int[] {2}, 1000, 0, Duration.ofSeconds(5), null);
        scheduler.step();
        scheduler.step();
        now += Duration.ofSeconds(5).toNanos();
        scheduler.step();
        List<GenerationEvent> events = drain(late);
        assertThat(tokens(events)).hasSize(2);
        assertThat(((Done) events.getLast()).finish()).isEqualTo(Finish.DEADLINE);
        assertThat(scheduler.isIdle()).isTrue();
    }
}
