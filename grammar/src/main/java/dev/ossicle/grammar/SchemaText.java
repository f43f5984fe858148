package dev.ossicle.grammar;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonBoolean;
import dev.ossicle.json.JsonNull;
import dev.ossicle.json.JsonNumber;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import java.math.BigDecimal;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A JSON Schema as a document: its keywords read and checked, references followed, schemas that hold together merged. */
final class SchemaText {
    /** Schemas merged into schemas; beyond this they refer to each other for ever. */
    private static final int MAX_MERGES = 64;

    private static final int MAX_DIGITS = 400;

    private static final List<String> TYPES =
            List.of("object", "array", "string", "number", "integer", "boolean", "null");

    /** Keywords that say something of one type only, which a schema without a type gets. */
    private static final Map<String, String> TYPE_OF = Map.ofEntries(
            Map.entry("properties", "object"),
            Map.entry("required", "object"),
            Map.entry("additionalProperties", "object"),
            Map.entry("items", "array"),
            Map.entry("prefixItems", "array"),
            Map.entry("minItems", "array"),
            Map.entry("maxItems", "array"),
            Map.entry("pattern", "string"),
            Map.entry("minLength", "string"),
            Map.entry("maxLength", "string"),
            Map.entry("minimum", "number"),
            Map.entry("maximum", "number"),
            Map.entry("exclusiveMinimum", "number"),
            Map.entry("exclusiveMaximum", "number"),
            Map.entry("multipleOf", "number"));

    private static final Set<String> OTHER_CONSTRAINTS =
            Set.of("type", "nullable", "format", "enum", "const", "anyOf", "oneOf", "allOf", "$ref");

    private static final Set<String> ANNOTATIONS = Set.of(
            "title",
            "description",
            "default",
            "example",
            "examples",
            "deprecated",
            "readOnly",
            "writeOnly",
            "discriminator",
            "$schema",
            "$id",
            "$comment",
            "$defs",
            "definitions");

    private final Json document;
    private int merges;

    SchemaText(Json document) {
        this.document = document;
    }

    Json document() {
        return document;
    }

    /** Refuses keywords that are not supported. */
    void check(JsonObject schema, String path) {
        for (Map.Entry<String, Json> member : schema.members().entrySet()) {
            String keyword = member.getKey();
            if (keyword.equals("uniqueItems") && member.getValue().equals(JsonBoolean.FALSE)) {
                continue;
            }
            if (!TYPE_OF.containsKey(keyword)
                    && !OTHER_CONSTRAINTS.contains(keyword)
                    && !ANNOTATIONS.contains(keyword)
                    && !keyword.startsWith("x-")) {
                throw new GrammarException(path, "keyword " + Json.of(keyword) + " is not supported");
            }
        }
    }

    /** The schema without what only describes it. */
    static JsonObject constraints(JsonObject schema) {
        Map<String, Json> kept = new LinkedHashMap<>();
        schema.members().forEach((keyword, value) -> {
            boolean idle = keyword.equals("nullable") && value.equals(JsonBoolean.FALSE);
            if ((TYPE_OF.containsKey(keyword) || OTHER_CONSTRAINTS.contains(keyword)) && !idle) {
                kept.put(keyword, value);
            }
        });
        return new JsonObject(kept);
    }

    static JsonObject without(JsonObject schema, String keyword) {
        Map<String, Json> kept = new LinkedHashMap<>(schema.members());
        kept.remove(keyword);
        return new JsonObject(kept);
    }

    private static JsonObject with(JsonObject schema, String keyword, Json value) {
        Map<String, Json> members = new LinkedHashMap<>(schema.members());
        members.put(keyword, value);
        return new JsonObject(members);
    }

    /** The path of a member, in brackets and quotes where its name is no plain word. */
    static String path(String path, String name) {
        return name.matches("[A-Za-z_$][A-Za-z0-9_$-]*") ? path + "." + name : path + "[" + Json.of(name) + "]";
    }

    static String path(String path, String keyword, int index) {
        return path + "." + keyword + "[" + index + "]";
    }

    // References

    record Target(Json schema, String path) {}

