package dev.ossicle.json;

public record JsonNull() implements Json {
    public static final JsonNull NULL = new JsonNull();

    @Override
    public String toString() {
        return "null";
    }
}
