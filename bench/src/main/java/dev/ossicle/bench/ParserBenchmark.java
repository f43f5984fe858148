package dev.ossicle.bench;

import dev.ossicle.harmony.Conversation;
import dev.ossicle.harmony.HarmonyEncoding;
import dev.ossicle.harmony.HarmonyParser;
import dev.ossicle.harmony.Message;
import dev.ossicle.harmony.ParseMode;
import dev.ossicle.harmony.Role;
import java.util.ArrayList;
import java.util.List;
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
import org.openjdk.jmh.infra.Blackhole;

/** Parsing messages of about 200 tokens: reasoning, calls and answers in turn. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@Fork(2) // two JVMs, as inlining differs from run to run
@Warmup(iterations = 5, time = 1, timeUnit = TimeUnit.SECONDS)
@Measurement(iterations = 5, time = 1, timeUnit = TimeUnit.SECONDS)
public class ParserBenchmark {
    private static final int MESSAGE_CHARS = 800;

    @Param({"STRICT", "TOTAL"})
    public ParseMode mode = ParseMode.STRICT;

    private final HarmonyEncoding encoding = HarmonyEncoding.gptOss();
    private int[] tokens = {};

    /** Throughput in what a user counts. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Counters {
        public long tokens;
    }

    @Setup
    public void render() {
        String prose = Texts.named("prose");
        List<Message> messages = new ArrayList<>();
        for (int at = 0; at + MESSAGE_CHARS <= prose.length() && messages.size() < 300; at += MESSAGE_CHARS) {
            Message message = Message.of(Role.ASSISTANT, prose.substring(at, at + MESSAGE_CHARS));
            messages.add(
                    switch (messages.size() % 3) {
                        case 0 -> message.withChannel(Message.ANALYSIS);
                        case 1 ->
                            message.withChannel(Message.COMMENTARY)
                                    .withRecipient("functions.get_weather")
                                    .withContentType("<|constrain|>json");
                        default -> message.withChannel(Message.FINAL);
                    });
        }
        tokens = encoding.render(new Conversation(messages), false);
    }

    @Benchmark
    public Object batch(Counters counters) {
        counters.tokens += tokens.length;
        return encoding.parse(tokens, null, mode);
    }

    @Benchmark
    public Object stream(Counters counters, Blackhole blackhole) {
        counters.tokens += tokens.length;
        HarmonyParser parser = encoding.parser(null, mode);
        for (int token : tokens) {
            parser.process(token);
            blackhole.consume(parser.delta());
            blackhole.consume(parser.channel());
        }
        parser.finish();
        return parser.messages();
    }
}
