package dev.ossicle.server.http;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonBoolean;
import dev.ossicle.json.JsonNumber;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The members of a JSON object by name, each of the kind that is expected, or a refusal that names the place. */
public final class Fields {
    private final JsonObject object;
    private final String path;

    /** @param path of the object in the body; empty for the body itself */
    public Fields(JsonObject object, String path) {
        this.object = object;
        this.path = path;
    }

    public JsonObject object() {
        return object;
    }

    /** Where this object is. */
    public String path() {
        return path;
    }

    /** Where a member of it is. */
    public String path(String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    public ApiException bad(String name, String message) {
        return ApiException.badRequest(path(name), message);
    }

    /** A member; null if it is missing or null. */
    public @Nullable Json get(String name) {
        return object.present(name);
    }

    public boolean has(String name) {
        return get(name) != null;
    }

    private ApiException wrongKind(String name, String expected, Json found) {
        return bad(name, path(name) + " is " + found.kind() + ", must be " + expected);
    }

    public @Nullable String string(String name) {
        return switch (get(name)) {
            case null -> null;
            case JsonString string -> string.value();
            case Json other -> throw wrongKind(name, "a string", other);
        };
    }

    public String string(String name, String byDefault) {
        String value = string(name);
        return value == null ? byDefault : value;
    }

    public String requiredString(String name) {
        String value = string(name);
        if (value == null) {
            throw missing(name);
        }
        return value;
    }

    public ApiException missing(String name) {
        return bad(name, path(name) + " is missing");
    }

    public boolean bool(String name, boolean byDefault) {
        return switch (get(name)) {
            case null -> byDefault;
            case JsonBoolean bool -> bool.value();
            case Json other -> throw wrongKind(name, "true or false", other);
        };
    }

    public double number(String name, double byDefault, double min, double max) {
        return switch (get(name)) {
            case null -> byDefault;
            case JsonNumber number -> {
                double value = number.doubleValue();
                if (!(value >= min && value <= max)) {
                    throw bad(
                            name,
                            path(name) + " is " + number.text() + ", must be between " + text(min) + " and "
                                    + text(max));
                }
                yield value;
            }
            case Json other -> throw wrongKind(name, "a number", other);
        };
    }

    public long integer(String name, long byDefault, long min, long max) {
        return switch (get(name)) {
            case null -> byDefault;
            case JsonNumber number -> {
                double value = number.doubleValue();
                if (value != Math.rint(value) || value < min || value > max) {
                    throw bad(
                            name,
                            path(name) + " is " + number.text() + ", must be a whole number between " + min + " and "
                                    + max);
                }
                yield number.isInteger() ? number.longValueExact() : (long) value;
            }
            case Json other -> throw wrongKind(name, "a whole number", other);
        };
    }

    private static String text(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }

    public @Nullable Fields fields(String name) {
        return switch (get(name)) {
            case null -> null;
            case JsonObject inner -> new Fields(inner, path(name));
            case Json other -> throw wrongKind(name, "an object", other);
        };
    }

    public @Nullable JsonObject jsonObject(String name) {
        Fields inner = fields(name);
        return inner == null ? null : inner.object();
    }

    /** Empty if it is missing. */
    public List<Json> array(String name) {
        return switch (get(name)) {
            case null -> List.of();
            case JsonArray array -> array.elements();
            case Json other -> throw wrongKind(name, "an array", other);
        };
    }

    /** The elements of an array of objects; empty if it is missing. */
    public List<Fields> objects(String name) {
        List<Fields> objects = new ArrayList<>();
        List<Json> elements = array(name);
        for (int i = 0; i < elements.size(); i++) {
            String at = name + "[" + i + "]";
            if (!(elements.get(i) instanceof JsonObject element)) {
                throw wrongKind(at, "an object", elements.get(i));
            }
            objects.add(new Fields(element, path(at)));
        }
        return objects;
    }

    /** A string, or an array of them; empty if it is missing. */
    public List<String> strings(String name, int max) {
        if (get(name) instanceof JsonString one) {
            return List.of(one.value());
        }
        List<String> strings = new ArrayList<>();
        for (Json element : array(name)) {
            if (!(element instanceof JsonString string)) {
                throw bad(name, path(name) + " must be a string or an array of strings");
            }
            strings.add(string.value());
        }
        if (strings.size() > max) {
            throw bad(name, path(name) + " has " + strings.size() + " elements, " + max + " are allowed");
        }
        return strings;
    }

    /** Refuses what would be wrong to ignore, unless it is null, false or empty. */
    public void refuse(String name, String why) {
        Json value = get(name);
        boolean harmless = value == null
                || value instanceof JsonBoolean bool && !bool.value()
                || value instanceof JsonArray array && array.size() == 0
                || value instanceof JsonString string && string.value().isEmpty();
        if (!harmless) {
            throw ApiException.badRequest(
                    path(name), "unsupported_parameter", path(name) + " is not supported: " + why);
        }
    }
}
