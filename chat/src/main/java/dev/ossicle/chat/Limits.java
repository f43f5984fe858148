package dev.ossicle.chat;

import java.time.Duration;

/**
 * What one answer may take.
 *
 * @param rounds of tool calls
 * @param tokens that the model may write in all rounds together, reasoning included
 * @param time for everything
 * @param toolTime for one call of a function
 * @param toolOutput chars of a function's result; more is cut, and the model is told so
 */
public record Limits(int rounds, int tokens, Duration time, Duration toolTime, int toolOutput) {
    public static final Limits DEFAULT =
            new Limits(50, Integer.MAX_VALUE, Duration.ofHours(24), Duration.ofMinutes(2), 100_000);

    public Limits {
        if (rounds < 0 || tokens < 1 || toolOutput < 1 || !time.isPositive() || !toolTime.isPositive()) {
            throw new IllegalArgumentException("limits must be positive: rounds " + rounds + ", tokens " + tokens
                    + ", time " + time + ", tool time " + toolTime + ", tool output " + toolOutput);
        }
    }

    public Limits withRounds(int newRounds) {
        return new Limits(newRounds, tokens, time, toolTime, toolOutput);
    }

    public Limits withTokens(int newTokens) {
        return new Limits(rounds, newTokens, time, toolTime, toolOutput);
    }

    public Limits withTime(Duration newTime) {
        return new Limits(rounds, tokens, newTime, toolTime, toolOutput);
    }

    public Limits withToolTime(Duration newToolTime) {
        return new Limits(rounds, tokens, time, newToolTime, toolOutput);
    }

    public Limits withToolOutput(int newToolOutput) {
        return new Limits(rounds, tokens, time, toolTime, newToolOutput);
    }
}
