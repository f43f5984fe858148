package dev.ossicle.harmony;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonBoolean;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A JSON Schema as the TypeScript-like type that gpt-oss was trained to read. Odd where OpenAI's library is odd: nested
 * objects close with the deeper indent, their descriptions are given twice, only the first line of a description is a
 * comment.
 */
final class SchemaText {
    private SchemaText() {}

    static String of(Json schema, String indent) {
        if (member(schema, "oneOf") instanceof JsonArray variants) {
            StringBuilder out = new StringBuilder();
            for (Json variant : variants.elements()) {
                out.append('\n').append(indent).append(" | ").append(withNull(variant, of(variant, indent + "   ")));
                List<String> comment = new ArrayList<>();
                if (member(variant, "description") instanceof JsonString description) {
                    comment.add(description.value());
                }
                Json value = member(variant, "default");
                if (value != null) {
                    // Unlike below, the default of an enum is in quotes.
                    comment.add("default: "
                            + (value instanceof JsonString string && !isEnum(variant)
                                    ? quoted(string.value())
                                    : RustJson.write(value)));
                }
                appendComment(comment, out);
            }
            return out.toString();
        }
        Json type = member(schema, "type");
        if (type instanceof JsonArray types) {
            List<String> names = new ArrayList<>();
            for (Json one : types.elements()) {
                if (one instanceof JsonString name) {
                    names.add(name.value().equals("integer") ? "number" : name.value());
                }
            }
            if (!names.isEmpty()) {
                return String.join(" | ", names);
            }
        }
        if (type instanceof JsonString name) {
            return switch (name.value()) {
                case "object" -> object(schema, indent);
                case "string" -> string(schema);
                case "number", "integer" -> "number";
                case "boolean" -> "boolean";
                case "array" -> {
                    Json items = member(schema, "items");
                    yield items == null ? "Array<any>" : of(items, indent) + "[]";
                }
                default -> "any";
            };
        }
        return "any";
    }

    private static String string(Json schema) {
        List<String> values = new ArrayList<>();
        if (member(schema, "enum") instanceof JsonArray members) {
            for (Json value : members.elements()) {
                if (value instanceof JsonString string) {
                    values.add(quoted(string.value()));
                }
            }
        }
        return values.isEmpty() ? "string" : String.join(" | ", values);
    }

    private static String object(Json schema, String indent) {
        StringBuilder out = new StringBuilder();
        if (member(schema, "description") instanceof JsonString description) {
            out.append(indent).append("// ").append(description.value()).append('\n');
        }
        out.append("{\n");
        if (member(schema, "properties") instanceof JsonObject properties) {
            Set<String> required = new HashSet<>();
            if (member(schema, "required") instanceof JsonArray names) {
                for (Json name : names.elements()) {
                    if (name instanceof JsonString string) {
                        required.add(string.value());
                    }
                }
            }
            properties
                    .members()
                    .forEach((name, property) ->
                            appendProperty(required.contains(name) ? name : name + "?", property, indent, out));
        }
        return out.append(indent).append('}').toString();
    }

    private static void appendProperty(String key, Json property, String indent, StringBuilder out) {
        if (member(property, "title") instanceof JsonString title) {
            out.append(indent).append("// ").append(title.value()).append('\n');
            out.append(indent).append("//\n");
        }
        boolean hasOneOf = member(property, "oneOf") != null;
        String description = member(property, "description") instanceof JsonString text ? text.value() : null;
        if (!hasOneOf && description != null) {
            out.append(indent).append("// ").append(description).append('\n');
        }
        if (member(property, "examples") instanceof JsonArray examples && examples.size() > 0) {
            out.append(indent).append("// Examples:\n");
            for (Json example : examples.elements()) {
                if (example instanceof JsonString string) {
                    out.append(indent)
                            .append("// - ")
                            .append(quoted(string.value()))
                            .append('\n');
                }
            }
        }
        if (member(property, "oneOf") instanceof JsonArray variants) {
            appendVariants(key, property, description, variants, indent, out);
            return;
        }
        out.append(indent).append(key).append(": ");
        out.append(withNull(property, of(property, indent + "    "))).append(',');
        Json value = member(property, "default");
        if (value != null && !hasOneOf) {
            out.append(" // default: ").append(defaultText(value, property));
        }
        out.append('\n');
    }

    private static void appendVariants(
            String key,
            Json property,
            @Nullable String description,
            JsonArray variants,
            String indent,
            StringBuilder out) {
        boolean above = description != null
                && !(variants.size() > 0
                        && member(variants.get(0), "description") instanceof JsonString first
                        && first.value().equals(description));
        if (above) {
            out.append(indent).append("// ").append(description).append('\n');
        }
        Json value = member(property, "default");
        if (value != null) {
            out.append(indent)
                    .append("// default: ")
                    .append(defaultText(value, property))
                    .append('\n');
        }
        out.append(indent).append(key).append(":\n");
        for (int i = 0; i < variants.size(); i++) {
            Json variant = variants.get(i);
            out.append(indent).append(" | ").append(withNull(variant, of(variant, indent + "   ")));
            List<String> comment = new ArrayList<>();
            if (member(variant, "description") instanceof JsonString own
                    && !(i == 0 && above)
                    && !own.value().equals(description)) {
                comment.add(own.value());
            }
            Json variantDefault = member(variant, "default");
            if (variantDefault != null) {
                comment.add("default: " + defaultText(variantDefault, variant));
            }
            appendComment(comment, out);
            out.append('\n');
        }
        out.append(indent).append(",\n");
    }

    private static void appendComment(List<String> parts, StringBuilder out) {
        if (!parts.isEmpty()) {
            out.append(" // ").append(String.join(" ", parts));
        }
    }

    private static String withNull(Json schema, String text) {
        return JsonBoolean.TRUE.equals(member(schema, "nullable")) && !text.contains("null") ? text + " | null" : text;
    }

    private static String defaultText(Json value, Json schema) {
        if (value instanceof JsonString string) {
            return isEnum(schema) ? string.value() : quoted(string.value());
        }
        return RustJson.write(value);
    }

    private static boolean isEnum(Json schema) {
        return member(schema, "enum") instanceof JsonArray values && values.size() > 0;
    }

    private static String quoted(String text) {
        return '"' + text + '"';
    }

    private static @Nullable Json member(Json schema, String name) {
        return schema instanceof JsonObject object ? object.get(name) : null;
    }
}
