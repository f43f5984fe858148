package dev.ossicle.bench;

import dev.ossicle.engine.BitMask;
import dev.ossicle.engine.TokenMask;
import dev.ossicle.grammar.Grammar;
import dev.ossicle.grammar.TokenGrammar;
import dev.ossicle.grammar.TokenTrie;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.json.Json;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What structured output costs with a typical schema, over 201 088 tokens: compiling it, and for each token of an answer asking
 * what may come and telling what came. Sampled, since what matters is the slow ones. Every answer is the first of its
 * grammar, whose masks are not cached yet.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(2) // two JVMs, as inlining differs from run to run
@Warmup(iterations = 5, time = 1, timeUnit = TimeUnit.SECONDS)
@Measurement(iterations = 5, time = 1, timeUnit = TimeUnit.SECONDS)
public class GrammarBenchmark {
    private static final int VOCABULARY = 201_088;
    private static final int BUDGET = 1000;

    private static final Json SCHEMA = Json.parse(
            """
            {"type":"object","additionalProperties":false,
             "required":["name","email","age","role","tags","address","notes"],
             "properties":{
              "name":{"type":"string","maxLength":80},
              "email":{"type":"string","format":"email"},
              "age":{"type":"integer","minimum":0,"maximum":150},
              "role":{"enum":["admin","editor","viewer"]},
              "tags":{"type":"array","items":{"type":"string"},"maxItems":10},
              "address":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/address"}]},
              "notes":{"type":["string","null"]},
              "score":{"type":"number"}},
             "$defs":{"address":{"type":"object","additionalProperties":false,"required":["street","zip"],
              "properties":{"street":{"type":"string"},"zip":{"type":"string","pattern":"^[0-9]{5}$"}}}}}""");

    private static final String ANSWER =
            """
            {"name": "Ada Lovelace", "email": "ada@example.org", "age": 36, "role": "editor", "tags": ["maths", "engines"], \
            "address": {"street": "12 St James's Square, London", "zip": "12345"}, \
            "notes": "First to publish an algorithm meant for a machine: née Byron, déjà vu, 漢字.", "score": 9.75}""";

    private final Tokenizer tokenizer = Tokenizer.o200kHarmony();
    private final TokenTrie trie = new TokenTrie(tokenizer, VOCABULARY);
    private final int end = tokenizer.special("<|return|>").orElseThrow();
    private final int[] answer = tokenizer.encodeOrdinary(ANSWER);
    private final BitMask allowed = new BitMask(VOCABULARY);
    private TokenMask mask = newMask();
    private int at;

    private TokenMask newMask() {
        TokenGrammar grammar = Grammar.jsonSchema(SCHEMA).over(trie);
        return grammar.newMask(Set.of(end), BUDGET);
    }

    /** A new answer when the last one is complete; not timed. */
    @Setup(Level.Invocation)
    public void rewind() {
        if (at == answer.length) {
            mask = newMask();
            at = 0;
        }
    }

    @Benchmark
    public BitMask mask() {
        mask.allowed(allowed);
        mask.accept(answer[at++]);
        return allowed;
    }

    @Benchmark
    public TokenMask compile() {
        return newMask();
    }
}
