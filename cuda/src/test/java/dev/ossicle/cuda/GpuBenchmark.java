package dev.ossicle.cuda;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.checkpoint.write.Synthesis;
import dev.ossicle.engine.Chunk;
import dev.ossicle.engine.DeviceOptions;
import dev.ossicle.engine.KvSequence;
import dev.ossicle.engine.Precision;
import dev.ossicle.engine.Sampler;
import dev.ossicle.engine.Sampling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.Stream;

/**
 * Measures a model of random weights on the GPU of this machine; bench/gpu/run starts it. Decoding is greedy, on the device, as
 * fast as the runner goes; times are the host's, from call to tokens. Writes JSON and says on standard error what it does.
 */
final class GpuBenchmark {
    private static final int WARM_UP_STEPS = 8;
    /** Of which the fastest counts, kernel by kernel. */
    private static final int TIMED_PASSES = 5;
    /** Positions of each sequence of a batch before it decodes. */
    private static final int BATCH_DEPTH = 512;

    private final ModelConfig config;
    private final CudaModelRunner runner;
    private final Sampler sampler;
    private final double bandwidth;
    private final Random random = new Random(1);
    private final int steps;

    private GpuBenchmark(ModelConfig config, CudaModelRunner runner, double bandwidth, int steps) {
        this.config = config;
        this.runner = runner;
        this.sampler = new Sampler(config.vocabulary());
        this.bandwidth = bandwidth;
        this.steps = steps;
    }

    /**
     * Arguments as {@code name=value}: model (20b, 120b, tiny), layers and experts (fewer than the model has), prefill, depths and
     * batches (numbers with commas between), steps, kernels (true: the time of each kernel at each depth), nCpuMoe, cacheBytes, out
     * (a file; standard output otherwise).
     */
    public static void main(String[] arguments) throws IOException {
        Arguments given = new Arguments(arguments);
        ModelConfig config = config(given);
        if (!(Gpu.look() instanceof Gpu.Usable gpu)) {
            System.err.println(((Gpu.None) Gpu.look()).reason());
            System.exit(1);
            return;
        }
        say(gpu.words());
        int[] prefill = given.numbers("prefill", "2048,8192,32768");
        int[] depths = given.numbers("depths", "0,8192,32768,131000");
        int[] batches = given.numbers("batches", "1,4,16,64");
        int steps = given.number("steps", 64);
        DeviceOptions options = new DeviceOptions(
                Runtime.getRuntime().availableProcessors(),
                Precision.FAST,
                DeviceOptions.cacheBits(Precision.FAST),
                given.number("nCpuMoe", 0),
                given.number("cacheBytes", 0) > 0 ? given.number("cacheBytes", 0) : 6L << 30);
        double bandwidth;
        try (Device device = gpu.open()) {
            bandwidth = bandwidth(device);
        }
        say(String.format(Locale.ROOT, "copying on the GPU: %.0f GB/s", bandwidth / 1e9));
        long before = System.nanoTime();
        ModelWeights weights = RandomWeights.of(config, 1);
        say(String.format(Locale.ROOT, "random weights: %.1f s", seconds(before)));
        Device device = gpu.open();
        long free = device.freeBytes();
        long loading = System.nanoTime();
        try (CudaModelRunner runner = new CudaModelRunner(
                device,
                Path.of("random"),
                config,
                weights,
                options,
                MemoryPlan.of(config, options),
                null,
                (done, all) -> {})) {
            double load = seconds(loading);
            long taken = free - device.freeBytes();
            say(String.format(
                    Locale.ROOT,
                    "loaded in %.1f s, %.1f GB of GPU memory: %s",
                    load,
                    taken / 1e9,
                    runner.description()));
            GpuBenchmark bench = new GpuBenchmark(config, runner, bandwidth, steps);
            StringBuilder json = new StringBuilder("{\n" + line("gpu", gpu.name())
                    + line("capability", gpu.capability() / 10.0)
                    + line("driver", Driver.words(gpu.driverVersion()))
                    + line("model", given.text("model", "20b"))
                    + line("layers", config.layers())
                    + line("experts", config.experts())
                    + line("copy_bytes_per_second", bandwidth)
                    + line("load_seconds", load)
                    + line("gpu_memory_bytes", taken));
            String failure = "";
            try {
                json.append(list("decode", bench.decode(depths)));
                json.append(list("batches", bench.batches(batches)));
                json.append(list("prefill", bench.prefill(prefill)));
                if (given.text("kernels", "false").equals("true")) {
                    json.append(list("kernels", bench.kernels(depths)));
                }
            } catch (RuntimeException e) {
                failure = String.valueOf(e.getMessage());
                say("failed: " + failure);
            }
            json.append(line("failure", failure.replace('"', '\'')).replace(",\n", "\n}\n"));
            String out = given.text("out", "");
            if (out.isEmpty()) {
                System.out.print(json);
            } else {
                Files.writeString(Path.of(out), json);
            }
            if (!failure.isEmpty()) {
                System.exit(1);
            }
        }
    }

