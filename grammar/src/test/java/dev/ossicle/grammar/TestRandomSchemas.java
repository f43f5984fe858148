package dev.ossicle.grammar;

import static dev.ossicle.grammar.Sampling.TRIE;
import static dev.ossicle.grammar.Sampling.errors;
import static dev.ossicle.grammar.Sampling.judge;
import static dev.ossicle.grammar.Sampling.reachable;
import static dev.ossicle.grammar.Sampling.sample;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.networknt.schema.Schema;
import dev.ossicle.engine.BitMask;
import dev.ossicle.engine.TokenMask;
import dev.ossicle.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Schemas made at random: whatever the budget, what a model without opinions writes is valid. */
class TestRandomSchemas {
    private static final int SCHEMAS = 500;

    private final List<String> definitions = List.of(
            "\"tree\":{\"type\":\"object\",\"properties\":{\"v\":{\"type\":\"integer\"},\"c\":{\"type\":\"array\",\"items\":"
                    + "{\"$ref\":\"#/$defs/tree\"}}},\"required\":[\"v\",\"c\"],\"additionalProperties\":false}",
            "\"list\":{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"object\",\"properties\":{\"next\":{\"$ref\":\"#/$defs/list\"}},"
                    + "\"required\":[\"next\"],\"additionalProperties\":false}]}",
            "\"name\":{\"type\":\"string\",\"maxLength\":12}");

    private String schema(SplittableRandom random, int depth) {
        int kind = random.nextInt(depth > 0 ? 15 : 10);
        return switch (kind) {
            case 0 -> "{\"type\":\"boolean\"}";
            case 1 -> "{\"type\":[\"null\",\"integer\"],\"minimum\":" + (random.nextInt(2000) - 1000) + "}";
            case 2 -> {
                int min = random.nextInt(300) - 150;
                yield "{\"type\":\"number\",\"minimum\":" + min / 4.0 + ",\"exclusiveMaximum\":"
                        + (min / 4.0 + (1 + random.nextInt(99)) / 3.5) + "}";
            }
            case 3 -> "{\"type\":\"integer\",\"multipleOf\":" + (1 + random.nextInt(40)) + "}";
            case 4 -> "{\"type\":\"string\"}";
            case 5 -> {
                int min = random.nextInt(5);
                yield "{\"type\":\"string\",\"minLength\":" + min + ",\"maxLength\":" + (min + random.nextInt(30))
                        + "}";
            }
            case 6 ->
                "{\"type\":\"string\",\"pattern\":\""
                        + List.of("^[a-z]{2,8}$", "^\\\\d{3}-\\\\d{4}$", "^(yes|no|maybe)$", "^[^a-c\\\"]+é?$")
                                .get(random.nextInt(4))
                        + "\"}";
            case 7 ->
                "{\"type\":\"string\",\"format\":\""
                        + List.of("date", "time", "date-time", "uuid", "ipv4", "ipv6", "duration", "hostname")
                                .get(random.nextInt(8))
                        + "\"}";
            case 8 -> "{\"enum\":[\"a\",\"b \\\"c\\\"\",\"größe\",null,1,-2.5,{\"k\":[]}]}";
            case 9 -> "{\"$ref\":\"#/$defs/" + List.of("tree", "list", "name").get(random.nextInt(3)) + "\"}";
            case 10, 11, 12 -> object(random, depth);
            case 13 -> {
                int min = random.nextInt(3);
                yield "{\"type\":\"array\",\"items\":" + schema(random, depth - 1) + ",\"minItems\":" + min
                        + ",\"maxItems\":" + (min + random.nextInt(4)) + "}";
            }
            default ->
                "{\"anyOf\":[" + schema(random, depth - 1) + "," + schema(random, depth - 1) + ","
                        + schema(random, depth - 1) + "]}";
        };
    }

    private String object(SplittableRandom random, int depth) {
        List<String> properties = new ArrayList<>();
        List<String> required = new ArrayList<>();
        int count = random.nextInt(5);
        for (int i = 0; i < count; i++) {
            String name = "\"" + List.of("name", "größe", "a b", "id", "x").get(i) + i + "\"";
            properties.add(name + ":" + schema(random, depth - 1));
            if (random.nextBoolean()) {
                required.add(name);
            }
        }
        String additional =
                List.of("false", "false", "true", "{\"type\":\"integer\"}").get(random.nextInt(4));
        return "{\"type\":\"object\",\"properties\":{" + String.join(",", properties) + "},\"required\":["
                + String.join(",", required) + "],\"additionalProperties\":" + additional + "}";
    }

    @Test
    void samplesUnderABudgetAreValid() {
        for (long seed = 0; seed < SCHEMAS; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            String body = object(random, 3);
            String schema =
                    body.substring(0, body.length() - 1) + ",\"$defs\":{" + String.join(",", definitions) + "}}";
            TokenGrammar grammar = Grammar.jsonSchema(Json.parse(schema)).over(TRIE);
            Schema judge = judge(schema);
            int budget = grammar.minTokens() + 1 + random.nextInt(100);
            String document = sample(grammar, seed, budget);
            Json.parse(document);
            assertThat(errors(judge, document))
                    .as("seed %d, budget %d: %s%n%s", seed, budget, document, schema)
                    .isEmpty();
            assertThat(reachable(grammar, document))
                    .as("seed %d: %s%n%s", seed, document, schema)
                    .isTrue();
        }
    }

    @Test
    void anyJsonIsJsonWithinAnyBudget() {
        TokenGrammar value = Grammar.json().over(TRIE);
        TokenGrammar object = Grammar.jsonObject().over(TRIE);
        for (int seed = 0; seed < 100; seed++) {
            Json.parse(sample(value, seed, 2 + seed * 3));
            assertThat(sample(object, seed, object.minTokens() + 1 + seed))
                    .startsWith("{")
                    .endsWith("}");
        }
        assertThatThrownBy(() -> sample(object, 0, object.minTokens())).hasMessageContaining("too small");
    }

    /** A model that opens whatever it can still writes what parsers read. */
    @Test
    void nestingIsBounded() {
        TokenGrammar grammar = Grammar.json().over(TRIE);
        TokenMask mask = grammar.newMask(Set.of(Sampling.END), TokenGrammar.UNLIMITED);
        BitMask allowed = new BitMask(Sampling.ROWS);
        int open = Sampling.O200K.encodeOrdinary("[")[0];
        StringBuilder text = new StringBuilder();
        while (!mask.mayEnd()) {
            mask.allowed(allowed);
            int token = allowed.get(open) ? open : allowed.get(Sampling.END) ? Sampling.END : allowed.next(0);
            mask.accept(token);
            text.append(token == Sampling.END ? "" : Sampling.O200K.decode(token));
            if (text.length() > 5000) {
                break; // it opens and closes for ever at the bound, which is its right
            }
        }
        int depth = 0;
        int deepest = 0;
        for (int i = 0; i < text.length(); i++) {
            depth += text.charAt(i) == '[' ? 1 : text.charAt(i) == ']' ? -1 : 0;
            deepest = Math.max(deepest, depth);
        }
        assertThat(deepest).isBetween(TokenGrammar.MAX_NESTING, 100);
    }
}
