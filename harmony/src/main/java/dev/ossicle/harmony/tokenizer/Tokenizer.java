package dev.ossicle.harmony.tokenizer;

import static java.util.Objects.requireNonNull;

import dev.ossicle.harmony.internal.IntList;
import dev.ossicle.harmony.internal.Utf8;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A byte-level byte-pair encoding: text to token ids and back. Immutable and safe for use by many threads.
 *
 * <p>Special tokens have names, such as {@code <|start|>}, which are also the literals that stand for them in a text.
 * {@link #encodeOrdinary} never makes one, so that what a user wrote can never turn into a control token.
 *
 * <pre>{@code
 * Tokenizer tokenizer = Tokenizer.o200kHarmony();
 * int[] tokens = tokenizer.encodeOrdinary("Hello, world");
 * String text = tokenizer.decode(tokens);
 * int start = tokenizer.special("<|start|>").orElseThrow();
 * }</pre>
 */
public final class Tokenizer {
    private final Vocabulary vocabulary;
    private final MergeRule rule;
    private final boolean wholePieces;
    private final Splitter splitter;
    private final SpecialTokens special;
    private final int[] byteTokens = new int[256];
    private final byte @Nullable [] whole; // see BytePairEncoder

    Tokenizer(Vocabulary vocabulary, MergeRule rule, boolean wholePieces, Splitter splitter, SpecialTokens special) {
        this.vocabulary = vocabulary;
        this.rule = rule;
        this.wholePieces = wholePieces;
        this.splitter = splitter;
        this.special = special;
        for (int b = 0; b < byteTokens.length; b++) {
            byteTokens[b] = vocabulary.find(Arrays.copyOf(new byte[] {(byte) b}, 1 + Vocabulary.PADDING), 0, 1);
        }
        whole = wholePieces ? null : new byte[vocabulary.size()];
    }

    /** The encoding of OpenAI's gpt-oss models. Loaded once, when it is first asked for. */
    public static Tokenizer o200kHarmony() {
        return O200k.TOKENIZER;
    }

    /**
     * Reads Hugging Face's {@code tokenizer.json}. Its added tokens become special tokens; what it would put around a
     * whole text (its post-processor) is left to the caller.
     *
     * @throws TokenizerException if it is broken, or asks for anything but byte-level byte-pair encoding
     */
    public static Tokenizer fromTokenizerJson(Path file) throws IOException {
        return TokenizerJson.read(Files.readString(file), file.toString());
    }

    /** The same from the file's text. */
    public static Tokenizer fromTokenizerJson(String json) {
        return TokenizerJson.read(json, "tokenizer.json");
    }

    /**
     * Takes the vocabulary of a GGUF file, split by o200k's pattern.
     *
     * @param tokens {@code tokenizer.ggml.tokens}, by id: ordinary ones in byte-to-unicode form, others literally
     * @param types {@code tokenizer.ggml.token_type}: 1 ordinary, 3 control, 4 user defined, 5 unused
     * @param merges {@code tokenizer.ggml.merges}; where there are none, the lowest id merges first
     */
    public static Tokenizer fromGguf(List<String> tokens, int[] types, List<String> merges) {
        return GgufVocabulary.read(tokens, types, merges);
    }

    /** Starts a tokenizer from single tokens. */
    public static Builder builder() {
        return new Builder();
    }

    /** Encodes a text in which no literal stands for a special token. An unpaired surrogate counts as U+FFFD. */
    public int[] encodeOrdinary(String text) {
        IntList out = new IntList(text.length() / 4);
        encodeOrdinary(text, out);
        return out.toArray();
    }

    private void encodeOrdinary(String text, IntList out) {
        byte[] utf8 = Utf8.encode(text, Vocabulary.PADDING);
        splitter.split(
                utf8,
                utf8.length - Vocabulary.PADDING,
                new BytePairEncoder(vocabulary, rule, byteTokens, whole, utf8, out));
    }

    /**
     * Encodes a text in which the literals of these special tokens stand for them.
     *
     * @throws TokenizerException if the text holds the literal of another special token
     */
    public int[] encode(String text, Set<String> allowedSpecial) {
        return encode(text, allowedSpecial, special.ids().keySet());
    }

    /**
     * The same, where only some special tokens are refused.
     *
     * @param disallowedSpecial what may not occur in the text, unless it is allowed; the literals of special tokens
     *     in neither set are ordinary text
     */
    public int[] encode(String text, Set<String> allowedSpecial, Set<String> disallowedSpecial) {
        for (String name : allowedSpecial) {
            if (!special.ids().containsKey(name)) {
                throw new TokenizerException("no special token is named " + name);
            }
        }
        IntList out = new IntList(text.length() / 4);
        int done = 0;
        int from = 0;
        while (true) {
            SpecialTokens.Occurrence found = special.next(text, from);
            if (found == null) {
                encodeOrdinary(text.substring(done), out);
                return out.toArray();
            }
            from = found.end();
            if (allowedSpecial.contains(found.name())) {
                encodeOrdinary(text.substring(done, found.at()), out);
                out.add(found.id());
                done = from;
            } else if (disallowedSpecial.contains(found.name())) {
                throw new TokenizerException("Encountered text corresponding to disallowed special token '"
                        + found.name() + "'. At offset " + found.at()
                        + ": allow it if it stands for the token, or encode the text as ordinary text.");
            }
        }
    }

    /**
     * The bytes of the tokens; special tokens are their literals.
     *
     * @throws TokenizerException if there is no such token
     */
    public byte[] decodeBytes(int... tokens) {
        long length = 0;
        for (int token : tokens) {
            check(token);
            length += vocabulary.length(token);
        }
        byte[] bytes = new byte[Math.toIntExact(length)];
        int at = 0;
        for (int token : tokens) {
            vocabulary.copy(token, bytes, at);
            at += vocabulary.length(token);
        }
        return bytes;
    }

    /**
     * The text of the tokens.
     *
     * @throws TokenizerException if there is no such token or their bytes are not UTF-8
     */
    public String decodeUtf8(int... tokens) {
        byte[] bytes;
        try {
            bytes = decodeBytes(tokens);
        } catch (TokenizerException e) {
            throw new TokenizerException("Could not decode tokens: Invalid token error: " + e.getMessage(), e);
        }
        String problem = Utf8.problem(bytes);
        if (problem != null) {
            throw new TokenizerException("Could not decode tokens: Invalid utf-8 sequence: " + problem);
        }
        return Utf8.decodeLossy(bytes, 0, bytes.length);
    }

    /**
     * The text of the tokens, with U+FFFD in place of bytes that are not UTF-8.
     *
     * @throws TokenizerException if there is no such token
     */
    public String decode(int... tokens) {
        byte[] bytes = decodeBytes(tokens);
        return Utf8.decodeLossy(bytes, 0, bytes.length);
    }

    /**
     * The bytes of one token.
     *
     * @throws TokenizerException if there is no such token
     */
    public byte[] tokenBytes(int token) {
        check(token);
        return vocabulary.bytes(token);
    }

    private void check(int token) {
        if (!vocabulary.has(token)) {
            throw new TokenizerException("Invalid token for decoding: " + token);
        }
    }

    /** Whether some token has this id: a vocabulary may have gaps. */
    public boolean hasToken(int token) {
        return vocabulary.has(token);
    }

    /** The id of the special token of that name. */
    public OptionalInt special(String name) {
        Integer id = special.ids().get(requireNonNull(name, "name is null"));
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    public boolean isSpecial(int token) {
        return special.contains(token);
    }

    /** The names of the special tokens. */
    public Set<String> specialNames() {
        return special.ids().keySet();
    }

    /**
     * One more than the highest id. A model may have fewer or more rows: gpt-oss has 201 088, and o200k_harmony names
     * one id more.
     */
    public int vocabularySize() {
        return vocabulary.size();
    }

    /** The regular expression that cuts a text into the pieces that are merged one by one. */
    public String splitPattern() {
        return splitter.pattern();
    }

    /**
     * Writes Hugging Face's {@code tokenizer.json}. Where tokens merge by their ids, every split of a token into two
     * others becomes a merge.
     */
    public String toTokenizerJson() {
        return TokenizerJson.write(this);
    }

    Vocabulary vocabulary() {
        return vocabulary;
    }

    MergeRule rule() {
        return rule;
    }

    boolean wholePieces() {
        return wholePieces;
    }

    SpecialTokens special() {
        return special;
    }

    /** Collects a vocabulary. Not thread-safe. */
    public static final class Builder {
        /** Far above any vocabulary; keeps a broken file from claiming all memory. */
        private static final int MAX_ID = 1 << 24;

        private final List<byte @Nullable []> tokens = new ArrayList<>();
        private final SpecialTokens.Builder special = new SpecialTokens.Builder();
        private final List<int[]> merges = new ArrayList<>();
        private boolean wholePieces;
        private Splitter splitter = new O200kSplitter();

        private Builder() {}

        /** An ordinary token. */
        public Builder token(int id, byte[] bytes) {
            if (bytes.length == 0) {
                throw new TokenizerException("token " + id + " has no bytes");
            }
            put(id, bytes.clone());
            return this;
        }

        /** A special token; it takes the place of an ordinary one of the same id and bytes. */
        public Builder special(String name, int id) {
            byte[] literal = Utf8.encode(name, 0);
            if (id >= 0 && id < tokens.size() && Arrays.equals(tokens.get(id), literal)) {
                tokens.set(id, null);
            }
            special.add(name, id);
            put(id, literal);
            return this;
        }

        private void put(int id, byte[] bytes) {
            if (id < 0 || id >= MAX_ID) {
                throw new TokenizerException("token id " + id + " is out of range, expected 0 to " + (MAX_ID - 1));
            }
            while (tokens.size() <= id) {
                tokens.add(null);
            }
            byte[] other = tokens.set(id, bytes);
            if (other != null && !Arrays.equals(other, bytes)) {
                throw new TokenizerException("two tokens have the id " + id);
            }
        }

        /**
         * The next pair of tokens that may merge, in order of priority; both and what they make must be tokens.
         * Without any merges, whatever makes a token merges, the lowest id first.
         */
        public Builder merge(int left, int right) {
            merges.add(new int[] {left, right});
            return this;
        }

        /** Whether a piece that is a token becomes that token even where merges would not; it always does without merges. */
        public Builder wholePieces(boolean wholePieces) {
            this.wholePieces = wholePieces;
            return this;
        }

        /** o200k's unless set. Text that the pattern does not match makes pieces too. */
        public Builder splitPattern(String pattern) {
            splitter = Splitter.of(pattern);
            return this;
        }

        /**
         * The tokenizer.
         *
         * @throws TokenizerException if two tokens have the same bytes, or a merge makes no token */
        public Tokenizer build() {
            SpecialTokens specialTokens = special.build();
            Vocabulary vocabulary = Vocabulary.of(tokens, specialTokens.members());
            MergeRule rule =
                    merges.isEmpty() ? new MergeRule.ByToken(vocabulary) : MergeRule.ByPair.of(merges, vocabulary);
            return new Tokenizer(vocabulary, rule, wholePieces || merges.isEmpty(), splitter, specialTokens);
        }
    }
}