    private static ModelConfig config(Arguments given) {
        String model = given.text("model", "20b");
        return switch (model) {
            case "20b", "120b" -> {
                ModelConfig c = model.equals("20b") ? ModelConfig.GPT_OSS_20B : ModelConfig.GPT_OSS_120B;
                OptionalInt layers = OptionalInt.of(given.number("layers", c.layers()));
                OptionalInt experts = OptionalInt.of(given.number("experts", c.experts()));
                yield Synthesis.like("gpt-oss-" + model, layers, experts);
            }
            case "tiny" ->
                new ModelConfig(
                        given.number("layers", 2),
                        given.number("experts", 8),
                        4,
                        1000,
                        96,
                        96,
                        64,
                        4,
                        2,
                        128,
                        4096,
                        150_000,
                        32,
                        4096,
                        1,
                        32,
                        7,
                        1e-5);
            default -> throw new IllegalArgumentException("model=" + model + ": 20b, 120b or tiny");
        };
    }

    /** Bytes read and written each second by a copy on the device: the best of some. */
    private static double bandwidth(Device device) {
        long bytes = Math.min(1L << 30, device.freeBytes() / 4);
        double best = 0;
        try (DeviceMemory from = DeviceMemory.allocate(device, bytes);
                DeviceMemory to = DeviceMemory.allocate(device, bytes);
                dev.ossicle.cuda.Stream stream = dev.ossicle.cuda.Stream.create(device);
                Event start = Event.create(device);
                Event end = Event.create(device)) {
            stream.fill(from, (byte) 1);
            for (int i = 0; i < 10; i++) {
                start.record(stream);
                stream.copy(from, to);
                end.record(stream);
                stream.synchronize();
                best = Math.max(best, 2 * bytes / (start.millisecondsUntil(end) / 1e3));
            }
        }
        return best;
    }

    private List<String> prefill(int[] lengths) {
        List<String> results = new ArrayList<>();
        for (int length : lengths) {
            if (length > runner.config().maxContext()) {
                results.add("{\"tokens\": " + length + ", \"left_out\": \"no room\"}");
                continue;
            }
            double best = Double.MAX_VALUE;
            for (int turn = 0; turn < 3; turn++) {
                try (KvSequence sequence = runner.newSequence(length)) {
                    long start = System.nanoTime();
                    step(List.of(new Chunk(sequence, tokens(length), 1)), new int[1]);
                    best = Math.min(best, seconds(start));
                }
            }
            results.add(String.format(
                    Locale.ROOT,
                    "{\"tokens\": %d, \"seconds\": %.4f, \"tokens_per_second\": %.1f}",
                    length,
                    best,
                    length / best));
            say("prefill " + results.getLast());
        }
        return results;
    }

    private List<String> decode(int[] depths) {
        List<String> results = new ArrayList<>();
        for (int depth : depths) {
            int most = depth + WARM_UP_STEPS + steps + 1;
            if (most > runner.config().maxContext()) {
                results.add("{\"depth\": " + depth + ", \"left_out\": \"no room\"}");
                continue;
            }
            try (KvSequence sequence = runner.newSequence(most)) {
                results.add(decode("depth", depth, List.of(sequence), Math.max(1, depth)));
            }
            say("decode " + results.getLast());
        }
        return results;
    }

    private List<String> batches(int[] sizes) {
        List<String> results = new ArrayList<>();
        for (int size : sizes) {
            int depth = Math.min(BATCH_DEPTH, runner.config().maxContext() / 2);
            List<KvSequence> sequences = new ArrayList<>();
            for (int i = 0; i < size; i++) {
                sequences.add(runner.newSequence(depth + WARM_UP_STEPS + steps + 1));
            }
            results.add(decode("sequences", size, sequences, depth));
            sequences.forEach(KvSequence::close);
            say("batch " + results.getLast());
        }
        return results;
    }

    /** Tells how long the kernels of one decode step take, and of one prompt as long as its depth. */
    private List<String> kernels(int[] depths) {
        List<String> results = new ArrayList<>();
        try (KernelClock clock = new KernelClock(runner, bandwidth / 2)) {
            for (int depth : depths) {
                if (depth + TIMED_PASSES > runner.config().maxContext()) {
                    continue;
                }
                int[] last = new int[1];
                try (KvSequence sequence = runner.newSequence(depth + TIMED_PASSES)) {
                    if (depth > 0) {
                        List<Chunk> prompt = List.of(new Chunk(sequence, tokens(depth), 1));
                        results.addAll(kernels("prefill", depth, clock.times(1, () -> step(prompt, last))));
                    }
                    results.addAll(kernels(
                            "decode",
                            depth,
                            clock.times(
                                    TIMED_PASSES,
                                    () -> step(List.of(new Chunk(sequence, new int[] {last[0]}, 1)), last))));
                }
            }
        }
        return results;
    }

