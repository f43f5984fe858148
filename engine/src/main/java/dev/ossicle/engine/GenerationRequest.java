package dev.ossicle.engine;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What to generate.
 *
 * @param prompt token ids, at least one
 * @param sampling how to draw
 * @param maxTokens at most so many, fewer where the context ends
 * @param stopTokens the generation ends after any of these, which is handed out too
 * @param topLogprobs how many of the best tokens to report with each token; 0 for the token's own alone, -1 for none
 * @param mask what may come; null for anything
 * @param priority the higher is admitted first when many wait; waiting raises it, a point a second
 * @param timeout from the moment it is queued; null for none
 * @param adjustments of the logits, before the mask and the draw
 */
public record GenerationRequest(
        int[] prompt,
        Sampling sampling,
        int maxTokens,
        Set<Integer> stopTokens,
        int topLogprobs,
        @Nullable TokenMask mask,
        int priority,
        @Nullable Duration timeout,
        LogitAdjustments adjustments) {
    /** Copies what can change. */
    public GenerationRequest {
        requireNonNull(sampling, "sampling is null");
        requireNonNull(adjustments, "adjustments is null");
        prompt = prompt.clone();
        stopTokens = Set.copyOf(stopTokens);
        if (prompt.length == 0) {
            throw new IllegalArgumentException("the prompt is empty: give at least one token");
        }
        if (maxTokens < 1) {
            throw new IllegalArgumentException("max tokens is " + maxTokens + ", must be at least 1");
        }
        if (topLogprobs < -1 || topLogprobs > 1000) {
            throw new IllegalArgumentException("top logprobs is " + topLogprobs + ", must be between -1 and 1000");
        }
    }

    public GenerationRequest(int[] prompt, Sampling sampling, int maxTokens, Set<Integer> stopTokens) {
        this(prompt, sampling, maxTokens, stopTokens, -1, null);
    }

    public GenerationRequest(
            int[] prompt,
            Sampling sampling,
            int maxTokens,
            Set<Integer> stopTokens,
            int topLogprobs,
            @Nullable TokenMask mask) {
        this(prompt, sampling, maxTokens, stopTokens, topLogprobs, mask, 0, null, LogitAdjustments.NONE);
    }
}