    /** What {@code $ref} refers to: a JSON pointer into this document. */
    Target resolve(String reference, String path) {
        String place = path + ".$ref";
        if (!reference.equals("#") && !reference.startsWith("#/")) {
            throw new GrammarException(
                    place, Json.of(reference) + " is not supported: only references into the same schema are, #/...");
        }
        Json at = document;
        String found = "$";
        if (reference.length() > 1) {
            for (String step : reference.substring(2).split("/", -1)) {
                String name;
                try {
                    name = URLDecoder.decode(step.replace("+", "%2B"), StandardCharsets.UTF_8);
                } catch (IllegalArgumentException e) {
                    throw new GrammarException(place, Json.of(reference) + " is not a URI fragment");
                }
                name = name.replace("~1", "/").replace("~0", "~");
                Json next = null;
                if (at instanceof JsonObject object) {
                    next = object.get(name);
                    found = path(found, name);
                } else if (at instanceof JsonArray array && name.matches("[0-9]{1,6}")) {
                    int index = Integer.parseInt(name);
                    next = index < array.elements().size() ? array.elements().get(index) : null;
                    found += "[" + index + "]";
                }
                if (next == null) {
                    throw new GrammarException(place, "there is no " + Json.of(reference) + " in this schema");
                }
                at = next;
            }
        }
        return new Target(at, found);
    }

    // Merging

    /** The schema with its {@code $ref} and {@code allOf} worked in. */
    JsonObject flatten(JsonObject schema, String path) {
        JsonObject result = without(without(constraints(schema), "$ref"), "allOf");
        if (schema.get("$ref") != null) {
            Target target = resolve(string(schema, "$ref", path), path);
            result = merge(result, target.schema, path, target.path);
        }
        if (schema.get("allOf") != null) {
            List<Json> parts = array(schema, "allOf", path).elements();
            for (int i = 0; i < parts.size(); i++) {
                result = merge(result, parts.get(i), path, path(path, "allOf", i));
            }
        }
        return result;
    }

    /** A schema that holds where both do. */
    JsonObject merge(JsonObject first, Json second, String path, String secondPath) {
        if (second instanceof JsonBoolean all) {
            if (!all.value()) {
                throw new GrammarException(secondPath, "no value can satisfy this");
            }
            return first;
        }
        if (!(second instanceof JsonObject object)) {
            throw new GrammarException(secondPath, "a schema is an object, true or false, not " + second.kind());
        }
        check(object, secondPath);
        if (++merges > MAX_MERGES) {
            throw new GrammarException(path, "$ref and allOf lead back to themselves, or are nested too deep");
        }
        JsonObject result = flatten(first, path);
        JsonObject other = flatten(object, secondPath);
        for (Map.Entry<String, Json> member :
                properties(result, other).members().entrySet()) {
            result = with(result, member.getKey(), member.getValue());
        }
        for (Map.Entry<String, Json> member : other.members().entrySet()) {
            String keyword = member.getKey();
            if (!keyword.equals("properties") && !keyword.equals("additionalProperties")) {
                Json value = result.get(keyword);
                result = with(
                        result,
                        keyword,
                        value == null || value.equals(member.getValue())
                                ? member.getValue()
                                : merge(keyword, value, member.getValue(), path));
            }
        }
        // What one of them says nothing about, null among its types, is not said by both.
        if (result.get("nullable") != null && !(nullable(first) && nullable(object))) {
            result = without(result, "nullable");
        }
        merges--;
        return result;
    }

    private static boolean nullable(JsonObject schema) {
        return schema.get("type") == null || schema.get("nullable") != null;
    }

    /** Properties and additional properties of both: they depend on each other. */
    private static JsonObject properties(JsonObject first, JsonObject second) {
        Map<String, Json> members = new LinkedHashMap<>();
        if (!(first.get("properties") instanceof JsonObject) && !(second.get("properties") instanceof JsonObject)) {
            return additional(first, second, members);
        }
        JsonObject one = first.get("properties") instanceof JsonObject p ? p : JsonObject.EMPTY;
        JsonObject two = second.get("properties") instanceof JsonObject p ? p : JsonObject.EMPTY;
        Map<String, Json> properties = new LinkedHashMap<>();
        one.members().forEach((name, schema) -> {
            Json other = two.get(name);
            properties.put(name, both(schema, other == null ? second.get("additionalProperties") : other));
        });
        two.members().forEach((name, schema) -> {
            if (one.get(name) == null) {
                properties.put(name, both(schema, first.get("additionalProperties")));
            }
        });
        members.put("properties", new JsonObject(properties));
        return additional(first, second, members);
    }

