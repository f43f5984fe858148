package dev.ossicle.json;

import static java.util.Objects.requireNonNull;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Members in the order they were written. A name that occurs twice keeps its first place and its last value. */
public record JsonObject(Map<String, Json> members) implements Json {
    public static final JsonObject EMPTY = new JsonObject(Map.of());

    public JsonObject {
        members = Collections.unmodifiableMap(new LinkedHashMap<>(members));
    }

    /** The member of that name; null if there is none (a member that is JSON null is a {@link JsonNull}). */
    public @Nullable Json get(String name) {
        return members.get(requireNonNull(name, "name is null"));
    }

    /** The same as {@link #get}, but a member that is JSON null counts as absent. */
    public @Nullable Json present(String name) {
        Json value = get(name);
        return value instanceof JsonNull ? null : value;
    }

    public static Builder builder() {
        return new Builder();
    }

    @Override
    public String toString() {
        return JsonWriter.write(this);
    }

    /** Collects members in order. */
    public static final class Builder {
        private final Map<String, Json> members = new LinkedHashMap<>();

        private Builder() {}

        public Builder put(String name, Json value) {
            members.put(requireNonNull(name, "name is null"), requireNonNull(value, "value is null"));
            return this;
        }

        public Builder put(String name, String value) {
            return put(name, new JsonString(value));
        }

        public Builder put(String name, long value) {
            return put(name, Json.of(value));
        }

        public Builder put(String name, double value) {
            return put(name, Json.of(value));
        }

        public Builder put(String name, boolean value) {
            return put(name, Json.of(value));
        }

        public JsonObject build() {
            return new JsonObject(members);
        }
    }
}
