package dev.ossicle.chat;

import dev.ossicle.engine.LogitAdjustments;
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
 * @param adjustments of the logits of every token
 * @param topLogprobs how many of the best tokens a local model tells with each token of the answer; 0 for its own alone, -1
 *     for none
 */
public record ChatOptions(
        ReasoningEffort effort,
        Sampling sampling,
        boolean seeded,
        @Nullable LocalDate date,
        LogitAdjustments adjustments,
        int topLogprobs) {
    public static final ChatOptions DEFAULT =
            new ChatOptions(ReasoningEffort.MEDIUM, Sampling.DEFAULT, false, null, LogitAdjustments.NONE, -1);

    public ChatOptions withEffort(ReasoningEffort newEffort) {
        return new ChatOptions(newEffort, sampling, seeded, date, adjustments, topLogprobs);
    }

    public ChatOptions withTemperature(double temperature) {
        return withSampling(
                new Sampling(temperature, sampling.topP(), sampling.topK(), sampling.minP(), sampling.seed()));
    }

    /** All of the sampling but its seed. */
    public ChatOptions withSampling(Sampling newSampling) {
        return new ChatOptions(effort, newSampling.withSeed(sampling.seed()), seeded, date, adjustments, topLogprobs);
    }

    /** The same seed gives the same answer to the same conversation. */
    public ChatOptions withSeed(long seed) {
        return new ChatOptions(effort, sampling.withSeed(seed), true, date, adjustments, topLogprobs);
    }

    public ChatOptions withDate(LocalDate newDate) {
        return new ChatOptions(effort, sampling, seeded, newDate, adjustments, topLogprobs);
    }

    public ChatOptions withAdjustments(LogitAdjustments newAdjustments) {
        return new ChatOptions(effort, sampling, seeded, date, newAdjustments, topLogprobs);
    }

    /** How many of the best tokens to tell with each token of the answer; 0 for its own alone, -1 for none. */
    public ChatOptions withTopLogprobs(int count) {
        return new ChatOptions(effort, sampling, seeded, date, adjustments, count);
    }
}
