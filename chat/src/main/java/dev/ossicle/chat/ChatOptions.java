package dev.ossicle.chat;

import dev.ossicle.engine.Sampling;
import dev.ossicle.harmony.ReasoningEffort;
import java.time.LocalDate;
import org.jspecify.annotations.Nullable;

/**
 * How to answer. {@link #DEFAULT} is what gpt-oss is made for.
 *
 * @param effort how long to think
 * @param sampling its seed counts only where {@code seeded} is true
 * @param seeded whether to use the seed; else every answer gets a fresh one
 * @param date what the model takes for today; null for the day it is
 */
public record ChatOptions(
        ReasoningEffort effort,
        Sampling sampling,
        boolean seeded,
        @Nullable LocalDate date) {
    public static final ChatOptions DEFAULT = new ChatOptions(ReasoningEffort.MEDIUM, Sampling.DEFAULT, false, null);

    public ChatOptions withEffort(ReasoningEffort newEffort) {
        return new ChatOptions(newEffort, sampling, seeded, date);
    }

    public ChatOptions withTemperature(double temperature) {
        return withSampling(
                new Sampling(temperature, sampling.topP(), sampling.topK(), sampling.minP(), sampling.seed()));
    }

    /** All of the sampling but its seed. */
    public ChatOptions withSampling(Sampling newSampling) {
        return new ChatOptions(effort, newSampling.withSeed(sampling.seed()), seeded, date);
    }

    /** The same seed gives the same answer to the same conversation. */
    public ChatOptions withSeed(long seed) {
        return new ChatOptions(effort, sampling.withSeed(seed), true, date);
    }

    public ChatOptions withDate(LocalDate newDate) {
        return new ChatOptions(effort, sampling, seeded, newDate);
    }
}
