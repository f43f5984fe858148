package dev.ossicle.json;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** RFC 8259, strictly: no comments, no trailing commas, nothing after the value. */
final class JsonReader {
    /** As deep as serde_json goes by default, so that both accept the same texts; the stack is safe with it. */
    static final int MAX_DEPTH = 128;

    private final String text;
    private int at;
    private int depth;

    JsonReader(String text) {
        this.text = text;
    }

    Json readDocument() {
        Json value = readValue();
        skipWhiteSpace();
        if (at < text.length()) {
            throw fail("unexpected " + here() + " after the value");
        }
        return value;
    }

    private Json readValue() {
        skipWhiteSpace();
        if (at == text.length()) {
            throw fail("unexpected end of text");
        }
        return switch (text.charAt(at)) {
            case '{' -> readObject();
            case '[' -> readArray();
            case '"' -> new JsonString(readString());
            case 't' -> readWord("true", JsonBoolean.TRUE);
            case 'f' -> readWord("false", JsonBoolean.FALSE);
            case 'n' -> readWord("null", JsonNull.NULL);
            case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9' -> readNumber();
            default -> throw fail("unexpected " + here());
        };
    }

    private JsonObject readObject() {
        enter();
        Map<String, Json> members = new LinkedHashMap<>();
        if (!tryEnd('}')) {
            do {
                skipWhiteSpace();
                if (at == text.length() || text.charAt(at) != '"') {
                    throw fail("expected a member name in quotes, found " + here());
                }
                String name = readString();
                skipWhiteSpace();
                expect(':');
                members.put(name, readValue());
            } while (more('}'));
        }
        depth--;
        return new JsonObject(members);
    }

    private JsonArray readArray() {
        enter();
        List<Json> elements = new ArrayList<>();
        if (!tryEnd(']')) {
            do {
                elements.add(readValue());
            } while (more(']'));
        }
        depth--;
        return new JsonArray(elements);
    }

    private void enter() {
        if (++depth > MAX_DEPTH) {
            throw fail("nested deeper than " + MAX_DEPTH);
        }
        at++;
    }

    private boolean tryEnd(char end) {
        skipWhiteSpace();
        if (at < text.length() && text.charAt(at) == end) {
            at++;
            return true;
        }
        return false;
    }

    private boolean more(char end) {
        if (tryEnd(end)) {
            return false;
        }
        if (at == text.length() || text.charAt(at) != ',') {
            throw fail("expected ',' or '" + end + "', found " + here());
        }
        at++;
        return true;
    }

    private Json readWord(String word, Json value) {
        if (!text.startsWith(word, at)) {
            throw fail("unexpected " + here());
        }
        at += word.length();
        return value;
    }

    private JsonNumber readNumber() {
        int start = at;
        if (text.charAt(at) == '-') {
            at++;
        }
        if (at < text.length() && text.charAt(at) == '0') {
            at++;
        } else {
            digits();
        }
        if (at < text.length() && text.charAt(at) == '.') {
            at++;
            digits();
        }
        if (at < text.length() && (text.charAt(at) == 'e' || text.charAt(at) == 'E')) {
            at++;
            if (at < text.length() && (text.charAt(at) == '+' || text.charAt(at) == '-')) {
                at++;
            }
            digits();
        }
        return new JsonNumber(text.substring(start, at));
    }

    private void digits() {
        int start = at;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            at++;
        }
        if (at == start) {
            throw fail("expected a digit, found " + here());
        }
    }

    private String readString() {
        int start = ++at;
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '"') {
                return text.substring(start, at++);
            }
            if (c == '\\') {
                return readEscapedString(start);
            }
            checkStringChar(c);
            at++;
        }
        throw fail("string without end");
    }

    private String readEscapedString(int start) {
        StringBuilder value = new StringBuilder(text.substring(start, at));
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == '"') {
                return value.toString();
            }
            if (c == '\\') {
                value.append(readEscape());
            } else {
                at--;
                checkStringChar(c);
                at++;
                value.append(c);
            }
        }
        throw fail("string without end");
    }

    private void checkStringChar(char c) {
        if (c < ' ') {
            throw fail("control character " + here() + " must be escaped in a string");
        }
    }

    private char readEscape() {
        if (at == text.length()) {
            throw fail("string without end");
        }
        char c = text.charAt(at++);
        return switch (c) {
            case '"', '\\', '/' -> c;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> {
                int code = 0;
                for (int i = 0; i < 4; i++) {
                    int digit = at < text.length() ? hexDigit(text.charAt(at)) : -1;
                    if (digit < 0) {
                        throw fail("expected four hexadecimal digits after \\u");
                    }
                    code = code << 4 | digit;
                    at++;
                }
                yield (char) code;
            }
            default -> {
                at -= 2;
                throw fail("unknown escape \\" + c);
            }
        };
    }

    private static int hexDigit(char c) {
        // Character.digit would take other scripts' digits too.
        return c < 128 ? Character.digit(c, 16) : -1;
    }

    private void expect(char c) {
        if (at == text.length() || text.charAt(at) != c) {
            throw fail("expected '" + c + "', found " + here());
        }
        at++;
    }

    private void skipWhiteSpace() {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
                return;
            }
            at++;
        }
    }

    private String here() {
        if (at == text.length()) {
            return "the end of the text";
        }
        char c = text.charAt(at);
        return c > ' ' && c < 127 ? "'" + c + "'" : String.format("U+%04X", (int) c);
    }

    private JsonException fail(String message) {
        return new JsonException(message, at);
    }
}
