package dev.ossicle.cli;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.engine.ModelRunner;
import dev.ossicle.engine.ModelRunners;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What computes, the same for all commands that run a model. */
final class RunnerOptions {
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

    /** Says on {@code err}, once, why a better device was passed over. */
    ModelRunner open(Checkpoint checkpoint, PrintWriter err) {
        if (threads < 1 || threads > 1024) {
            throw new UsageException("--threads is " + threads + ", must be between 1 and 1024");
        }
        ModelRunners.Choice choice = choose();
        for (String warning : choice.warnings()) {
            err.println("ossicle: " + warning);
        }
        return choice.provider().open(checkpoint, threads);
    }

    private ModelRunners.Choice choose() {
        try {
            return ModelRunners.choose(device);
        } catch (IllegalArgumentException e) {
            throw new UsageException(Main.message(e));
        }
    }

    int threads() {
        return threads;
    }
}