    private static JsonObject additional(JsonObject first, JsonObject second, Map<String, Json> members) {
        Json one = first.get("additionalProperties");
        Json two = second.get("additionalProperties");
        if (one != null) {
            members.put("additionalProperties", both(one, two));
        } else if (two != null) {
            members.put("additionalProperties", two);
        }
        return new JsonObject(members);
    }

    private static Json both(Json first, @Nullable Json second) {
        if (second == null || second.equals(JsonBoolean.TRUE) || second.equals(first)) {
            return first;
        }
        if (first.equals(JsonBoolean.TRUE) || second.equals(JsonBoolean.FALSE)) {
            return second;
        }
        if (first.equals(JsonBoolean.FALSE)) {
            return first;
        }
        return JsonObject.builder()
                .put("allOf", Json.of(List.of(first, second)))
                .build();
    }

    private Json merge(String keyword, Json one, Json two, String path) {
        return switch (keyword) {
            case "type" -> commonTypes(one, two, path);
            case "required" -> {
                Set<Json> names = new LinkedHashSet<>(elements(one, path));
                names.addAll(elements(two, path));
                yield Json.of(List.copyOf(names));
            }
            case "items" -> both(one, two);
            case "pattern" -> {
                List<Json> patterns = new ArrayList<>(one instanceof JsonArray array ? array.elements() : List.of(one));
                patterns.addAll(two instanceof JsonArray array ? array.elements() : List.of(two));
                yield Json.of(patterns);
            }
            case "enum" -> {
                Set<Json> values = new LinkedHashSet<>(elements(one, path));
                values.retainAll(new HashSet<>(elements(two, path)));
                yield Json.of(List.copyOf(values));
            }
            case "minimum", "exclusiveMinimum", "minLength", "minItems" -> compare(one, two, path) >= 0 ? one : two;
            case "maximum", "exclusiveMaximum", "maxLength", "maxItems" -> compare(one, two, path) <= 0 ? one : two;
            case "nullable" -> Json.of(one.equals(JsonBoolean.TRUE) && two.equals(JsonBoolean.TRUE));
            case "anyOf" -> {
                JsonObject outer = JsonObject.builder().put("anyOf", one).build();
                List<Json> branches = new ArrayList<>();
                elements(two, path).forEach(branch -> branches.add(both(branch, outer)));
                yield Json.of(branches);
            }
            default ->
                throw new GrammarException(
                        path,
                        "keyword " + Json.of(keyword) + " stands in two schemas that hold together, with "
                                + "different values: that is not supported");
        };
    }

    private static int compare(Json one, Json two, String path) {
        if (one instanceof JsonNumber a && two instanceof JsonNumber b) {
            return decimal(a, path).compareTo(decimal(b, path));
        }
        throw new GrammarException(path, "a bound is not a number");
    }

    private static Json commonTypes(Json one, Json two, String path) {
        Set<String> common = new LinkedHashSet<>();
        Set<String> other = typeNames(two, path);
        for (String type : typeNames(one, path)) {
            if (other.contains(type) || type.equals("integer") && other.contains("number")) {
                common.add(type);
            } else if (type.equals("number") && other.contains("integer")) {
                common.add("integer");
            }
        }
        if (common.isEmpty()) {
            throw new GrammarException(path, "no value has both type " + one + " and type " + two);
        }
        return Json.of(common.stream().map(Json::of).toList());
    }

    // Alternatives that exclude each other

    /** Refuses alternatives of which a value could satisfy more than one: that exactly one holds cannot be enforced. */
    void checkDisjoint(List<Json> branches, String path) {
        List<JsonObject> flat = new ArrayList<>();
        for (int i = 0; i < branches.size(); i++) {
            flat.add(merge(JsonObject.EMPTY, branches.get(i), path, path(path, "oneOf", i)));
        }
        for (int i = 0; i < flat.size(); i++) {
            for (int j = 0; j < i; j++) {
                if (!disjoint(flat.get(i), flat.get(j), path, 0)) {
                    throw new GrammarException(
                            path(path, "oneOf", i),
                            "cannot tell that it excludes oneOf[" + j + "]: let them differ in type or in a required "
                                    + "property with const or enum, or use anyOf");
                }
            }
        }
    }

