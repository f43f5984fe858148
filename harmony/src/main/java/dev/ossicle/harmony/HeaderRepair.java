package dev.ossicle.harmony;

import dev.ossicle.harmony.Repair.Kind;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes the best of a header that is not as Harmony has it, in one scan from the left: what can be explained becomes a
 * field, the rest is text.
 */
final class HeaderRepair {
    private static final List<String> CHANNELS = List.of(Message.ANALYSIS, Message.COMMENTARY, Message.FINAL);
    private static final Set<String> CONTENT_TYPES = Set.of("json", "code");

    private final String header;
    private final boolean complete; // <|message|> follows
    private final Set<Kind> kinds = EnumSet.noneOf(Kind.class);
    private int at;

    private @Nullable Role role;
    private boolean roleNamed; // in this header
    private @Nullable String name;
    private @Nullable String channel;
    private @Nullable String recipient;
    private @Nullable String contentType;

    private final StringBuilder text = new StringBuilder();
    private int textFrom = -1; // where in the header it begins; all that follows is text if the header is not complete
    private int words; // in the text

    private HeaderRepair(String header, @Nullable Role given, boolean complete) {
        this.header = header;
        this.complete = complete;
        role = given;
    }

    /**
     * What a header came to.
     *
     * @param text what of it is text
     * @param textFrom where in the header the text begins; -1 if there is none
     * @param words in the text
     */
    record Result(Header header, Set<Kind> kinds, String text, int textFrom, int words) {
        /** Whether the header says anything but a role. */
        boolean saysAnything() {
            return header.channel() != null || header.recipient() != null || header.contentType() != null;
        }
    }

    /** Reads a header up to its {@code <|message|>}. */
    static Result complete(String header, @Nullable Role given) {
        return new HeaderRepair(header, given, true).read();
    }

    /** Reads a header that has no {@code <|message|>}, or not yet. */
    static Result incomplete(String header, @Nullable Role given) {
        return new HeaderRepair(header, given, false).read();
    }

    /** Whether what OpenAI's library makes of a header can be meant: it takes any single word for a recipient. */
    static boolean isPlausible(Header.Reading reading) {
        Header header = reading.header();
        if (header == null) {
            return false;
        }
        String channel = header.channel();
        if (channel != null
                && !CHANNELS.contains(channel)
                && (!isWord(channel) || channel.startsWith("to=") || channelBefore(channel) != null)) {
            return false;
        }
        String recipient = header.recipient();
        if (recipient != null) {
            boolean bare = reading.bareRecipient();
            if (!isWord(recipient)
                    || (bare && !recipient.contains(".") && !recipient.equals("python"))
                    || isToItself(header.role(), recipient)) {
                return false;
            }
        }
        if (header.contentType() != null
                && !isWord(
                        header.contentType().startsWith(ControlTokens.CONSTRAIN)
                                ? header.contentType().substring(ControlTokens.CONSTRAIN.length())
                                : header.contentType())) {
            return false;
        }
        // An unknown first word is a tool's name only where the tool says to whom it speaks.
        String name = header.name();
        return name == null
                || name.equals(Role.TOOL.text())
                || (isWord(name)
                        && !name.startsWith("to=")
                        && roleBefore(name) == null
                        && channelBefore(name) == null
                        && recipient != null
                        && !reading.bareRecipient());
    }

    private static boolean isToItself(@Nullable Role role, @Nullable String recipient) {
        return role == Role.ASSISTANT && Role.ASSISTANT.text().equals(recipient);
    }

    private static boolean isWord(String text) {
        return !text.isEmpty() && wordEnd(text, 0) == text.length();
    }

    /** Behind the characters that names of functions, channels and content types are made of. */
    private static int wordEnd(String text, int from) {
        int end = from;
        while (end < text.length()) {
            char c = text.charAt(end);
            boolean letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            if (!letter && "_.-:/+=".indexOf(c) < 0) {
                break;
            }
            end++;
        }
        return end;
    }

