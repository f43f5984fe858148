package dev.ossicle.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Whether a model is what it should be. */
@Command(
        name = "verify",
        description =
                "Checks a model: its files' digests, every weight, its tokenizer, and known answers of OpenAI's models.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Prints a report that says what was checked, to be pasted into an issue; exit status 1 if anything is wrong. All of the",
            "weights are read, which takes as long as the disk does.",
            "",
            "Examples:",
            "  ossicle verify gpt-oss-20b",
            "  ossicle verify model.gguf --quick",
        })
final class VerifyCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "MODEL", description = "A name, a folder or a .gguf file; or nano.")
    private String model;

    @Option(names = "--quick", description = "Leave out the known answers, which take minutes on a CPU.")
    private boolean quick;

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            description = "Threads to use; all cores by default.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets what is required
    VerifyCommand() {}

    @Override
    public Integer call() {
        if (threads < 1 || threads > 1024) {
            throw new UsageException("--threads is " + threads + ", must be between 1 and 1024");
        }
        PrintWriter out = spec.commandLine().getOut();
        ModelLocation.Local location = ModelLocation.local(model);
        out.printf(
                "ossicle %s, java %s, %s %s%n",
                Version.text(), Runtime.version(), System.getProperty("os.name"), System.getProperty("os.arch"));
        out.printf("model: %s, in %s%n", location.name(), location.path().toAbsolutePath());
        Verification verification = new Verification(
                location.path(), threads, out, spec.commandLine().getErr());
        verification.run(!quick);
        int failures = verification.failures();
        out.println(
                failures == 0
                        ? "nothing is wrong with it"
                        : failures == 1 ? "1 check failed" : failures + " checks failed");
        return failures == 0 ? 0 : 1;
    }
}
