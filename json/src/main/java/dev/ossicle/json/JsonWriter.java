package dev.ossicle.json;

/** Compact JSON: no white space, non-ASCII as it is, the short escapes where JSON has one. */
final class JsonWriter {
    private JsonWriter() {}

    static String write(Json value) {
        StringBuilder out = new StringBuilder();
        write(value, out);
        return out.toString();
    }

    private static void write(Json value, StringBuilder out) {
        switch (value) {
            case JsonObject object -> {
                char separator = '{';
                for (var member : object.members().entrySet()) {
                    out.append(separator);
                    writeString(member.getKey(), out);
                    out.append(':');
                    write(member.getValue(), out);
                    separator = ',';
                }
                out.append(separator == '{' ? "{}" : "}");
            }
            case JsonArray array -> {
                char separator = '[';
                for (Json element : array.elements()) {
                    out.append(separator);
                    write(element, out);
                    separator = ',';
                }
                out.append(separator == '[' ? "[]" : "]");
            }
            case JsonString string -> writeString(string.value(), out);
            case JsonNumber number -> out.append(number.text());
            case JsonBoolean bool -> out.append(bool.value());
            case JsonNull ignored -> out.append("null");
        }
    }

    private static void writeString(String value, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> {
                    // An unpaired surrogate has no UTF-8 form: only its escape survives the trip.
                    if (c < ' ' || (Character.isSurrogate(c) && !isPaired(value, i))) {
                        out.append(String.format("\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }

    private static boolean isPaired(String value, int i) {
        return Character.isHighSurrogate(value.charAt(i))
                ? i + 1 < value.length() && Character.isLowSurrogate(value.charAt(i + 1))
                : i > 0 && Character.isHighSurrogate(value.charAt(i - 1));
    }
}
