package dev.ossicle.checkpoint;

import dev.ossicle.json.Json;
import dev.ossicle.json.JsonArray;
import dev.ossicle.json.JsonBoolean;
import dev.ossicle.json.JsonException;
import dev.ossicle.json.JsonNumber;
import dev.ossicle.json.JsonObject;
import dev.ossicle.json.JsonString;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The members of an object in a JSON file, with errors that name the file and the member. A null counts as absent.
 *
 * @param prefix path of the object in the file, with a dot at its end; empty for the outermost
 */
record JsonMembers(Path file, JsonObject object, String prefix) {
    /** Far above any configuration or index, far below what hurts. */
    private static final int LONGEST = 4 << 20;

    static JsonMembers read(Path file) {
        if (!Files.isRegularFile(file)) {
            throw new CheckpointException(file, MappedFile.whyNoFile(file));
        }
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(LONGEST + 1);
        } catch (IOException e) {
            throw new CheckpointException(file, "cannot be read: " + MappedFile.reason(e), e);
        }
        if (bytes.length > LONGEST) {
            throw new CheckpointException(file, "is longer than " + LONGEST + " bytes, too long for what it should be");
        }
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            return parse(file, text, "");
        } catch (CharacterCodingException e) {
            throw new CheckpointException(file, "is not UTF-8", e);
        }
    }

    static JsonMembers parse(Path file, String text, String what) {
        Json json;
        try {
            json = Json.parse(text);
        } catch (JsonException e) {
            throw new CheckpointException(file, what + "is not JSON: " + e.getMessage(), e);
        }
        if (!(json instanceof JsonObject object)) {
            throw new CheckpointException(file, what + "is " + json.kind() + ", expected an object");
        }
        return new JsonMembers(file, object, "");
    }

    boolean has(String name) {
        return object.present(name) != null;
    }

    int integer(String name) {
        return number(name, required(name, "an integer"));
    }

    /** The first of these members that there is. */
    int integer(String name, String otherName) {
        return integer(has(name) || !has(otherName) ? name : otherName);
    }

    double number(String name) {
        return asNumber(name, required(name, "a number")).doubleValue();
    }

    double number(String name, double otherwise) {
        return has(name) ? number(name) : otherwise;
    }

    Optional<String> string(String name) {
        Json value = object.present(name);
        if (value == null) {
            return Optional.empty();
        }
        if (value instanceof JsonString string) {
            return Optional.of(string.value());
        }
        throw wrong(name, value, "a string");
    }

    boolean flag(String name, boolean otherwise) {
        Json value = object.present(name);
        if (value == null) {
            return otherwise;
        }
        if (value instanceof JsonBoolean flag) {
            return flag.value();
        }
        throw wrong(name, value, "true or false");
    }

    Optional<JsonMembers> members(String name) {
        Json value = object.present(name);
        if (value == null) {
            return Optional.empty();
        }
        if (value instanceof JsonObject members) {
            return Optional.of(new JsonMembers(file, members, prefix + name + "."));
        }
        throw wrong(name, value, "an object");
    }

    Optional<List<String>> strings(String name) {
        Json value = object.present(name);
        if (value == null) {
            return Optional.empty();
        }
        if (!(value instanceof JsonArray array)) {
            throw wrong(name, value, "an array of strings");
        }
        List<String> strings = new ArrayList<>();
        for (Json element : array.elements()) {
            if (!(element instanceof JsonString string)) {
                throw wrong(name, value, "an array of strings");
            }
            strings.add(string.value());
        }
        return Optional.of(strings);
    }

    /** One integer, several in an array, or none. */
    List<Integer> integers(String name) {
        Json value = object.present(name);
        if (value == null) {
            return List.of();
        }
        if (value instanceof JsonArray array) {
            return array.elements().stream()
                    .map(element -> number(name, element))
                    .toList();
        }
        return List.of(number(name, value));
    }

    CheckpointException wrong(String name, @Nullable Json value, String expected) {
        String found = value == null ? "missing" : value.toString();
        found = found.length() <= 80 ? found : found.substring(0, 80) + "...";
        return new CheckpointException(file, prefix + name + " is " + found + ", expected " + expected);
    }

    private Json required(String name, String expected) {
        Json value = object.present(name);
        if (value == null) {
            throw wrong(name, null, expected);
        }
        return value;
    }

    private JsonNumber asNumber(String name, Json value) {
        if (value instanceof JsonNumber number) {
            return number;
        }
        throw wrong(name, value, "a number");
    }

    private int number(String name, Json value) {
        try {
            return asNumber(name, value).intValueExact();
        } catch (ArithmeticException e) {
            throw wrong(name, value, "an integer of 32 bits");
        }
    }
}
