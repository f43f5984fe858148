package dev.ossicle.json;

import static java.util.Objects.requireNonNull;

/** A string; it may hold unpaired surrogates, as JSON's escapes can. */
public record JsonString(String value) implements Json {
    public JsonString {
        requireNonNull(value, "value is null");
    }

    @Override
    public String toString() {
        return JsonWriter.write(this);
    }
}
