package dev.ossicle.grammar;

import dev.ossicle.engine.BitMask;
import dev.ossicle.engine.TokenMask;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The framing of a Harmony completion as an automaton: with its mask on, the model cannot write a header that does not
 * parse, name a channel or a recipient that this request does not have, or end without an answer or a call.
 *
 * <p>The completion goes on after {@code <|start|>assistant}. A header is
 * {@code [ to=R]<|channel|>C[ to=R][ TYPE]<|message|>} with the recipient in one place at most; then free text; then
 * {@code <|call|>} if there is a recipient, {@code <|return|>} on the final channel, else {@code <|end|>} and the next
 * message. Free text may hold every ordinary token and no control token.
 *
 * <p>Immutable and thread-safe: compiled once for a request, {@link #newMask} gives one generation its own place in it.
 */
public final class HarmonyFraming {
    private static final String FINAL = "final";
    private static final Pattern WORD = Pattern.compile("[^\\s<>]+");

    /**
     * Who can be called.
     *
     * @param name {@code functions.get_weather}, {@code python}
     * @param channels on which; the final channel takes no calls
     * @param contentTypes that the header may name: {@code json} also with {@code <|constrain|>} before it
     */
    public record Recipient(String name, Set<String> channels, Set<String> contentTypes) {
        public Recipient {
            if (!WORD.matcher(name).matches()) {
                throw new IllegalArgumentException(
                        "recipient \"" + name + "\" must be one word without white space, < and >");
            }
            if (channels.contains(FINAL)) {
                throw new IllegalArgumentException("recipient " + name + ": the final channel takes no calls");
            }
            channels = Set.copyOf(channels);
            contentTypes = Set.copyOf(contentTypes);
        }

        /** A function of the developer's: called on the commentary channel with JSON. */
        public static Recipient function(String name) {
            return new Recipient("functions." + name, Set.of("commentary"), Set.of("json"));
        }

        /** A built-in tool: called on the analysis channel, in the model's habit also on commentary. */
        public static Recipient builtIn(String name) {
            return new Recipient(name, Set.of("analysis", "commentary"), Set.of("code", "json"));
        }
    }

    /**
     * A state. In a header it has edges, from bytes (0 to 255) and control tokens (their id + 256), and nothing else may
     * come. In a message any ordinary token stays, and the edges are the control tokens that end it.
     */
    private static final class Node {
        final Map<Integer, Node> edges = new HashMap<>();
        final boolean inMessage;
        /** What may come, found when it is first asked for. */
        volatile @Nullable BitMask allowed;

        Node(boolean inMessage) {
            this.inMessage = inMessage;
        }
    }

    private final Tokenizer tokenizer;
    private final int vocabulary;
    private final TokenTrie trie;
    private final Node start;

    /** Nothing may come any more. */
    private final Node end = new Node(false);

    /**
     * @param vocabulary the model's rows
     * @param channels of the system message
     * @throws IllegalArgumentException if the tokenizer lacks a control token, or a name cannot stand in a header
     */
    public HarmonyFraming(
            Tokenizer tokenizer, TokenTrie trie, int vocabulary, List<String> channels, List<Recipient> recipients) {
        this.tokenizer = tokenizer;
        this.trie = trie;
        this.vocabulary = vocabulary;
        this.start = compile(channels, recipients);
    }

    private Node compile(List<String> channels, List<Recipient> recipients) {
        Node header = new Node(false);
        Node nextMessage = new Node(false);
        Node call = message("<|call|>", end);
        Node plain = message("<|end|>", nextMessage);
        Node answer = message("<|return|>", end);

        Node channelFirst = edge(header, control("<|channel|>"));
        for (String channel : channels) {
            if (!WORD.matcher(channel).matches()) {
                throw new IllegalArgumentException(
                        "channel \"" + channel + "\" must be one word without white space, < and >");
            }
            Node afterChannel = new Node(false);
            afterChannel.edges.put(control("<|message|>"), channel.equals(FINAL) ? answer : plain);
            for (Recipient recipient : recipients) {
                if (recipient.channels().contains(channel)) {
                    addText(afterChannel, " to=" + recipient.name(), afterRecipient(recipient, call));
                }
            }
            addText(channelFirst, channel, afterChannel);
        }
        for (Recipient recipient : recipients) {
            Node afterRecipient = new Node(false);
            Node channelSecond = edge(afterRecipient, control("<|channel|>"));
            for (String channel : channels) {
                if (recipient.channels().contains(channel)) {
                    addText(channelSecond, channel, afterRecipient(recipient, call));
                }
            }
            if (!channelSecond.edges.isEmpty()) {
                addText(header, " to=" + recipient.name(), afterRecipient);
            }
        }
        addText(edge(nextMessage, control("<|start|>")), "assistant", header); // complete by now: its edges are copied
        return header;
    }

    /** Optionally a content type, then the text of the call. */
    private Node afterRecipient(Recipient recipient, Node call) {
        Node node = new Node(false);
        node.edges.put(control("<|message|>"), call);
        for (String type : recipient.contentTypes()) {
            Node beforeText = new Node(false);
            beforeText.edges.put(control("<|message|>"), call);
            addText(node, " " + type, beforeText);
            if (type.equals("json")) {
                Node constrained = edge(node, control("<|constrain|>"));
                addText(constrained, type, beforeText);
                edge(node, ' ').edges.put(control("<|constrain|>"), constrained);
            }
        }
        return node;
    }

    private Node message(String terminator, Node next) {
        Node node = new Node(true);
        node.edges.put(control(terminator), next);
        return node;
    }

    private int control(String name) {
        return 256
                + tokenizer
                        .special(name)
                        .orElseThrow(() -> new IllegalArgumentException(
                                "the tokenizer has no control token " + name + ": not a Harmony tokenizer"));
    }

    private static Node edge(Node from, int symbol) {
        return from.edges.computeIfAbsent(symbol, s -> new Node(false));
    }

    /** Adds a path for the text's bytes; its last node takes over the edges of {@code then}. */
    private static void addText(Node from, String text, Node then) {
        Node node = from;
        for (byte value : text.getBytes(StandardCharsets.UTF_8)) {
            node = edge(node, value & 255);
        }
        node.edges.putAll(then.edges);
    }

    /** A mask at the beginning of a completion, for one generation. */
    public TokenMask newMask() {
        return new Mask();
    }

    private BitMask allowed(Node node) {
        BitMask mask = node.allowed;
        if (mask == null) {
            BitMask found = new BitMask(vocabulary);
            if (node.inMessage) {
                trie.all(found::set);
            } else {
                trie.walk(node, (state, value) -> state.edges.get(value), found::set);
            }
            for (int symbol : node.edges.keySet()) {
                if (symbol >= 256 && symbol - 256 < vocabulary) {
                    found.set(symbol - 256);
                }
            }
            node.allowed = found;
            mask = found;
        }
        return mask;
    }

    private Node after(Node node, int token) {
        if (tokenizer.isSpecial(token)) {
            return next(node, token + 256, token);
        }
        if (node.inMessage) {
            return node;
        }
        Node result = node;
        for (byte value : tokenizer.tokenBytes(token)) {
            result = next(result, value & 255, token);
        }
        return result;
    }

    private static Node next(Node node, int symbol, int token) {
        Node next = node.edges.get(symbol);
        if (next == null) {
            throw new IllegalArgumentException("token " + token + " was not allowed here");
        }
        return next;
    }

    private final class Mask implements TokenMask {
        private Node node = start;

        @Override
        public void allowed(BitMask out) {
            out.copyFrom(HarmonyFraming.this.allowed(node));
        }

        @Override
        public void accept(int token) {
            node = after(node, token);
        }

        @Override
        public boolean mayEnd() {
            return node == end;
        }
    }
}