    private boolean disjoint(JsonObject one, JsonObject two, String path, int depth) {
        if (enumerates(one) && enumerates(two)) {
            Set<Json> values = new HashSet<>(enumerated(one, path));
            values.retainAll(enumerated(two, path));
            // 1 and 1.0 are equal but not the same text.
            return values.isEmpty() && !(hasNumber(one, path) && hasNumber(two, path));
        }
        Set<String> common = allTypes(one, path);
        common.retainAll(allTypes(two, path));
        if (common.isEmpty()) {
            return true;
        }
        if (!common.equals(Set.of("object")) || depth > 3) {
            return false;
        }
        Set<String> required = strings(one, "required", path);
        required.retainAll(strings(two, "required", path));
        for (String name : required) {
            Json a = object(one, "properties", path).get(name);
            Json b = object(two, "properties", path).get(name);
            if (a != null
                    && b != null
                    && disjoint(
                            merge(JsonObject.EMPTY, a, path, path),
                            merge(JsonObject.EMPTY, b, path, path),
                            path,
                            depth + 1)) {
                return true;
            }
        }
        return false;
    }

    private static boolean enumerates(JsonObject schema) {
        return schema.get("enum") != null || schema.get("const") != null;
    }

    private static boolean hasNumber(JsonObject schema, String path) {
        return enumerated(schema, path).stream().anyMatch(value -> !(value instanceof JsonString));
    }

    /** The types, with a number standing for an integer too; all of them where none is given. */
    private static Set<String> allTypes(JsonObject schema, String path) {
        if (enumerates(schema) && schema.get("type") == null) {
            Set<String> result = new LinkedHashSet<>();
            enumerated(schema, path).forEach(value -> result.add(typeOf(value)));
            return result;
        }
        Set<String> types = types(schema, path);
        Set<String> result = new LinkedHashSet<>();
        for (String type : types.isEmpty() ? new LinkedHashSet<>(TYPES) : types) {
            result.add(type.equals("integer") ? "number" : type);
        }
        if (schema.get("anyOf") != null || schema.get("oneOf") != null) {
            return schema.get("type") == null ? new LinkedHashSet<>(TYPES) : result;
        }
        return result;
    }

    private static String typeOf(Json value) {
        return switch (value) {
            case JsonObject ignored -> "object";
            case JsonArray ignored -> "array";
            case JsonString ignored -> "string";
            case JsonNumber ignored -> "number";
            case JsonBoolean ignored -> "boolean";
            case JsonNull ignored -> "null";
        };
    }

    // Keywords

    /** The types that are given or that keywords imply; none if any will do. */
    static Set<String> types(JsonObject schema, String path) {
        Set<String> types = new LinkedHashSet<>();
        Json type = schema.get("type");
        if (type != null) {
            types.addAll(typeNames(type, path));
        } else {
            schema.members().keySet().forEach(keyword -> {
                if (TYPE_OF.containsKey(keyword)) {
                    types.add(TYPE_OF.getOrDefault(keyword, ""));
                }
            });
            if (schema.get("format") instanceof JsonString format) {
                types.add(isNumberFormat(format.value()) ? "number" : "string");
            }
        }
        if (!types.isEmpty() && schema.get("nullable") != null) {
            types.add("null");
        }
        return types;
    }

    private static Set<String> typeNames(Json type, String path) {
        Set<String> names = new LinkedHashSet<>();
        for (Json name : type instanceof JsonArray array ? array.elements() : List.of(type)) {
            if (!(name instanceof JsonString text) || !TYPES.contains(text.value())) {
                throw new GrammarException(path + ".type", name + " is not one of " + String.join(", ", TYPES));
            }
            names.add(text.value());
        }
        if (names.isEmpty()) {
            throw new GrammarException(path + ".type", "no type is left to choose from");
        }
        return names;
    }

    static boolean isNumberFormat(String format) {
        return Set.of("int32", "int64", "float", "double").contains(format);
    }

