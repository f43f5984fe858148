package dev.ossicle.bench;

import dev.ossicle.engine.BitMask;
import dev.ossicle.engine.TokenMask;
import dev.ossicle.grammar.HarmonyFraming;
import dev.ossicle.grammar.HarmonyFraming.Recipient;
import dev.ossicle.grammar.TokenTrie;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What the framing mask costs for one token: asking what may come and telling what came, over 201 088 tokens. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(2) // two JVMs, as inlining differs from run to run
@Warmup(iterations = 5, time = 1, timeUnit = TimeUnit.SECONDS)
@Measurement(iterations = 5, time = 1, timeUnit = TimeUnit.SECONDS)
public class MaskBenchmark {
    private static final int VOCABULARY = 201_088;
    private static final int HEADER_TOKENS = 12;

    private final Tokenizer tokenizer = Tokenizer.o200kHarmony();
    private final BitMask allowed = new BitMask(VOCABULARY);
    private final int[] header = tokenizer.encode(
            "<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>", tokenizer.specialNames());
    private final int word = tokenizer.encodeOrdinary(" the")[0];
    private final HarmonyFraming framing = new HarmonyFraming(
            tokenizer,
            new TokenTrie(tokenizer, VOCABULARY),
            VOCABULARY,
            List.of("analysis", "commentary", "final"),
            List.of(
                    Recipient.function("get_weather"),
                    Recipient.function("get_weather_forecast"),
                    Recipient.function("search"),
                    Recipient.builtIn("python")));
    private TokenMask inMessage = framing.newMask();

    /** A mask that is in the text of a message. */
    @Setup(Level.Iteration)
    public void enterMessage() {
        if (header.length != HEADER_TOKENS) {
            throw new IllegalStateException("the header has " + header.length + " tokens");
        }
        inMessage = framing.newMask();
        for (int token : tokenizer.encode("<|channel|>final<|message|>", tokenizer.specialNames())) {
            inMessage.accept(token);
        }
    }

    /** The twelve tokens of a call's header. */
    @Benchmark
    @OperationsPerInvocation(HEADER_TOKENS)
    public BitMask header() {
        TokenMask mask = framing.newMask();
        for (int token : header) {
            mask.allowed(allowed);
            mask.accept(token);
        }
        return allowed;
    }

    @Benchmark
    public BitMask message() {
        inMessage.allowed(allowed);
        inMessage.accept(word);
        return allowed;
    }
}
