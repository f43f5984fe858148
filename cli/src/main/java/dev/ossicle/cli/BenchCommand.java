package dev.ossicle.cli;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.cpu.KernelRates;
import dev.ossicle.cpu.ReadBandwidth;
import dev.ossicle.cpu.VectorModelRunner;
import dev.ossicle.engine.Chunk;
import dev.ossicle.engine.KvSequence;
import dev.ossicle.engine.ModelRunner;
import dev.ossicle.engine.Precision;
import dev.ossicle.json.Json;
import dev.ossicle.json.JsonObject;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** How fast this machine runs a model: random tokens, each figure after a warm-up that is not counted. */
@Command(
        name = "bench",
        description = "Measures how fast a model runs on this machine.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Tokens are random. For decoding at a depth the cache is filled with random keys and values, since computing them",
            "could take hours; the time of a token does not depend on what they are.",
            "",
            "Examples:",
            "  ossicle bench gpt-oss-20b.gguf",
            "  ossicle bench gpt-oss-20b.gguf --threads 2 --prefill 128,512,2048 --decode 32 --depth 0,8192 --json",
        })
final class BenchCommand implements Callable<Integer> {
    private static final int WARM_UP_PREFILL = 512;
    private static final int WARM_UP_DECODE = 32;
    private static final long SEED = 1;

    /** Tokens per second of one prompt length, or of decoding at one depth. */
    private record Rate(int depth, int tokens, double tokensPerSecond) {}

