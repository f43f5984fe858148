package dev.ossicle.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.engine.BitMask;
import dev.ossicle.engine.TokenMask;
import dev.ossicle.grammar.HarmonyFraming.Recipient;
import dev.ossicle.harmony.HarmonyEncoding;
import dev.ossicle.harmony.Message;
import dev.ossicle.harmony.ParseMode;
import dev.ossicle.harmony.Role;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TestHarmonyFraming {
    private static final int MODEL_ROWS = 201_088;
    private static final Tokenizer O200K = Tokenizer.o200kHarmony();
    private static final HarmonyEncoding HARMONY = new HarmonyEncoding(O200K);
    private static final TokenTrie TRIE = new TokenTrie(O200K, MODEL_ROWS);

    private static final List<String> CHANNELS = List.of("analysis", "commentary", "final");
    private static final List<Recipient> RECIPIENTS = List.of(
            Recipient.function("get_weather"),
            Recipient.function("get"),
            Recipient.function("get_weather_now"),
            Recipient.function("größe"),
            Recipient.builtIn("browser.search"),
            Recipient.builtIn("browser.open"),
            Recipient.builtIn("python"));

    private static final HarmonyFraming FRAMING = new HarmonyFraming(O200K, TRIE, MODEL_ROWS, CHANNELS, RECIPIENTS);

    /** A model without opinions: ten thousand of its completions, every one well-formed. */
    @Test
    void uniformlyRandomCompletionsParseStrictly() {
        Set<String> seen = new HashSet<>();
        BitMask allowed = new BitMask(MODEL_ROWS);
        for (long seed = 0; seed < 10_000; seed++) {
            List<Integer> tokens = sample(FRAMING, new SplittableRandom(seed), allowed);
            List<Message> messages;
            try {
                messages = HARMONY.parse(toArray(tokens), Role.ASSISTANT, ParseMode.STRICT)
                        .messages();
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + ": " + O200K.decode(toArray(tokens)), e);
            }
            for (Message message : messages) {
                assertThat(message.channel()).as("seed %d", seed).isIn(CHANNELS);
                boolean last = message == messages.getLast();
                boolean ends = message.recipient() != null || "final".equals(message.channel());
                assertThat(ends).as("seed %d: %s", seed, message).isEqualTo(last);
                if (message.recipient() != null) {
                    String name = message.recipient();
                    assertThat(RECIPIENTS.stream().map(Recipient::name)).contains(name);
                    seen.add(message.channel() + " " + name + " " + message.contentType());
                }
            }
        }
        // All recipients on their channels with each of their content types.
        assertThat(seen).contains("commentary functions.get json", "commentary functions.größe <|constrain|>json");
        assertThat(seen)
                .contains("analysis python code", "commentary browser.open null", "analysis browser.search json");
        assertThat(seen).noneMatch(s -> s.startsWith("analysis functions"));
    }

    /** Draws evenly from what is allowed; in a message, where that would go on for very long, from a few texts and its end. */
    private static List<Integer> sample(HarmonyFraming framing, SplittableRandom random, BitMask allowed) {
        TokenMask mask = framing.newMask();
        List<Integer> tokens = new ArrayList<>();
        int text = random.nextInt(4);
        while (!mask.mayEnd()) {
            mask.allowed(allowed);
            int count = allowed.cardinality();
            assertThat(count).isPositive();
            int token;
            if (count > 100_000) { // in a message
                token = text-- > 0 ? pick(allowed, random.nextInt(MODEL_ROWS)) : end(allowed);
            } else {
                text = random.nextInt(4);
                token = -1;
                for (int skip = random.nextInt(count); skip >= 0; skip--) {
                    token = allowed.next(token + 1);
                }
            }
            mask.accept(token);
            tokens.add(token);
        }
        mask.allowed(allowed);
        assertThat(allowed.isEmpty()).isTrue();
        return tokens;
    }

    private static int pick(BitMask allowed, int from) {
        int token = allowed.next(from);
        return token < 0 ? allowed.next(0) : token;
    }

    private static int end(BitMask allowed) {
        return HARMONY.stopTokens().stream().filter(allowed::get).findAny().orElseThrow();
    }

    @Test
    void everyHeaderThatTheModelIsTaughtIsAllowed() {
        for (String text : List.of(
                "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>",
                "<|channel|>final<|message|>Yes.<|return|>",
                "<|channel|>commentary<|message|>I look.<|end|><|start|>assistant<|channel|>commentary"
                        + " to=functions.get_weather <|constrain|>json<|message|>{}<|call|>",
                "<|channel|>commentary to=functions.get json<|message|>{}<|call|>",
                " to=functions.get_weather_now<|channel|>commentary json<|message|>{}<|call|>",
                " to=functions.get<|channel|>commentary<|constrain|>json<|message|>{}<|call|>",
                "<|channel|>analysis to=browser.search code<|message|>{}<|call|>",
                " to=python<|channel|>analysis code<|message|>1+1<|call|>")) {
            TokenMask mask = FRAMING.newMask();
            BitMask allowed = new BitMask(MODEL_ROWS);
            for (int token : O200K.encode(text, O200K.specialNames())) {
                mask.allowed(allowed);
                assertThat(allowed.get(token))
                        .as("%s: %s", text, O200K.decode(token))
                        .isTrue();
                mask.accept(token);
            }
            assertThat(mask.mayEnd()).as(text).isTrue();
        }
    }

    @Test
    void whatWouldBreakAHeaderIsNot() {
        for (String text : List.of(
                "Hello",
                "<|message|>",
                "<|channel|>anal",
                "<|channel|>analysis<|constrain|>",
                "<|channel|>thoughts<|message|>",
                "<|channel|>final to=functions.get",
                "<|channel|>final<|constrain|>json",
                "<|channel|>analysis to=functions.get<|message|>",
                "<|channel|>commentary to=functions.unknown<|message|>",
                "<|channel|>commentary to=functions.get_weather to=functions.get_weather<|message|>",
                " to=functions.get<|channel|>commentary to=functions.get<|message|>",
                "<|channel|>commentary<|message|>x<|call|>",
                "<|channel|>commentary<|message|>x<|return|>",
                "<|channel|>commentary to=python<|message|>x<|end|>",
                "<|channel|>final<|message|>x<|end|>",
                "<|channel|>analysis<|message|>x<|end|>assistant",
                "<|channel|>analysis<|message|>x<|end|><|start|>user",
                "<|channel|>analysis<|message|>x<|channel|>",
                "<|start|>")) {
            assertThat(passes(text + "<|message|>")).as(text).isFalse();
        }
    }

    private static boolean passes(String text) {
        TokenMask mask = FRAMING.newMask();
        BitMask allowed = new BitMask(MODEL_ROWS);
        for (int token : O200K.encode(text, O200K.specialNames())) {
            mask.allowed(allowed);
            if (!allowed.get(token)) {
                assertThatThrownBy(() -> mask.accept(token)).isInstanceOf(IllegalArgumentException.class);
                return false;
            }
            mask.accept(token);
        }
        return true;
    }

    @Test
    void inAMessageEveryTextMayStand() {
        TokenMask mask = FRAMING.newMask();
        for (int token : O200K.encode("<|channel|>analysis<|message|>", O200K.specialNames())) {
            mask.accept(token);
        }
        BitMask allowed = new BitMask(MODEL_ROWS);
        mask.allowed(allowed);
        assertThat(allowed.cardinality()).isEqualTo(199_998 + 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "two words", "a<b", "tab\t", "<|call|>"})
    void namesThatCannotStandInAHeaderAreRefused(String name) {
        assertThatThrownBy(() -> new Recipient(name, Set.of("analysis"), Set.of()))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new HarmonyFraming(O200K, TRIE, MODEL_ROWS, List.of(name), List.of()))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void theTrieFindsExactlyTheTokensThatMatch() {
        // Digits only, up to three: known by brute force.
        Set<Integer> found = new TreeSet<>();
        TRIE.walk(
                0,
                (length, value) -> length < 3 && value >= '0' && value <= '9' ? length + 1 : null,
                (token, length) -> found.add(token));
        Set<Integer> expected = new TreeSet<>();
        for (int id = 0; id < 199_998; id++) {
            if (O200K.decode(id).matches("[0-9]{1,3}")) {
                expected.add(id);
            }
        }
        assertThat(found).isEqualTo(expected).hasSize(1110);
    }

    private static int[] toArray(List<Integer> tokens) {
        return tokens.stream().mapToInt(Integer::intValue).toArray();
    }
}
