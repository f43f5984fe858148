package dev.ossicle.json;

import java.util.List;

public record JsonArray(List<Json> elements) implements Json {
    public static final JsonArray EMPTY = new JsonArray(List.of());

    public JsonArray {
        elements = List.copyOf(elements);
    }

    public int size() {
        return elements.size();
    }

    public Json get(int index) {
        return elements.get(index);
    }

    @Override
    public String toString() {
        return JsonWriter.write(this);
    }
}
