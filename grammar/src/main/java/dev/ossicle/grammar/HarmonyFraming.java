package dev.ossicle.grammar;

import dev.ossicle.engine.BitMask;
import dev.ossicle.engine.TokenMask;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.LinkedHashSet;
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
 * {@code [ to=R]<|channel|>C[ to=R][ TYPE]<|message|>} with the recipient in one place at most; then text; then
 * {@code <|call|>} if there is a recipient, {@code <|return|>} on the final channel, else {@code <|end|>} and the next
 * message. Text may hold every ordinary token and no control token, unless it has a grammar to obey: the answer on the
 * final channel and the arguments of each recipient may have one, reasoning and preambles have none.
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

    private static final int NEVER = Automaton.NEVER;

    /**
     * A state. In a header it has edges, from bytes (0 to 255) and control tokens (their id + 256), and nothing else may
     * come. In a message any ordinary token stays that its grammar, if it has one, allows, and the edges are the control
     * tokens that end it.
     */
    private static final class Node {
        final Map<Integer, Node> edges = new HashMap<>();
        final boolean inMessage;
        final @Nullable TokenGrammar content;

        /**
         * A number of tokens that is enough to complete everything from here: to an answer, where one can still come, else
         * to a call.
         */
        int cost = NEVER;

        /** What may come, found when it is first asked for, and the highest cost after it. */
        volatile @Nullable Allowed allowed;

        Node(boolean inMessage, @Nullable TokenGrammar content) {
            this.inMessage = inMessage;
            this.content = content;
        }
    }

    private record Allowed(BitMask mask, int worst) {}

    private final Tokenizer tokenizer;
    private final int vocabulary;
    private final TokenTrie trie;
    private final Node start;

    /** Nothing may come any more. */
    private final Node end = new Node(false, null);

    /**
     * Framing whose texts are free.
     *
     * @param vocabulary the model's rows
     * @param channels of the system message
     * @throws IllegalArgumentException if the tokenizer lacks a control token, or a name cannot stand in a header
     */
    public HarmonyFraming(
            Tokenizer tokenizer, TokenTrie trie, int vocabulary, List<String> channels, List<Recipient> recipients) {
        this(tokenizer, trie, vocabulary, channels, recipients, null, Map.of());
    }

    /**
     * The same with grammars to obey.
     *
     * @param answer for the final channel; null for free text
     * @param arguments for the text of a call, by the recipient's name; a call of any other is free text
     */
    public HarmonyFraming(
            Tokenizer tokenizer,
            TokenTrie trie,
            int vocabulary,
            List<String> channels,
            List<Recipient> recipients,
            @Nullable TokenGrammar answer,
            Map<String, TokenGrammar> arguments) {
        if (trie.vocabulary() != vocabulary) {
            throw new IllegalArgumentException(
                    "the trie is of " + trie.vocabulary() + " tokens, the model has " + vocabulary);
        }
        if (answer != null && answer.vocabulary() != vocabulary
                || arguments.values().stream().anyMatch(grammar -> grammar.vocabulary() != vocabulary)) {
            throw new IllegalArgumentException("a grammar is for another vocabulary than the model's " + vocabulary);
        }
        this.tokenizer = tokenizer;
        this.vocabulary = vocabulary;
        this.trie = trie;
        this.start = compile(channels, recipients, answer, arguments);
        findCosts();
    }

    private Node compile(
            List<String> channels,
            List<Recipient> recipients,
            @Nullable TokenGrammar answerGrammar,
            Map<String, TokenGrammar> arguments) {
        Node header = node();
        Node nextMessage = node();
        Node plain = message("<|end|>", nextMessage, null);
        Node answer = message("<|return|>", end, answerGrammar);
        Map<String, Node> calls = new HashMap<>();
        for (Recipient recipient : recipients) {
            calls.put(recipient.name(), message("<|call|>", end, arguments.get(recipient.name())));
        }
        for (String name : arguments.keySet()) {
            if (!calls.containsKey(name)) {
                throw new IllegalArgumentException("arguments of " + name + ", which is no recipient");
            }
        }

        Node channelFirst = edge(header, control("<|channel|>"));
        for (String channel : channels) {
            if (!WORD.matcher(channel).matches()) {
                throw new IllegalArgumentException(
                        "channel \"" + channel + "\" must be one word without white space, < and >");
            }
            Node afterChannel = node();
            afterChannel.edges.put(control("<|message|>"), channel.equals(FINAL) ? answer : plain);
            for (Recipient recipient : recipients) {
                if (recipient.channels().contains(channel)) {
                    addText(afterChannel, " to=" + recipient.name(), afterRecipient(recipient, calls));
                }
            }
            addText(channelFirst, channel, afterChannel);
        }
        for (Recipient recipient : recipients) {
            Node afterRecipient = node();
            Node channelSecond = edge(afterRecipient, control("<|channel|>"));
            for (String channel : channels) {
                if (recipient.channels().contains(channel)) {
                    addText(channelSecond, channel, afterRecipient(recipient, calls));
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
    private Node afterRecipient(Recipient recipient, Map<String, Node> calls) {
        Node call = calls.getOrDefault(recipient.name(), end);
        Node node = node();
        node.edges.put(control("<|message|>"), call);
        for (String type : recipient.contentTypes()) {
            Node beforeText = node();
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

    private static Node node() {
        return new Node(false, null);
    }

    private Node message(String terminator, Node next, @Nullable TokenGrammar content) {
        Node node = new Node(true, content);
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
        return from.edges.computeIfAbsent(symbol, s -> node());
    }

    /** Adds a path for the text's bytes; its last node takes over the edges of {@code then}. */
    private static void addText(Node from, String text, Node then) {
        Node node = from;
        for (byte value : text.getBytes(StandardCharsets.UTF_8)) {
            node = edge(node, value & 255);
        }
        node.edges.putAll(then.edges);
    }

    /** From above, first to answers only, then for those that lead to none. */
    private void findCosts() {
        Set<Node> nodes = new LinkedHashSet<>(List.of(start));
        ArrayDeque<Node> open = new ArrayDeque<>(nodes);
        while (!open.isEmpty()) {
            for (Node next : open.remove().edges.values()) {
                if (nodes.add(next)) {
                    open.add(next);
                }
            }
        }
        end.cost = 0;
        int answer = control("<|return|>");
        lower(nodes.stream()
                .filter(node -> !node.edges.containsValue(end) || node.edges.containsKey(answer))
                .toList());
        lower(nodes.stream().filter(node -> node.cost >= NEVER).toList());
    }

    private static void lower(List<Node> nodes) {
        boolean changed = true;
        while (changed) {
            changed = false;
            for (Node node : nodes.reversed()) {
                int content = node.content == null ? 0 : node.content.minTokens();
                for (Node next : node.edges.values()) {
                    int cost = Math.min(NEVER, 1 + next.cost + content);
                    if (cost < node.cost) {
                        node.cost = cost;
                        changed = true;
                    }
                }
            }
        }
    }

    /** A number of tokens that is enough for the shortest completion with an answer, or where there is none with a call. */
    public int minTokens() {
        return start.cost;
    }

    /** A mask at the beginning of a completion, for one generation that may be of any length. */
    public TokenMask newMask() {
        return newMask(TokenGrammar.UNLIMITED);
    }

    /**
     * The same with a budget: when it runs short, reasoning is ended, and the answer is begun and brought to its end in time.
     *
     * @param budget tokens that may be generated
     * @throws IllegalArgumentException if it is below {@link #minTokens}
     */
    public TokenMask newMask(int budget) {
        if (budget < start.cost) {
            throw new IllegalArgumentException("a budget of " + budget
                    + " tokens is too small: the shortest completion takes up to " + start.cost);
        }
        return new Mask(Math.min(budget, TokenGrammar.UNLIMITED));
    }

    private Allowed allowed(Node node) {
        Allowed known = node.allowed;
        if (known == null) {
            BitMask found = new BitMask(vocabulary);
            int worst = find(node, NEVER, found);
            known = new Allowed(found, worst);
            node.allowed = known;
        }
        return known;
    }

    /** Makes {@code out} the tokens after which {@code limit} more are enough; returns how many the worst needs. */
    private int find(Node node, int limit, BitMask out) {
        out.clearAll();
        int[] worst = {0};
        if (node.inMessage) {
            if (node.cost <= limit) {
                trie.all(out);
                worst[0] = node.cost;
            }
        } else {
            trie.walk(node, (state, value) -> state.edges.get(value), (token, state) -> {
                if (state.cost <= limit) {
                    out.set(token);
                    worst[0] = Math.max(worst[0], state.cost);
                }
            });
        }
        node.edges.forEach((symbol, next) -> {
            if (symbol >= 256 && symbol - 256 < vocabulary && next.cost <= limit) {
                out.set(symbol - 256);
                worst[0] = Math.max(worst[0], next.cost);
            }
        });
        return worst[0];
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

        /** In a message that has a grammar, the place in it. */
        private Automaton.@Nullable State content;

        private int budget;

        Mask(int budget) {
            this.budget = budget;
        }

        @Override
        public void allowed(BitMask out) {
            TokenGrammar grammar = node.content;
            if (grammar != null && content != null) {
                Node next = node.edges.values().iterator().next();
                grammar.allowed(content, budget - 1 - next.cost, out);
                if (content.complete) {
                    node.edges.keySet().forEach(symbol -> out.set(symbol - 256));
                }
                return;
            }
            Allowed known = HarmonyFraming.this.allowed(node);
            if (known.worst <= budget - 1) {
                out.copyFrom(known.mask);
            } else {
                find(node, budget - 1, out);
            }
        }

        @Override
        public void accept(int token) {
            TokenGrammar grammar = node.content;
            if (grammar != null && content != null && !tokenizer.isSpecial(token)) {
                content = grammar.after(content, token);
            } else {
                if (content != null && !content.complete) {
                    throw new IllegalArgumentException("token " + token + " was not allowed here");
                }
                node = after(node, token);
                content = node.content == null ? null : node.content.start();
            }
            if (budget < TokenGrammar.UNLIMITED) {
                budget--;
            }
        }

        @Override
        public boolean mayEnd() {
            return node == end;
        }
    }
}
