package dev.ossicle.grammar;

import static dev.ossicle.grammar.Sampling.END;
import static dev.ossicle.grammar.Sampling.O200K;
import static dev.ossicle.grammar.Sampling.ROWS;
import static dev.ossicle.grammar.Sampling.TRIE;

import dev.ossicle.engine.BitMask;
import dev.ossicle.engine.TokenMask;
import dev.ossicle.json.Json;
import java.util.Arrays;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** How long compiling and masks take: printed, not asserted. */
@Tag("slow")
class MeasureMasks {
    private static final String TYPICAL = """
            {"type":"object","properties":{
              "title":{"type":"string","description":"A short title"},
              "summary":{"type":"string","maxLength":200},
              "published":{"type":"string","format":"date"},
              "rating":{"type":"integer","minimum":1,"maximum":5},
              "score":{"type":"number"},
              "language":{"type":"string","enum":["en","de","fr","es","it"]},
              "tags":{"type":"array","items":{"type":"string"},"maxItems":8},
              "author":{"type":"object","properties":{"name":{"type":"string"},"email":{"type":["string","null"]},
                "age":{"type":["integer","null"]}},"required":["name","email","age"],"additionalProperties":false},
              "steps":{"type":"array","items":{"type":"object","properties":{"explanation":{"type":"string"},
                "output":{"type":"string"}},"required":["explanation","output"],"additionalProperties":false}}},
             "required":["title","summary","published","rating","score","language","tags","author","steps"],
             "additionalProperties":false}""";

    private static final String DOCUMENT = """
            {"title":"Making sourdough bread at home","summary":"A patient, three-day method that needs flour, water and salt.",\
            "published":"2024-02-29","rating":5,"score":-12.75,"language":"en","tags":["bread","baking","slow food"],\
            "author":{"name":"Ada Müller","email":null,"age":36},"steps":[{"explanation":"Feed the starter: equal parts of flour \
            and water, twice a day.","output":"a bubbly starter"},{"explanation":"Mix, rest, fold \\"gently\\" four times.",\
            "output":"a smooth dough"},{"explanation":"Shape it, let it rise overnight, bake at 250 °C.","output":"a loaf 🍞"}]}""";

    private static String many(int properties) {
        StringJoiner out =
                new StringJoiner(",", "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{", "}}");
        for (int i = 0; i < properties; i++) {
            out.add("\"property_" + i + "\":{\"type\":\"string\"}");
        }
        return out.toString();
    }

    private static String enumeration(int values) {
        StringJoiner out = new StringJoiner(",", "{\"type\":\"array\",\"items\":{\"enum\":[", "]}}");
        for (int i = 0; i < values; i++) {
            out.add("\"value " + Integer.toString(i * 7919, 36) + "\"");
        }
        return out.toString();
    }

    private static String nested(int depth) {
        String schema = "{\"type\":\"integer\"}";
        for (int i = 0; i < depth; i++) {
            String item = "{\"type\":\"array\",\"items\":" + schema + ",\"minItems\":1,\"maxItems\":";
            schema = "{\"anyOf\":[" + item + "2}," + item + "3}]}";
        }
        return schema;
    }

    @Test
    void measure() {
        System.out.printf("trie of %d rows%n", TRIE.vocabulary()); // loaded before the clock starts
        for (int round = 0; round < 3; round++) {
            measure("typical", TYPICAL, DOCUMENT);
            measure("any JSON", "{}", DOCUMENT);
            measure(
                    "1000 properties",
                    many(1000),
                    "{\"property_3\":\"x\",\"property_500\":\"some text\",\"property_999\":\"y\"}");
            measure("1000 values", enumeration(1000), null);
            measure("anyOf nested 12 deep", nested(12), "[".repeat(12) + "12" + "]".repeat(12));
            measure(
                    "pattern anywhere",
                    "{\"type\":\"string\",\"pattern\":\"needle|h[aä]y\",\"maxLength\":200}",
                    "\"looking for a needle in quite some hay, and so on\"");
            measure(
                    "recursion",
                    "{\"type\":\"object\",\"properties\":{\"v\":{\"type\":\"string\"},\"c\":{\"type\":\"array\",\"items\":{\"$ref\":\"#\"}}},"
                            + "\"required\":[\"v\",\"c\"],\"additionalProperties\":false}",
                    null);
        }
    }

    private static void measure(String name, String schema, @Nullable String document) {
        Json json = Json.parse(schema);
        long start = System.nanoTime();
        Grammar grammar = Grammar.jsonSchema(json);
        TokenGrammar tokens = grammar.over(TRIE);
        long compiled = System.nanoTime() - start;
        long[] times = new long[100_000];
        int count = 0;
        BitMask allowed = new BitMask(ROWS);
        for (int repetition = 0; repetition < 2; repetition++) {
            SplittableRandom random = new SplittableRandom(repetition);
            TokenMask mask = tokens.newMask(Set.of(END), 1000);
            int[] given = document == null ? new int[0] : O200K.encodeOrdinary(document);
            for (int i = 0; document == null ? !mask.mayEnd() : i < given.length; i++) {
                long before = System.nanoTime();
                mask.allowed(allowed);
                times[count++] = System.nanoTime() - before;
                int token;
                if (document != null) {
                    token = given[i];
                } else {
                    token = allowed.next(random.nextInt(ROWS));
                    token = token < 0 ? allowed.next(0) : token;
                }
                if (!allowed.get(token)) {
                    throw new AssertionError(name + ": " + O200K.decode(Arrays.copyOf(given, i + 1)));
                }
                mask.accept(token);
            }
            long[] sorted = Arrays.copyOf(times, count);
            Arrays.sort(sorted);
            System.out.printf(
                    "%-22s compile %7.1f ms, masks %5d (%s): median %8.1f us, p99 %9.1f us, max %9.1f us%n",
                    name,
                    compiled / 1e6,
                    count,
                    repetition == 0 ? "cold" : "warm",
                    sorted[count / 2] / 1e3,
                    sorted[Math.min(count - 1, count * 99 / 100)] / 1e3,
                    sorted[count - 1] / 1e3);
            count = 0;
        }
    }
}
