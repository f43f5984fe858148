package dev.ossicle.cli;

import dev.ossicle.chat.LocalModel;
import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.engine.ModelRunner;
import dev.ossicle.engine.ModelRunners;
import dev.ossicle.engine.Precision;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What computes, the same for all commands that run a model. */
final class RunnerOptions {
    /** Room for everything but weights: the heap, and a cache of a few thousand positions. */
    private static final long RESERVED_BYTES = 1_500_000_000;

    @Option(
            names = "--device",
            paramLabel = "NAME",
            description = "What computes: cpu, or reference (plain loops, slow). The best one by default.")
    private @Nullable String device;

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            description = "Threads to compute with; all cores by default.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--precision",
            paramLabel = "NAME",
            defaultValue = "exact",
            description =
                    "exact: float32 activations throughout; fast: rounded in front of MXFP4 experts, which are copied to"
                            + " memory for it. Default: ${DEFAULT-VALUE}")
    private Precision precision = Precision.EXACT;

    /** Opens a checkpoint with its tokenizer; says on {@code err}, once, why a better device was passed over. */
    LocalModel open(ModelLocation.Local model, PrintWriter err) {
        if (device != null) {
            choose(); // a name that does not exist is a mistake in the command line, whatever the model
        }
        Precision possible = precision;
        if (precision == Precision.FAST) {
            try (Checkpoint checkpoint = Checkpoint.open(model.path())) {
                possible = precision(checkpoint.bytes(), err);
            }
        }
        return LocalModel.open(
                model.name(), model.path(), device, threads(), possible, warning -> err.println("ossicle: " + warning));
    }

    /** What was asked for. */
    Precision precision() {
        return precision;
    }

    /** What was asked for, unless there is no room for a copy of the weights. */
    private Precision precision(long bytes, PrintWriter err) {
        long available = MachineMemory.available().orElse(Long.MAX_VALUE);
        if (precision == Precision.FAST && available < bytes + RESERVED_BYTES) {
            err.println("ossicle: --precision fast needs " + Sizes.bytes(bytes + RESERVED_BYTES) + " of memory, "
                    + Sizes.bytes(available) + " are available: computing from the file instead");
            return Precision.EXACT;
        }
        return precision;
    }

    /** The same for tokens alone. */
    ModelRunner open(Checkpoint checkpoint, PrintWriter err) {
        ModelRunners.Choice choice = choose();
        for (String warning : choice.warnings()) {
            err.println("ossicle: " + warning);
        }
        return choice.provider().open(checkpoint, threads(), precision(checkpoint.bytes(), err));
    }

    private ModelRunners.Choice choose() {
        try {
            return ModelRunners.choose(device);
        } catch (IllegalArgumentException e) {
            throw new UsageException(Main.message(e));
        }
    }

    int threads() {
        if (threads < 1 || threads > 1024) {
            throw new UsageException("--threads is " + threads + ", must be between 1 and 1024");
        }
        return threads;
    }
}