    private Result read() {
        while (true) {
            int space = at;
            at = skipWhiteSpace(at);
            if (at == header.length()) {
                break;
            }
            if (textFrom >= 0 && !complete) {
                at = header.length();
                addText(space, at);
            } else if (header.startsWith(ControlTokens.CHANNEL, at)) {
                readChannel();
            } else if (header.startsWith(ControlTokens.CONSTRAIN, at)) {
                readConstrain();
            } else if (!readRole() && !readBareChannel() && !readRecipient() && !readToolName() && !readContentType()) {
                int end = partEnd(at);
                addText(space, end);
                at = end;
            }
        }
        if (role == null) {
            role = Role.ASSISTANT;
            kinds.add(Kind.MISSING_ROLE);
        }
        if (isToItself(role, recipient)) {
            recipient = null;
            kinds.add(Kind.SELF_RECIPIENT);
        }
        if (recipient == null && contentType != null) {
            kinds.add(Kind.BARE_CONTENT_TYPE);
        }
        return new Result(
                new Header(role, name, channel, recipient, contentType), kinds, text.toString(), textFrom, words);
    }

    private void addText(int space, int end) {
        if (textFrom < 0) {
            textFrom = at;
            space = skipWhiteSpace(space);
            kinds.add(Kind.TEXT_IN_HEADER);
        }
        text.append(header, space, end);
        for (int i = space; i < end; i++) {
            if (!Header.isWhiteSpace(header.charAt(i)) && (i + 1 == end || Header.isWhiteSpace(header.charAt(i + 1)))) {
                words++;
            }
        }
    }

    private int skipWhiteSpace(int from) {
        int to = from;
        while (to < header.length() && Header.isWhiteSpace(header.charAt(to))) {
            to++;
        }
        return to;
    }

    /** White space or a marker ends a part. */
    private int partEnd(int from) {
        int to = from + 1;
        while (to < header.length()
                && !Header.isWhiteSpace(header.charAt(to))
                && !header.startsWith(ControlTokens.CHANNEL, to)
                && !header.startsWith(ControlTokens.CONSTRAIN, to)) {
            to++;
        }
        return to;
    }

    private boolean nothingButRole() {
        return channel == null && recipient == null && contentType == null && textFrom < 0;
    }

    private void readChannel() {
        at += ControlTokens.CHANNEL.length();
        String value = header.substring(at, wordEnd(header, at));
        if (value.isEmpty() || value.startsWith("to=")) {
            kinds.add(Kind.EMPTY_CHANNEL);
            // A space may have slipped in before it.
            int next = skipWhiteSpace(at);
            String word = header.substring(next, wordEnd(header, next));
            if (next > at && CHANNELS.contains(word)) {
                setChannel(word);
                at = next + word.length();
            }
            return;
        }
        String known = channelBefore(value);
        if (known != null) {
            setChannel(known);
            at += known.length();
            readJoined(value.substring(known.length()));
        } else if (complete) {
            setChannel(value);
            at += value.length();
        } else {
            // No channel of ours, and no <|message|>: the first word of a text.
            kinds.add(Kind.EMPTY_CHANNEL);
        }
    }

    private void setChannel(String value) {
        if (channel != null) {
            kinds.add(Kind.REPEATED_CHANNEL);
        }
        if (channel == null || CHANNELS.contains(value)) {
            channel = value;
        }
    }

    /** The channel that a word begins with, if what follows in the word can be a word of its own; null if there is none. */
    private static @Nullable String channelBefore(String word) {
        for (String known : CHANNELS) {
            if (word.startsWith(known) && canBegin(word.substring(known.length()))) {
                return known;
            }
        }
        return null;
    }

    private static boolean canBegin(String rest) {
        return rest.isEmpty()
                || !Character.isLetter(rest.charAt(0))
                || Character.isUpperCase(rest.charAt(0))
                || rest.startsWith("to=")
                || CONTENT_TYPES.contains(rest)
                || roleBefore(rest) != null;
    }

