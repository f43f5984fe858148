package dev.ossicle.cli;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.cpu.Pack;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Weights as the kernels want them, in a file. */
@Command(
        name = "pack",
        description =
                "Writes a model's weights as the CPU's kernels want them, into a file beside it that opens at once.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Without it, each start copies the weights into memory in that order. The file is about as large as the model and is",
            "used whenever it is there; delete it when it is not wanted any more.",
            "",
            "Examples:",
            "  ossicle pack gpt-oss-20b.gguf              writes gpt-oss-20b.gguf.pack",
            "  ossicle pack ~/models/gpt-oss-20b          writes ossicle.pack in that folder",
        })
final class PackCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "MODEL", description = "A folder or a .gguf file.")
    private String model;

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            description = "Threads to use; all cores by default.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets what is required
    PackCommand() {}

    @Override
    public Integer call() throws IOException {
        if (threads < 1 || threads > 1024) {
            throw new UsageException("--threads is " + threads + ", must be between 1 and 1024");
        }
        PrintWriter err = spec.commandLine().getErr();
        try (Checkpoint checkpoint = Checkpoint.open(ModelLocation.local(model).path())) {
            Path target = Pack.beside(checkpoint);
            Progress progress = Progress.writing(err);
            long bytes = Pack.write(checkpoint, target, threads, progress::bytes);
            progress.end();
            err.println("wrote " + target + ", " + Sizes.bytes(bytes));
        }
        return 0;
    }
}