    private static List<String> kernels(String pass, int depth, Map<String, KernelClock.Time> times) {
        double all = times.values().stream()
                .mapToDouble(KernelClock.Time::milliseconds)
                .sum();
        List<String> results = new ArrayList<>();
        times.forEach((name, time) -> {
            results.add(String.format(
                    Locale.ROOT,
                    "{\"pass\": \"%s\", \"tokens\": %d, \"kernel\": \"%s\", \"launches\": %d, \"ms\": %.4f, \"share\": %.3f}",
                    pass,
                    depth,
                    name,
                    time.launches(),
                    time.milliseconds(),
                    time.milliseconds() / all));
            say("kernel " + results.getLast());
        });
        return results;
    }

    private String decode(String what, int number, List<KvSequence> sequences, int depth) {
        int[] last = new int[sequences.size()];
        for (int i = 0; i < last.length; i++) {
            int[] drawn = new int[1];
            step(List.of(new Chunk(sequences.get(i), tokens(depth), 1)), drawn);
            last[i] = drawn[0];
        }
        double[] times = new double[steps];
        double[] host = new double[steps];
        for (int n = -WARM_UP_STEPS; n < steps; n++) {
            List<Chunk> batch = new ArrayList<>();
            for (int i = 0; i < last.length; i++) {
                batch.add(new Chunk(sequences.get(i), new int[] {last[i]}, 1));
            }
            long waited = runner.waitedNanos();
            long start = System.nanoTime();
            step(batch, last);
            if (n >= 0) {
                times[n] = seconds(start);
                host[n] = times[n] - (runner.waitedNanos() - waited) / 1e9;
            }
        }
        Arrays.sort(host);
        double all = Arrays.stream(times).sum();
        double[] sorted = times.clone();
        Arrays.sort(sorted);
        double perSecond = steps * sequences.size() / all;
        double bytes = bytesOfAToken(depth);
        return String.format(
                Locale.ROOT,
                "{\"%s\": %d, \"positions\": %d, \"tokens_per_second\": %.2f, \"step_ms_median\": %.4f, \"step_ms_most\": %.4f, \"host_ms_median\": %.4f, \"host_share\": %.4f%s}",
                what,
                number,
                depth,
                perSecond,
                sorted[steps / 2] * 1e3,
                sorted[steps - 1] * 1e3,
                host[steps / 2] * 1e3,
                host[steps / 2] / sorted[steps / 2],
                sequences.size() > 1
                        ? ""
                        : String.format(
                                Locale.ROOT,
                                ", \"bytes\": %.0f, \"bytes_per_second\": %.4g, \"share_of_copy_bandwidth\": %.3f",
                                bytes,
                                bytes * perSecond,
                                bytes * perSecond / bandwidth));
    }

    /** What one token must read: the weights that it uses, and its keys and values. */
    private double bytesOfAToken(int depth) {
        ModelConfig c = config;
        double expert = 3.0 * c.hidden() * c.intermediate() * 17 / 32;
        double attention = 2.0 * (2.0 * c.queryWidth() + 2 * c.kvWidth()) * c.hidden();
        double router = 4.0 * c.experts() * c.hidden();
        double weights =
                c.layers() * (attention + router + c.expertsPerToken() * expert) + 2.0 * c.vocabulary() * c.hidden();
        double cache = 0;
        for (int l = 0; l < c.layers(); l++) {
            cache += 4.0 * c.kvWidth() * (c.isWindowed(l) ? Math.min(depth, c.window()) : depth);
        }
        return weights + cache;
    }

    private void step(List<Chunk> batch, int[] drawn) {
        runner.forward(
                batch,
                (chunk, position, logits) ->
                        logits.sample(sampler, Sampling.GREEDY, position, null, token -> drawn[chunk] = token));
    }

    private int[] tokens(int count) {
        return random.ints(count, 0, config.vocabulary()).toArray();
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) / 1e9;
    }

    private static void say(String text) {
        System.err.println(text);
    }

    private static String line(String name, Object value) {
        return "  \"" + name + "\": " + (value instanceof Number ? value : "\"" + value + "\"") + ",\n";
    }

    private static String list(String name, List<String> values) {
        return "  \"" + name + "\": [\n    " + String.join(",\n    ", values) + "\n  ],\n";
    }

    private record Arguments(String[] given) {
        String text(String name, String otherwise) {
            return Stream.of(given)
                    .filter(argument -> argument.startsWith(name + "="))
                    .map(argument -> argument.substring(name.length() + 1))
                    .findFirst()
                    .orElse(otherwise);
        }

        int number(String name, int otherwise) {
            return Integer.parseInt(text(name, Integer.toString(otherwise)));
        }

        int[] numbers(String name, String otherwise) {
            return Stream.of(text(name, otherwise).split(","))
                    .mapToInt(Integer::parseInt)
                    .toArray();
        }
    }
}