    private static @Nullable Role roleBefore(String word) {
        for (Role known : Role.values()) {
            if (word.startsWith(known.text())) {
                String rest = word.substring(known.text().length());
                if (rest.isEmpty()
                        || rest.startsWith("to=")
                        || roleBefore(rest) != null
                        || channelBefore(rest) != null) {
                    return known;
                }
            }
        }
        return null;
    }

    private void readConstrain() {
        at += ControlTokens.CONSTRAIN.length();
        int from = complete ? skipWhiteSpace(at) : at;
        int to = wordEnd(header, from);
        if (contentType != null || from == to) {
            kinds.add(Kind.EMPTY_CONTENT_TYPE);
            return;
        }
        contentType = ControlTokens.CONSTRAIN + header.substring(from, to);
        at = to;
    }

    private boolean readRole() {
        if (!nothingButRole()) {
            return false;
        }
        String word = header.substring(at, partEnd(at));
        Role named = roleBefore(word);
        if (named == null || (role != null && role != named)) {
            return false;
        }
        if (roleNamed) {
            kinds.add(Kind.REPEATED_ROLE);
        }
        role = named;
        roleNamed = true;
        at += named.text().length();
        // A tool that does not say its name is called by its role.
        name = named == Role.TOOL ? named.text() : null;
        String rest = word.substring(named.text().length());
        if (channelBefore(rest) != null) {
            setJoinedChannel(rest);
        } else if (rest.startsWith("to=")) {
            kinds.add(Kind.JOINED_WORDS);
        }
        return true;
    }

    private boolean readBareChannel() {
        String word = header.substring(at, partEnd(at));
        // Without <|message|> a text may well begin with such a word.
        if (!complete || !nothingButRole() || channelBefore(word) == null) {
            return false;
        }
        setJoinedChannel(word);
        return true;
    }

    private void setJoinedChannel(String word) {
        String known = channelBefore(word);
        if (known != null) {
            kinds.add(Kind.MISSING_CHANNEL_MARKER);
            channel = known;
            at += known.length();
            readJoined(word.substring(known.length()));
        }
    }

    /** What follows a channel without a space. */
    private void readJoined(String rest) {
        if (!rest.isEmpty()) {
            kinds.add(Kind.JOINED_WORDS);
        }
        if (contentType == null && CONTENT_TYPES.contains(rest)) {
            contentType = rest;
            at += rest.length();
        }
    }

    private boolean readRecipient() {
        if (!header.startsWith("to=", at)) {
            return false;
        }
        int from = at + "to=".length();
        int to = wordEnd(header, from);
        if (from == to) {
            return false;
        }
        String value = header.substring(from, to);
        if (recipient != null) {
            kinds.add(Kind.REPEATED_RECIPIENT);
        }
        if (recipient == null || isToItself(role, recipient)) {
            recipient = value;
        }
        at = to;
        return true;
    }

    private boolean readToolName() {
        int end = partEnd(at);
        String word = header.substring(at, end);
        if (role != null || !nothingButRole() || !isWord(word) || !header.startsWith("to=", skipWhiteSpace(end))) {
            return false;
        }
        role = Role.TOOL;
        name = word;
        at = end;
        return true;
    }

    /** Only as the last word, or right before arguments. */
    private boolean readContentType() {
        if (contentType != null) {
            return false;
        }
        for (String known : CONTENT_TYPES) {
            if (header.startsWith(known, at)) {
                int end = at + known.length();
                int next = skipWhiteSpace(end);
                boolean last = next == header.length() && complete;
                boolean beforeArguments = next < header.length() && "{[".indexOf(header.charAt(next)) >= 0;
                if (last || (beforeArguments && recipient != null)) {
                    contentType = known;
                    at = end;
                    return true;
                }
            }
        }
        return false;
    }
}
