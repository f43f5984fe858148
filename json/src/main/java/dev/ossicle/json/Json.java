package dev.ossicle.json;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A JSON value. Immutable.
 *
 * <p>Read one with {@link #parse}; {@code toString()} writes it back without white space, members in their order.
 */
public sealed interface Json permits JsonObject, JsonArray, JsonString, JsonNumber, JsonBoolean, JsonNull {

    /**
     * Reads one JSON value that takes up the whole text (RFC 8259, nesting at most {@value JsonReader#MAX_DEPTH}).
     *
     * @throws JsonException if the text is anything else; its offset counts chars
     */
    static Json parse(String text) {
        return new JsonReader(text).readDocument();
    }

    static JsonString of(String value) {
        return new JsonString(value);
    }

    static JsonNumber of(long value) {
        return new JsonNumber(Long.toString(value));
    }

    /** A finite double; {@code NaN} and infinities have no JSON form and are refused. */
    static JsonNumber of(double value) {
        return JsonNumber.ofDouble(value);
    }

    static JsonBoolean of(boolean value) {
        return value ? JsonBoolean.TRUE : JsonBoolean.FALSE;
    }

    static JsonArray of(List<? extends Json> elements) {
        return new JsonArray(List.copyOf(elements));
    }

    static JsonObject of(Map<String, ? extends Json> members) {
        return new JsonObject(new LinkedHashMap<>(members));
    }

    /** What kind of value this is, as error messages say it: "an object", "a string". */
    default String kind() {
        return switch (this) {
            case JsonObject ignored -> "an object";
            case JsonArray ignored -> "an array";
            case JsonString ignored -> "a string";
            case JsonNumber ignored -> "a number";
            case JsonBoolean ignored -> "a boolean";
            case JsonNull ignored -> "null";
        };
    }
}
