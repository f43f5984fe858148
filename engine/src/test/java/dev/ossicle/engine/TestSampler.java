package dev.ossicle.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TestSampler {
    /** Probabilities 0.5, 0.25, 0.125, 0.0625, 0.0625 for ids 3, 1, 4, 0, 2. */
    private static final float[] LOGITS = new float[5];

    static {
        double[] probabilities = {0.0625, 0.25, 0.0625, 0.5, 0.125};
        for (int i = 0; i < 5; i++) {
            LOGITS[i] = (float) Math.log(probabilities[i]) + 3;
        }
    }

    private final Sampler sampler = new Sampler(5);

    @Test
    void greedyTakesTheBestAndTheLowestOfEquals() {
        assertThat(sampler.sample(LOGITS, Sampling.GREEDY, 0, null)).isEqualTo(3);
        assertThat(sampler.sample(new float[] {-1, 2, 2, 0, 2}, Sampling.GREEDY, 0, null))
                .isEqualTo(1);
        assertThat(sampler.sample(new float[] {-0.0f, 0.0f, -0.0f, -1, -1}, Sampling.GREEDY, 0, null))
                .isEqualTo(0);
    }

    @Test
    void drawsFollowTheProbabilities() {
        double[] shares = shares(new Sampling(1, 1, 0, 0, 7), null);
        assertThat(shares[3]).isCloseTo(0.5, within(0.01));
        assertThat(shares[1]).isCloseTo(0.25, within(0.01));
        assertThat(shares[0]).isCloseTo(0.0625, within(0.01));
        // Half the temperature squares the probabilities: 1/4, 1/16, 1/64, 2 x 1/256.
        shares = shares(new Sampling(0.5, 1, 0, 0, 8), null);
        assertThat(shares[3]).isCloseTo(0.25 / 0.3359375, within(0.01));
    }

    @Test
    void cutsKeepExactlyTheirSet() {
        assertThat(drawn(new Sampling(1, 1, 0, 0, 1))).containsExactly(0, 1, 2, 3, 4);
        assertThat(drawn(new Sampling(1, 1, 1, 0, 1))).containsExactly(3);
        assertThat(drawn(new Sampling(1, 1, 3, 0, 1))).containsExactly(1, 3, 4);
        // Ids 0 and 2 are equal: the lower one counts as better.
        assertThat(drawn(new Sampling(1, 1, 4, 0, 1))).containsExactly(0, 1, 3, 4);
        assertThat(drawn(new Sampling(1, 0.4, 0, 0, 1))).containsExactly(3);
        assertThat(drawn(new Sampling(1, 0.6, 0, 0, 1))).containsExactly(1, 3);
        assertThat(drawn(new Sampling(1, 0.8, 0, 0, 1))).containsExactly(1, 3, 4);
        assertThat(drawn(new Sampling(1, 1, 0, 0.3, 1))).containsExactly(1, 3);
        assertThat(drawn(new Sampling(1, 0.99, 0, 0.13, 1))).containsExactly(1, 3, 4);
        // top-p counts within what top-k left: 0.5 of 0.75 is two thirds.
        assertThat(drawn(new Sampling(1, 0.6, 2, 0, 1))).containsExactly(3);
        assertThat(drawn(new Sampling(1, 0.7, 2, 0, 1))).containsExactly(1, 3);
        assertThat(drawn(new Sampling(1, 1e-9, 0, 0, 1))).containsExactly(3);
        assertThat(drawn(new Sampling(1, 1, 1000, 0, 1))).containsExactly(0, 1, 2, 3, 4);
    }

    @Test
    void theMaskIsObeyedBeforeAnyCut() {
        BitMask mask = new BitMask(5);
        mask.set(0);
        mask.set(4);
        assertThat(sampler.sample(LOGITS, Sampling.GREEDY, 0, mask)).isEqualTo(4);
        double[] shares = shares(new Sampling(1, 1, 2, 0, 3), mask);
        assertThat(shares[4]).isCloseTo(2 / 3.0, within(0.02));
        assertThat(shares[0]).isCloseTo(1 / 3.0, within(0.02));
        assertThatThrownBy(() -> sampler.sample(LOGITS, Sampling.GREEDY, 0, new BitMask(5)))
                .hasMessageContaining("no token");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 63, 64, 65, 1000})
    void cutsOnLargeVocabulariesAgreeWithSorting(int vocabulary) {
        for (long seed = 0; seed < 50; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            float[] logits = new float[vocabulary];
            for (int i = 0; i < vocabulary; i++) {
                logits[i] = random.nextInt(-20, 20) / 2f; // many ties
            }
            int topK = random.nextInt(3) == 0 ? 0 : random.nextInt(1, vocabulary + 2);
            Sampling sampling = new Sampling(
                    random.nextDouble(0.1, 2), random.nextDouble(0.05, 1), topK, random.nextDouble(0.2), seed);
            TreeSet<Integer> kept = keptBySorting(logits, sampling);
            Sampler large = new Sampler(vocabulary);
            for (int index = 0; index < 20; index++) {
                assertThat(large.sample(logits, sampling, index, null))
                        .as("seed %d, %s", seed, sampling)
                        .isIn(kept);
            }
        }
    }

    private static TreeSet<Integer> keptBySorting(float[] logits, Sampling sampling) {
        Integer[] order = new Integer[logits.length];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, (a, b) -> Float.compare(logits[b], logits[a]));
        int k = sampling.topK() == 0 ? logits.length : Math.min(sampling.topK(), logits.length);
        double[] weights = new double[k];
        for (int i = 0; i < k; i++) {
            weights[i] = Math.exp(((double) logits[order[i]] - logits[order[0]]) / sampling.temperature());
        }
        double total = Arrays.stream(weights).sum();
        TreeSet<Integer> kept = new TreeSet<>();
        double cumulative = 0;
        for (int i = 0; i < k; i++) {
            // Slack for the order in which sums are rounded.
            if (i > 0 && (cumulative >= total * sampling.topP() * (1 + 1e-12) || weights[i] < sampling.minP())) {
                break;
            }
            cumulative += weights[i];
            kept.add(order[i]);
        }
        return kept;
    }

    @Test
    void theSeedAndTheIndexDecide() {
        Sampling one = new Sampling(1, 1, 0, 0, 1);
        List<Integer> first = draws(one);
        assertThat(draws(one)).isEqualTo(first);
        assertThat(draws(one.withSeed(2))).isNotEqualTo(first);
        double mean = 0;
        for (int i = 0; i < 100_000; i++) {
            double u = Sampler.uniform(99, i);
            assertThat(u).isBetween(0.0, Math.nextDown(1.0));
            mean += u / 100_000;
        }
        assertThat(mean).isCloseTo(0.5, within(0.005));
    }

    @Test
    void logprobsAreThoseOfTheModel() {
        List<Logprob> logprobs = sampler.logprobs(LOGITS, 0, 3);
        assertThat(logprobs.stream().map(Logprob::token)).containsExactly(0, 3, 1, 4);
        assertThat(logprobs.get(0).value()).isCloseTo(Math.log(0.0625), within(1e-6));
        assertThat(logprobs.get(1).value()).isCloseTo(Math.log(0.5), within(1e-6));
        assertThat(sampler.logprobs(LOGITS, 0, 99)).hasSize(6);
        assertThat(sampler.logprobs(new float[] {1000, -1000, 0, 0, 0}, 1, 0)
                        .getFirst()
                        .value())
                .isCloseTo(-2000, within(1e-6));
    }

    @Test
    void impossibleParametersAreRefused() {
        assertThatThrownBy(() -> new Sampling(-1, 1, 0, 0, 0)).hasMessageContaining("temperature");
        assertThatThrownBy(() -> new Sampling(Double.NaN, 1, 0, 0, 0)).hasMessageContaining("temperature");
        assertThatThrownBy(() -> new Sampling(1, 0, 0, 0, 0)).hasMessageContaining("top-p");
        assertThatThrownBy(() -> new Sampling(1, 1, -1, 0, 0)).hasMessageContaining("top-k");
        assertThatThrownBy(() -> new Sampling(1, 1, 0, 2, 0)).hasMessageContaining("min-p");
    }

    private TreeSet<Integer> drawn(Sampling sampling) {
        TreeSet<Integer> ids = new TreeSet<>();
        for (int index = 0; index < 2_000; index++) {
            ids.add(sampler.sample(LOGITS, sampling, index, null));
        }
        return ids;
    }

    private double[] shares(Sampling sampling, @Nullable BitMask mask) {
        double[] shares = new double[5];
        for (int index = 0; index < 40_000; index++) {
            shares[sampler.sample(LOGITS, sampling, index, mask)] += 1 / 40_000.0;
        }
        return shares;
    }

    private List<Integer> draws(Sampling sampling) {
        return IntStream.range(0, 50)
                .mapToObj(i -> sampler.sample(LOGITS, sampling, i, null))
                .toList();
    }
}
