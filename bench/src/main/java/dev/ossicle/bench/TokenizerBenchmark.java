package dev.ossicle.bench;

import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Encoding ordinary text with o200k on one thread. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@Fork(2) // two JVMs: how the JIT inlines the splitter differs from run to run
@Warmup(iterations = 5, time = 1, timeUnit = TimeUnit.SECONDS) // C2 is done after three
@Measurement(iterations = 5, time = 1, timeUnit = TimeUnit.SECONDS)
public class TokenizerBenchmark {
    @Param({"prose", "code", "scripts"})
    public String text = "";

    private final Tokenizer ossicle = Tokenizer.o200kHarmony();
    private final Encoding jtokkit = Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.O200K_BASE);
    private String input = "";
    private int bytes;

    /** Throughput in what a user counts. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Counters {
        public long bytes;
    }

    @Setup
    public void read() {
        input = Texts.named(text);
        bytes = input.getBytes(StandardCharsets.UTF_8).length;
    }

    @Benchmark
    public Object ossicle(Counters counters) {
        counters.bytes += bytes;
        return ossicle.encodeOrdinary(input);
    }

    @Benchmark
    public Object jtokkit(Counters counters) {
        counters.bytes += bytes;
        return jtokkit.encodeOrdinary(input);
    }
}
