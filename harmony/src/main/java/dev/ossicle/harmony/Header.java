package dev.ossicle.harmony;

import dev.ossicle.json.JsonObject;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What stands between {@code <|start|>} and {@code <|message|>}. */
record Header(
        Role role,
        @Nullable String name,
        @Nullable String channel,
        @Nullable String recipient,
        @Nullable String contentType) {

    Message message(String text) {
        return new Message(role, name, recipient, List.of(new TextContent(text)), channel, contentType);
    }

    JsonObject toJson() {
        JsonObject.Builder author = JsonObject.builder().put("role", role.text());
        if (name != null) {
            author.put("name", name);
        }
        JsonObject.Builder json = JsonObject.builder().put("author", author.build());
        if (recipient != null) {
            json.put("recipient", recipient);
        }
        if (channel != null) {
            json.put("channel", channel);
        }
        if (contentType != null) {
            json.put("content_type", contentType);
        }
        return json.build();
    }

    /**
     * What reading a header's text came to.
     *
     * @param header null if there is a problem
     * @param text what of the header is the message's text; empty except in lenient reading
     * @param bareRecipient whether the recipient had no {@code to=} before it
     */
    record Reading(
            @Nullable Header header,
            String text,
            boolean bareRecipient,
            @Nullable String problem) {
        private static Reading failed(String problem) {
            return new Reading(null, "", false, problem);
        }
    }

    /**
     * Reads the text of a header as OpenAI's library does.
     *
     * @param given the role that was settled before; null if the header must name it
     * @param lenient whether whatever follows the role is the message's text
     */
    static Reading read(String header, @Nullable Role given, boolean lenient) {
        String rest = header;
        String channel = null;
        int marker = rest.indexOf(ControlTokens.CHANNEL);
        if (marker >= 0) {
            int from = marker + ControlTokens.CHANNEL.length();
            int to = from;
            while (to < rest.length() && rest.charAt(to) != '<' && !isWhiteSpace(rest.charAt(to))) {
                to++;
            }
            if (from == to) {
                return Reading.failed("channel marker present but no channel value found in header");
            }
            channel = rest.substring(from, to);
            rest = rest.substring(0, marker) + rest.substring(to);
        }
        List<String> parts = parts(rest);
        Role role = given;
        String name = null;
        if (role == null) {
            if (parts.isEmpty()) {
                return Reading.failed("message header did not contain a role");
            }
            String word = parts.getFirst();
            role = Role.of(word);
            if (role == null) {
                if (parts.size() == 1 && !word.startsWith("to=")) {
                    return Reading.failed("Unknown role: " + word);
                }
                parts.removeFirst();
                role = Role.TOOL;
            }
            name = role == Role.TOOL ? word : null;
        }
        if (!parts.isEmpty() && parts.getFirst().equals(role.text())) {
            parts.removeFirst();
        }
        if (lenient) {
            return new Reading(new Header(role, name, channel, null, null), String.join(" ", parts), false, null);
        }
        String recipient = null;
        String contentType = null;
        if (!parts.isEmpty()) {
            String last = parts.removeLast();
            if (last.startsWith("to=") || parts.isEmpty()) {
                recipient = last;
            } else {
                contentType = last;
                recipient = parts.removeLast();
            }
        }
        if (!parts.isEmpty()) {
            return Reading.failed(
                    "unexpected tokens remaining in message header: Some(\"" + String.join(" ", parts) + "\")");
        }
        boolean addressed = recipient == null || recipient.startsWith("to=");
        if (recipient != null && addressed) {
            recipient = recipient.substring("to=".length());
        }
        return new Reading(new Header(role, name, channel, recipient, contentType), "", !addressed, null);
    }

    /** Splits on ASCII white space; a constrain marker begins a part. */
    private static List<String> parts(String text) {
        String trimmed = trim(trim(text).replace(ControlTokens.CONSTRAIN, " " + ControlTokens.CONSTRAIN));
        List<String> parts = new ArrayList<>(Arrays.asList(trimmed.split("[ \\t\\n\\f\\r]+")));
        parts.removeIf(String::isEmpty);
        return parts;
    }

    private static String trim(String text) {
        int from = 0;
        int to = text.length();
        while (from < to && isWhiteSpace(text.charAt(from))) {
            from++;
        }
        while (from < to && isWhiteSpace(text.charAt(to - 1))) {
            to--;
        }
        return text.substring(from, to);
    }

    /** Unicode's White_Space. */
    static boolean isWhiteSpace(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r') || c == '\u0085' || Character.isSpaceChar(c);
    }
}
