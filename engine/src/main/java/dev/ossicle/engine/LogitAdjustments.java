package dev.ossicle.engine;

import java.util.Map;

/**
 * What is added to the logits before a token is drawn, as OpenAI's API has it.
 *
 * @param bias by token id
 * @param presencePenalty taken from every token that was drawn before
 * @param frequencyPenalty taken for each time that it was
 */
public record LogitAdjustments(Map<Integer, Double> bias, double presencePenalty, double frequencyPenalty) {
    public static final LogitAdjustments NONE = new LogitAdjustments(Map.of(), 0, 0);

    public LogitAdjustments {
        bias = Map.copyOf(bias);
        if (!Double.isFinite(presencePenalty) || !Double.isFinite(frequencyPenalty)) {
            throw new IllegalArgumentException(
                    "penalties must be finite: " + presencePenalty + ", " + frequencyPenalty);
        }
        bias.forEach((token, value) -> {
            if (!Double.isFinite(value)) {
                throw new IllegalArgumentException("the bias of token " + token + " is " + value + ", must be finite");
            }
        });
    }

    boolean isNone() {
        return bias.isEmpty() && presencePenalty == 0 && frequencyPenalty == 0;
    }

    /** Adjusted logits [V]: the same array if there is nothing to do. Tokens [from, to) were drawn. */
    float[] apply(float[] logits, int[] tokens, int from, int to) {
        if (isNone()) {
            return logits;
        }
        float[] adjusted = logits.clone();
        bias.forEach((token, value) -> {
            if (token >= 0 && token < adjusted.length) {
                adjusted[token] += value.floatValue();
            }
        });
        if (presencePenalty != 0 || frequencyPenalty != 0) {
            boolean[] seen = new boolean[adjusted.length];
            for (int i = from; i < to; i++) {
                int token = tokens[i];
                adjusted[token] -= (float) (frequencyPenalty + (seen[token] ? 0 : presencePenalty));
                seen[token] = true;
            }
        }
        return adjusted;
    }
}
