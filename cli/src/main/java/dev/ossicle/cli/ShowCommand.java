package dev.ossicle.cli;

import dev.ossicle.chat.ModelTokenizer;
import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.checkpoint.ExpertWeights;
import dev.ossicle.checkpoint.LayerWeights;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.checkpoint.ModelWeights;
import dev.ossicle.checkpoint.TokenizerSource;
import dev.ossicle.cpu.ReadBandwidth;
import java.io.PrintWriter;
import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** What a checkpoint is and what running it takes. */
@Command(
        name = "show",
        description = "Says what a checkpoint is, the memory that running it needs and the speed to expect here.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  ossicle show ~/models/gpt-oss-20b",
            "  ossicle show gpt-oss-120b.gguf --tensors",
            "  ossicle show                       the embedded model",
        })
final class ShowCommand implements Callable<Integer> {
    @Parameters(arity = "0..1", paramLabel = "MODEL", description = "A folder or a .gguf file; nano by default.")
    private @Nullable String model;

    @Option(names = "--tensors", description = "List every tensor too.")
    private boolean tensors;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets what is required
    ShowCommand() {}

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        ModelLocation.Local location = ModelLocation.local(model);
        try (Checkpoint checkpoint = Checkpoint.open(location.path())) {
            describe(location, checkpoint, out);
            expect(checkpoint, out);
            if (tensors) {
                listTensors(checkpoint, out);
            }
        }
        return 0;
    }

    private static void describe(ModelLocation.Local location, Checkpoint checkpoint, PrintWriter out) {
        ModelConfig config = checkpoint.config();
        row(out, "model", location.name() + (location.isNano() ? " (embedded demonstration model)" : ""));
        row(out, "path", location.path().toAbsolutePath());
        row(out, "layout", checkpoint.layout());
        row(
                out,
                "parameters",
                Sizes.count(config.parameters()) + ", " + Sizes.count(config.activeParameters())
                        + " active for a token");
        row(out, "layers", config.layers() + ", alternating a window of " + config.window() + " and the full context");
        row(out, "experts", config.expertsPerToken() + " of " + config.experts() + " in each layer");
        row(out, "hidden size", config.hidden() + ", " + config.intermediate() + " inside an expert");
        row(
                out,
                "heads",
                config.heads() + " for queries, " + config.kvHeads() + " for keys and values, of " + config.headDim());
        row(out, "context", config.maxContext() + " tokens");
        row(out, "vocabulary", config.vocabulary());
        row(out, "tokenizer", tokenizer(checkpoint));
        row(out, "weights", Sizes.bytes(checkpoint.bytes()) + formats(checkpoint));
    }

    private static String tokenizer(Checkpoint checkpoint) {
        return switch (checkpoint.tokenizer()) {
            case TokenizerSource.JsonFile(var file) -> file.getFileName().toString();
            case TokenizerSource.GgufVocabulary ignored -> "in the file";
            case TokenizerSource.None ignored ->
                ModelTokenizer.isO200k(checkpoint) ? "none in the checkpoint; o200k_harmony fits" : "none";
        };
    }

    private static String formats(Checkpoint checkpoint) {
        Map<String, Long> byFormat = checkpoint.tensors().stream()
                .collect(Collectors.groupingBy(
                        Checkpoint.TensorInfo::format, Collectors.summingLong(Checkpoint.TensorInfo::bytes)));
        return byFormat.entrySet().stream()
                .sorted(Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder()))
                .map(e -> e.getKey() + " " + Sizes.bytes(e.getValue()))
                .collect(Collectors.joining(", ", " (", ")"));
    }

    private static void expect(Checkpoint checkpoint, PrintWriter out) {
        ModelConfig config = checkpoint.config();
        int few = Math.min(4096, config.maxContext());
        row(
                out,
                "memory to run",
                Sizes.bytes(checkpoint.bytes() + cacheBytes(config, few)) + " with a context of " + few + ", "
                        + Sizes.bytes(checkpoint.bytes() + cacheBytes(config, config.maxContext()))
                        + " with all of it; this machine has "
                        + Sizes.bytes(MachineMemory.total()));
        long read = bytesPerToken(checkpoint.weights(), config);
        int threads = Runtime.getRuntime().availableProcessors();
        double bandwidth = ReadBandwidth.measure(threads);
        row(
                out,
                "speed here",
                String.format(
                        Locale.ROOT,
                        "at most %.1f tokens/s: a token reads %s, %d threads read %s/s",
                        bandwidth / read,
                        Sizes.bytes(read),
                        threads,
                        Sizes.bytes(bandwidth)));
        if (checkpoint.bytes() > MachineMemory.total()) {
            row(out, "", "the weights do not fit into memory: every token will wait for the disk");
        }
    }

    /** Keys and values in 32-bit floats: every position in the full layers, the window and as much slack in the others. */
    private static long cacheBytes(ModelConfig config, int context) {
        long perPosition = 2L * config.kvWidth() * Float.BYTES;
        long full = config.layers() / 2;
        long windowed = config.layers() - full;
        return perPosition * (full * context + windowed * Math.min(context, 2L * config.window()));
    }

    /** Weights that one decoded token reads: all but the embedding and the experts that were not picked. */
    private static long bytesPerToken(ModelWeights weights, ModelConfig config) {
        long bytes = weights.unembedding().bytes();
        for (LayerWeights layer : weights.layers()) {
            bytes += layer.query().bytes()
                    + layer.key().bytes()
                    + layer.value().bytes()
                    + layer.out().bytes()
                    + layer.router().bytes();
            ExpertWeights expert = layer.experts().getFirst();
            bytes += config.expertsPerToken()
                    * (expert.gate().bytes()
                            + expert.up().bytes()
                            + expert.down().bytes());
        }
        return bytes;
    }

    private static void listTensors(Checkpoint checkpoint, PrintWriter out) {
        out.println();
        for (Checkpoint.TensorInfo tensor : checkpoint.tensors()) {
            out.printf(
                    "%-52s %-6s %-22s %10s%n",
                    tensor.name(), tensor.format(), tensor.shape(), Sizes.bytes(tensor.bytes()));
        }
    }

    private static void row(PrintWriter out, String name, Object value) {
        out.printf("%-14s %s%n", name, value);
    }
}