    /** How fast so many threads read memory. */
    private record Reading(int threads, double bytesPerSecond) {}

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "MODEL",
            description = "A folder or a .gguf file; the embedded model by default.")
    private @Nullable String model;

    @Option(
            names = "--prefill",
            paramLabel = "N",
            split = ",",
            defaultValue = "512",
            description = "Prompt lengths to measure; 0 for none. Default: ${DEFAULT-VALUE}")
    private int[] prefill;

    @Option(
            names = "--decode",
            paramLabel = "N",
            defaultValue = "32",
            description = "Tokens to decode, one by one; 0 for none. Default: ${DEFAULT-VALUE}")
    private int decode;

    @Option(
            names = "--depth",
            paramLabel = "N",
            split = ",",
            defaultValue = "0",
            description = "Positions in the cache before decoding begins. Default: ${DEFAULT-VALUE}")
    private int[] depths;

    @Option(names = "--json", description = "One JSON object instead of a table.")
    private boolean json;

    @Option(
            names = "--bandwidth",
            description =
                    "With --json: adds anonymous_bytes, bytes_per_token, read_bytes_per_second, how fast plain reading"
                            + " is, and reading, the same by threads. The table always has them.")
    private boolean bandwidth;

    @Option(
            names = "--kernels",
            description =
                    "Adds the kernels of fast precision by themselves, MXFP4 and Q8_0 weights from memory times 1 and 64"
                            + " vectors, on one thread and on all: GB/s of weights, GMAC/s. Some ten seconds more, and"
                            + " 128 MB for each thread.")
    private boolean kernels;

    @Mixin
    private RunnerOptions runnerOptions;

    @Spec
    private CommandSpec spec;

    private final Random random = new Random(SEED);

    @SuppressWarnings("NullAway.Init") // picocli sets what is required
    BenchCommand() {}

    @Override
    public Integer call() {
        check("--prefill", prefill);
        check("--decode", decode);
        check("--depth", depths);
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        ModelLocation.Local location = ModelLocation.local(model);
        long start = System.nanoTime();
        try (Checkpoint checkpoint = runnerOptions.checkpoint(location);
                ModelRunner runner = runnerOptions.open(checkpoint, Precision.FAST, err)) {
            double loadSeconds = secondsSince(start);
            List<Rate> prefills = new ArrayList<>();
            List<Rate> decodes = new ArrayList<>();
            Progress progress = new Progress(err, "measurements", 1L + prefill.length + depths.length);
            warmUp(runner);
            progress.update(1);
            for (int length : prefill) {
                if (length > 0) {
                    prefills.add(prefill(runner, length));
                }
                progress.update(1L + prefills.size());
            }
            for (int depth : depths) {
                if (decode > 0) {
                    decodes.add(decode(runner, depth));
                }
                progress.update(1L + prefills.size() + decodes.size());
            }
            progress.end();
            if (json) {
                out.println(toJson(location.name(), runner, loadSeconds, prefills, decodes));
            } else {
                print(out, runner, loadSeconds, prefills, decodes);
            }
        }
        return 0;
    }

    private static void check(String option, int... values) {
        for (int value : values) {
            if (value < 0) {
                throw new UsageException(option + " is " + value + ", must not be negative");
            }
        }
    }

    /** Long enough for the JIT; touches most of the weights. */
    private void warmUp(ModelRunner runner) {
        int length = Math.min(WARM_UP_PREFILL, runner.config().maxContext() - WARM_UP_DECODE);
        try (KvSequence sequence = runner.newSequence(length + WARM_UP_DECODE)) {
            append(runner, sequence, length);
            for (int i = 0; i < WARM_UP_DECODE; i++) {
                append(runner, sequence, 1);
            }
        }
    }

    private Rate prefill(ModelRunner runner, int length) {
        try (KvSequence sequence = runner.newSequence(length)) {
            long start = System.nanoTime();
            append(runner, sequence, length);
            return new Rate(0, length, length / secondsSince(start));
        }
    }

    private Rate decode(ModelRunner runner, int depth) {
        try (KvSequence sequence = runner.newSequence(depth + 1 + decode)) {
            if (runner instanceof VectorModelRunner cpu) {
                cpu.appendRandom(sequence, depth, SEED);
            } else {
                append(runner, sequence, depth);
            }
            append(runner, sequence, 1); // faults pages in and wakes the threads
            long start = System.nanoTime();
            for (int i = 0; i < decode; i++) {
                append(runner, sequence, 1);
            }
            return new Rate(depth, decode, decode / secondsSince(start));
        }
    }

    /** Random tokens; the logits of the last. */
    private void append(ModelRunner runner, KvSequence sequence, int count) {
        int piece = runner.prefillTokens();
        for (int from = 0; from < count; from += piece) {
            int[] tokens = random.ints(
                            Math.min(piece, count - from), 0, runner.config().vocabulary())
                    .toArray();
            runner.forward(
                    List.of(new Chunk(sequence, tokens, from + tokens.length == count ? 1 : 0)),
                    (chunk, position, logits) -> {});
        }
    }

    private static double secondsSince(long start) {
        return (System.nanoTime() - start) * 1e-9;
    }

    private JsonObject toJson(
            String name, ModelRunner runner, double loadSeconds, List<Rate> prefills, List<Rate> decodes) {
        JsonObject.Builder result = JsonObject.builder()
                .put("model", name)
                .put("threads", runnerOptions.threads())
                .put("load_seconds", rounded(loadSeconds))
                .put("resident_bytes", MachineMemory.peakResident().orElse(0))
                .put(
                        "prefill",
                        Json.of(prefills.stream()
                                .map(rate -> JsonObject.builder()
                                        .put("tokens", rate.tokens())
                                        .put("tokens_per_second", rounded(rate.tokensPerSecond()))
                                        .build())
                                .toList()))
                .put(
                        "decode",
                        Json.of(decodes.stream()
                                .map(rate -> JsonObject.builder()
                                        .put("depth", rate.depth())
                                        .put("tokens", rate.tokens())
                                        .put("tokens_per_second", rounded(rate.tokensPerSecond()))
                                        .build())
                                .toList()));
        if (bandwidth) {
            List<Reading> readings = readings();
            result.put("anonymous_bytes", MachineMemory.anonymous().orElse(0))
                    .put("bytes_per_token", bytesPerToken(runner))
                    .put("read_bytes_per_second", Math.round(readings.getLast().bytesPerSecond()))
                    .put(
                            "reading",
                            Json.of(readings.stream()
                                    .map(reading -> JsonObject.builder()
                                            .put("threads", reading.threads())
                                            .put("bytes_per_second", Math.round(reading.bytesPerSecond()))
                                            .build())
                                    .toList()));
        }
        if (kernels) {
            result.put(
                    "kernels",
                    Json.of(KernelRates.measure(runnerOptions.threads()).stream()
                            .map(rate -> JsonObject.builder()
                                    .put("kernel", rate.kernel())
                                    .put("vectors", rate.vectors())
                                    .put("threads", rate.threads())
                                    .put("bytes_per_second", Math.round(rate.bytesPerSecond()))
                                    .put("multiplications_per_second", Math.round(rate.multiplicationsPerSecond()))
                                    .build())
                            .toList()));
        }
        return result.build();
    }

    private List<Reading> readings() {
        return ReadBandwidth.threadCounts(runnerOptions.threads()).stream()
                .map(threads -> new Reading(threads, ReadBandwidth.measure(threads)))
                .toList();
    }

    private static double rounded(double value) {
        return Math.round(value * 1000) / 1000.0;
    }

    private void print(
            PrintWriter out, ModelRunner runner, double loadSeconds, List<Rate> prefills, List<Rate> decodes) {
        String memory = String.format(
                "%s at most, %s of it not of the file",
                Sizes.bytes(MachineMemory.peakResident().orElse(0)),
                Sizes.bytes(MachineMemory.anonymous().orElse(0)));
        List<Reading> readings = readings();
        double bandwidth = readings.getLast().bytesPerSecond();
        double bytes = bytesPerToken(runner);
        out.println(runner.description());
        row(out, "load", "%.2f s", loadSeconds);
        row(out, "memory", "%s", memory);
        for (Reading reading : readings) {
            row(out, "reading", "%s/s with %s", Sizes.bytes(reading.bytesPerSecond()), threads(reading.threads()));
        }
        for (Rate rate : prefills) {
            row(out, "prefill of " + rate.tokens(), "%.2f tokens/s", rate.tokensPerSecond());
        }
        for (Rate rate : decodes) {
            double read = rate.tokensPerSecond() * bytes;
            row(
                    out,
                    "decode at " + rate.depth(),
                    "%.2f tokens/s; weights %s/s, %.0f %% of reading",
                    rate.tokensPerSecond(),
                    Sizes.bytes(read),
                    100 * read / bandwidth);
        }
        if (kernels) {
            for (KernelRates.Rate rate : KernelRates.measure(runnerOptions.threads())) {
                row(
                        out,
                        rate.kernel() + " times " + rate.vectors(),
                        "%s/s of weights, %.1f GMAC/s with %s",
                        Sizes.bytes(rate.bytesPerSecond()),
                        rate.multiplicationsPerSecond() * 1e-9,
                        threads(rate.threads()));
            }
        }
    }

    private static String threads(int count) {
        return count == 1 ? "1 thread" : count + " threads";
    }

    private static void row(PrintWriter out, String name, String format, Object... values) {
        out.printf(Locale.ROOT, "%-17s %s%n", name, String.format(Locale.ROOT, format, values));
    }

    /** Weights that a decoded token reads; 0 if the runner does not say. */
    private static long bytesPerToken(ModelRunner runner) {
        return runner instanceof VectorModelRunner cpu ? cpu.bytesPerToken() : 0;
    }
}
