package dev.ossicle.json;

import static java.util.Objects.requireNonNull;

import java.math.BigDecimal;

/**
 * A number as its text. Two numbers are equal when their texts are: {@code 1.0} is not {@code 1}.
 *
 * @param text in JSON's grammar
 */
public record JsonNumber(String text) implements Json {
    public JsonNumber {
        requireNonNull(text, "text is null");
    }

    static JsonNumber ofDouble(double value) {
        if (!Double.isFinite(value)) {
            throw new IllegalArgumentException("JSON has no form for " + value);
        }
        return new JsonNumber(Double.toString(value));
    }

    /** Whether the text has neither fraction nor exponent. */
    public boolean isInteger() {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '.' || c == 'e' || c == 'E') {
                return false;
            }
        }
        return true;
    }

    public double doubleValue() {
        return Double.parseDouble(text);
    }

    /**
     * The value as a long, whatever way it is written ({@code 1e3}, {@code 7.0}).
     *
     * @throws ArithmeticException if it has a fraction or does not fit
     */
    public long longValueExact() {
        if (isInteger() && text.length() < 19) {
            return Long.parseLong(text);
        }
        // A hostile exponent would make BigDecimal spell out its zeros.
        if (Math.abs(doubleValue()) > 1e19) {
            throw new ArithmeticException(text + " does not fit 64 bits");
        }
        return new BigDecimal(text).longValueExact();
    }

    /** The same for an int. */
    public int intValueExact() {
        return Math.toIntExact(longValueExact());
    }

    @Override
    public String toString() {
        return text;
    }
}
