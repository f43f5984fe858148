package dev.ossicle.grammar;

import static dev.ossicle.grammar.Sampling.END;
import static dev.ossicle.grammar.Sampling.O200K;
import static dev.ossicle.grammar.Sampling.ROWS;
import static dev.ossicle.grammar.Sampling.TRIE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ossicle.engine.BitMask;
import dev.ossicle.engine.TokenMask;
import dev.ossicle.grammar.Automaton.State;
import dev.ossicle.grammar.HarmonyFraming.Recipient;
import dev.ossicle.harmony.HarmonyEncoding;
import dev.ossicle.harmony.Message;
import dev.ossicle.harmony.ParseMode;
import dev.ossicle.harmony.Role;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.StringJoiner;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TestGrammarMask {
    /** Masks found by way of partitions and of the trie are what trying every token's bytes one by one gives. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"type\":\"string\"}",
                "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"minLength\":3,\"maxLength\":9}}",
                "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"pattern\":\"^[^a-f]{2,20}x?$\"}}",
                "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"integer\"}},\"additionalProperties\":true}",
                "{\"anyOf\":[{\"type\":\"string\",\"maxLength\":3},{\"enum\":[\"abcdef\",\"ab\\\"c\"]}]}"
            })
    void masksAreWhatTryingEachTokenGives(String schema) {
        Grammar grammar = Grammar.jsonSchema(Json.parse(schema));
        TokenGrammar tokens = grammar.over(TRIE);
        Automaton automaton = grammar.automaton(TRIE::literalCosts);
        BitMask allowed = new BitMask(ROWS);
        for (long seed = 0; seed < 4; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int budget = tokens.minTokens() + 1 + random.nextInt(12);
            TokenMask mask = tokens.newMask(Set.of(END), budget);
            State state = automaton.state(grammar.root());
            while (!mask.mayEnd()) {
                mask.allowed(allowed);
                budget--;
                int wrong = 0;
                for (int token = 0; token < 199_998; token++) {
                    State after = follow(automaton, state, token);
                    boolean expected = !automaton.isDead(after) && after.cost + 1 <= budget;
                    // Near the end of the budget a token may be left out that would leave a character unfinished.
                    if (allowed.get(token) != expected && !(expected && budget < 16 && isUnfinished(token))) {
                        wrong++;
                    }
                }
                assertThat(wrong)
                        .as("seed %d, budget %d, %s", seed, budget, schema)
                        .isZero();
                assertThat(allowed.get(END)).isEqualTo(state.complete);
                int token = allowed.next(random.nextInt(ROWS));
                token = token < 0 ? allowed.next(0) : token;
                mask.accept(token);
                state = token == END ? state : follow(automaton, state, token);
            }
        }
    }

    private static boolean isUnfinished(int token) {
        String text = O200K.decode(token);
        return text.endsWith("\uFFFD") || text.contains("\\");
    }

    private static State follow(Automaton automaton, State from, int token) {
        State state = from;
        for (byte value : O200K.tokenBytes(token)) {
            if (automaton.isDead(state)) {
                return state;
            }
            state = automaton.next(state, value & 255);
        }
        return state;
    }

    @Test
    void whatWasNotAllowedIsRefused() {
        TokenGrammar grammar = Grammar.json().over(TRIE);
        TokenMask mask = grammar.newMask(Set.of(END), 100);
        assertThatThrownBy(() -> mask.accept(END)).hasMessageContaining("was not allowed");
        assertThatThrownBy(() -> mask.accept(O200K.encodeOrdinary("hello")[0])).hasMessageContaining("was not allowed");
        assertThatThrownBy(() -> mask.accept(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> mask.accept(ROWS + 5)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> grammar.newMask(Set.of(), 100)).hasMessageContaining("no end token");
        assertThatThrownBy(() -> grammar.newMask(Set.of(END), 1)).hasMessageContaining("too small");
    }

    @Test
    void literalsCostTheirTokensAndNotTheirBytes() {
        TokenGrammar grammar = Grammar.jsonSchema(Json.parse(
                        "{\"type\":\"object\",\"properties\":{\"international_organizations\":{\"const\":\"international"
                                + " organizations\"}},\"required\":[\"international_organizations\"]}"))
                .over(TRIE);
        assertThat(grammar.minTokens()).isLessThan(20);
    }

    private static final HarmonyEncoding HARMONY = new HarmonyEncoding(O200K);

    private static TokenGrammar schema(String text) {
        return Grammar.jsonSchema(Json.parse(text)).over(TRIE);
    }

    /** A uniformly random model under Harmony's framing with a budget: always an answer or a call, always obedient. */
    @Test
    void harmonyCompletionsObeyTheirGrammars() {
        HarmonyFraming framing = new HarmonyFraming(
                O200K,
                TRIE,
                ROWS,
                List.of("analysis", "commentary", "final"),
                List.of(Recipient.function("get_weather"), Recipient.function("free"), Recipient.builtIn("python")),
                schema(
                        "{\"type\":\"object\",\"properties\":{\"answer\":{\"type\":\"string\"}},\"required\":[\"answer\"]}"),
                Map.of(
                        "functions.get_weather",
                        schema(
                                "{\"type\":\"object\",\"properties\":{\"city\":{\"enum\":[\"Bern\",\"Wien\"]},\"days\":{\"type\":"
                                        + "\"integer\"}},\"required\":[\"city\",\"days\"],\"additionalProperties\":false}")));
        int answers = 0;
        int calls = 0;
        BitMask allowed = new BitMask(ROWS);
        for (long seed = 0; seed < 400; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int budget = framing.minTokens() + random.nextInt(60);
            TokenMask mask = framing.newMask(budget);
            List<Integer> tokens = new ArrayList<>();
            while (!mask.mayEnd()) {
                mask.allowed(allowed);
                int count = allowed.cardinality();
                assertThat(count).as("seed %d: %s", seed, tokens).isPositive();
                int token = -1;
                if (count < 1000) {
                    for (int skip = random.nextInt(count); skip >= 0; skip--) {
                        token = allowed.next(token + 1);
                    }
                } else if (random.nextInt(8) == 0 && allowed.next(199_998) >= 0) {
                    token = allowed.next(199_998); // a control token ends the text
                } else {
                    token = allowed.next(random.nextInt(100_000));
                    token = token < 0 ? allowed.next(0) : token;
                }
                mask.accept(token);
                tokens.add(token);
            }
            int[] ids = tokens.stream().mapToInt(Integer::intValue).toArray();
            assertThat(ids.length).as("seed %d", seed).isLessThanOrEqualTo(budget);
            Message last = HARMONY.parse(ids, Role.ASSISTANT, ParseMode.STRICT)
                    .messages()
                    .getLast();
            String text = O200K.decode(ids);
            if ("final".equals(last.channel())) {
                answers++;
                JsonObject answer = (JsonObject) Json.parse(body(text, "<|return|>"));
                assertThat(answer.members()).as(text).containsOnlyKeys("answer");
            } else if ("functions.get_weather".equals(last.recipient())) {
                calls++;
                JsonObject arguments = (JsonObject) Json.parse(body(text, "<|call|>"));
                assertThat(arguments.members()).as(text).containsOnlyKeys("city", "days");
            }
        }
        assertThat(answers).isGreaterThan(50);
        assertThat(calls).isGreaterThan(10);
        assertThatThrownBy(() -> framing.newMask(5)).hasMessageContaining("too small");
    }

    private static String body(String text, String end) {
        assertThat(text).endsWith(end);
        return text.substring(text.lastIndexOf("<|message|>") + 11, text.length() - end.length());
    }

    @Test
    void anArgumentsGrammarNeedsItsRecipient() {
        assertThatThrownBy(() -> new HarmonyFraming(
                        O200K, TRIE, ROWS, List.of("final"), List.of(), null, Map.of("functions.x", schema("{}"))))
                .hasMessageContaining("functions.x, which is no recipient");
    }

    /** None of these may take long, or much memory; a test's time limit would show if one did. */
    @Test
    void hostileSchemasAreHandled() {
        StringJoiner properties = new StringJoiner(",");
        StringJoiner required = new StringJoiner(",");
        for (int i = 0; i < 1000; i++) {
            properties.add("\"property_" + i + "\":{\"type\":\"string\"}");
            required.add("\"property_" + i + "\"");
        }
        walk("{\"type\":\"object\",\"properties\":{" + properties + "}}", 60);
        walk("{\"type\":\"object\",\"properties\":{" + properties + "},\"required\":[" + required + "]}", 20_000);
        StringJoiner definitions = new StringJoiner(",");
        definitions.add("\"d0\":{\"type\":\"integer\"}");
        for (int i = 1; i < 30; i++) {
            String item = "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/d" + (i - 1)
                    + "\"},\"minItems\":1,\"maxItems\":";
            definitions.add("\"d" + i + "\":{\"anyOf\":[" + item + "2}," + item + "3}]}");
        }
        // Read from the outside there are 2^29 ways to be in the middle of this.
        walk("{\"$ref\":\"#/$defs/d29\",\"$defs\":{" + definitions + "}}", 500);
        walk("{\"type\":\"string\",\"pattern\":\"(a|aa|aaa)*(a?){50}b\"}", 100);
        walk("{\"type\":\"string\",\"minLength\":5000}", 6000);
    }

    private static void walk(String schema, int budget) {
        TokenGrammar grammar = schema(schema);
        String text = Sampling.sample(grammar, 1, Math.max(budget, grammar.minTokens() + 1));
        assertThat(Sampling.errors(Sampling.judge(schema), text)).as(text).isEmpty();
    }
}