    /** The values of {@code enum} and {@code const}. */
    static List<Json> enumerated(JsonObject schema, String path) {
        List<Json> values = null;
        if (schema.get("enum") != null) {
            values = array(schema, "enum", path).elements();
        }
        Json constant = schema.get("const");
        if (constant != null) {
            values = values == null || values.contains(constant) ? List.of(constant) : List.of();
        }
        if (values == null || values.isEmpty()) {
            throw new GrammarException(path, "enum and const leave no value to choose from");
        }
        return values;
    }

    /** Whether a schema only asks for a type, and all the values have it. */
    static boolean onlyTypes(JsonObject rest, List<Json> values) {
        if (!rest.members().keySet().equals(Set.of("type"))) {
            return false;
        }
        Set<String> types = typeNames(rest.members().getOrDefault("type", JsonNull.NULL), "$");
        return values.stream().allMatch(value -> types.contains(typeOf(value)));
    }

    static JsonObject object(JsonObject schema, String keyword, String path) {
        Json value = schema.get(keyword);
        if (value == null) {
            return JsonObject.EMPTY;
        }
        if (value instanceof JsonObject object) {
            return object;
        }
        throw new GrammarException(path + "." + keyword, "must be an object, not " + value.kind());
    }

    /** An array with something in it. */
    static JsonArray array(JsonObject schema, String keyword, String path) {
        if (schema.get(keyword) instanceof JsonArray array && !array.elements().isEmpty()) {
            return array;
        }
        throw new GrammarException(path + "." + keyword, "must be an array that is not empty");
    }

    private static List<Json> elements(Json value, String path) {
        if (value instanceof JsonArray array) {
            return array.elements();
        }
        throw new GrammarException(path, "expected an array, not " + value.kind());
    }

    private static String string(JsonObject schema, String keyword, String path) {
        if (schema.get(keyword) instanceof JsonString string) {
            return string.value();
        }
        throw new GrammarException(path + "." + keyword, "must be a string");
    }

    /** An array of strings, perhaps absent. */
    static Set<String> strings(JsonObject schema, String keyword, String path) {
        Set<String> result = new LinkedHashSet<>();
        Json value = schema.get(keyword);
        if (value == null) {
            return result;
        }
        if (value instanceof JsonArray array) {
            for (Json element : array.elements()) {
                if (!(element instanceof JsonString string)) {
                    throw new GrammarException(path + "." + keyword, "must be an array of strings");
                }
                result.add(string.value());
            }
            return result;
        }
        throw new GrammarException(path + "." + keyword, "must be an array of strings");
    }

    /** All patterns: there are several where schemas were merged. */
    static List<String> patterns(JsonObject schema, String path) {
        Json value = schema.get("pattern");
        if (value instanceof JsonArray) {
            return List.copyOf(strings(schema, "pattern", path));
        }
        return value == null ? List.of() : List.of(string(schema, "pattern", path));
    }

    static int count(JsonObject schema, String keyword, int absent, String path) {
        BigDecimal value = number(schema, keyword, path);
        if (value == null) {
            return absent;
        }
        if (value.signum() < 0 || value.stripTrailingZeros().scale() > 0) {
            throw new GrammarException(path + "." + keyword, "must be a whole number, 0 or above");
        }
        return value.min(BigDecimal.valueOf(Expression.UNBOUNDED)).intValueExact();
    }

    static @Nullable BigDecimal number(JsonObject schema, String keyword, String path) {
        Json value = schema.get(keyword);
        if (value == null) {
            return null;
        }
        if (value instanceof JsonNumber number) {
            return decimal(number, path + "." + keyword);
        }
        throw new GrammarException(path + "." + keyword, "must be a number, not " + value.kind());
    }

    private static BigDecimal decimal(JsonNumber number, String path) {
        BigDecimal value;
        try {
            value = new BigDecimal(number.text());
        } catch (NumberFormatException e) {
            throw new GrammarException(path, "a bound with such an exponent is not supported");
        }
        if (Math.abs((long) value.scale()) + value.precision() > MAX_DIGITS) {
            throw new GrammarException(path, "a bound with more than " + MAX_DIGITS + " digits is not supported");
        }
        return value;
    }
}
