package dev.ossicle.tools.mcp;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonNull;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON Schemas as gpt-oss's own MCP servers have them in the prompt: generated titles, defaults of null and the "or null" of
 * optional arguments are left out.
 */
final class Schemas {
    private Schemas() {}

    static JsonObject trim(JsonObject schema) {
        Map<String, Json> members = new LinkedHashMap<>(schema.members());
        if (members.get("title") instanceof JsonString) {
            members.remove("title");
        }
        if (members.get("default") instanceof JsonNull) {
            members.remove("default");
        }
        members.remove("$schema");
        if (members.get("anyOf") instanceof JsonArray variants) {
            List<JsonObject> typed = new ArrayList<>();
            for (Json variant : variants.elements()) {
                if (variant instanceof JsonObject object && object.get("type") instanceof JsonString) {
                    typed.add(trim(object));
                }
            }
            if (typed.size() == variants.size()) {
                members = merge(members, typed);
            }
        }
        members.replaceAll((name, value) -> switch (name) {
            case "properties", "$defs", "definitions" -> trimEach(value);
            case "items", "additionalProperties" -> value instanceof JsonObject inner ? trim(inner) : value;
            case "oneOf", "anyOf", "allOf" -> trimAll(value);
            default -> value;
        });
        return new JsonObject(members);
    }

    /** One kind besides null takes the place of the choice; of several, their types do. */
    private static Map<String, Json> merge(Map<String, Json> members, List<JsonObject> typed) {
        List<JsonObject> real = typed.stream()
                .filter(variant -> !(variant.get("type") instanceof JsonString type
                        && type.value().equals("null")))
                .toList();
        boolean simple = real.stream().allMatch(variant -> variant.members().size() == 1);
        if (real.isEmpty() || real.size() > 1 && !simple) {
            return members;
        }
        Map<String, Json> merged = new LinkedHashMap<>();
        members.forEach((name, value) -> {
            if (!name.equals("anyOf")) {
                merged.put(name, value);
            } else if (real.size() == 1) {
                real.getFirst().members().forEach(merged::putIfAbsent);
            } else {
                merged.put(
                        "type",
                        Json.of(real.stream()
                                .map(variant -> variant.members().get("type"))
                                .toList()));
            }
        });
        return merged;
    }

    private static Json trimEach(Json value) {
        if (!(value instanceof JsonObject object)) {
            return value;
        }
        Map<String, Json> members = new LinkedHashMap<>(object.members());
        members.replaceAll((name, inner) -> inner instanceof JsonObject schema ? trim(schema) : inner);
        return new JsonObject(members);
    }

    private static Json trimAll(Json value) {
        if (!(value instanceof JsonArray array)) {
            return value;
        }
        return new JsonArray(array.elements().stream()
                .map(inner -> inner instanceof JsonObject schema ? (Json) trim(schema) : inner)
                .toList());
    }
}
