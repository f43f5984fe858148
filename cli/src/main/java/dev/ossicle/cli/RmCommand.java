package dev.ossicle.cli;

import dev.ossicle.models.Environment;
import dev.ossicle.models.hub.Removal;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Removes what {@code pull} stored. */
@Command(
        name = "rm",
        description =
                "Removes a model that `ossicle pull` stored, or what came of one. Other programs' models are left alone.",
        mixinStandardHelpOptions = true,
        footer = {"", "Example:", "  ossicle rm gpt-oss-20b"})
final class RmCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "MODEL", description = "As `ossicle list` names it.")
    private String model;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets what is required
    RmCommand() {}

    @Override
    public Integer call() throws IOException {
        PrintWriter err = spec.commandLine().getErr();
        Removal.Result removed = Removal.of(Environment.ofProcess(), model);
        err.println("ossicle: removed " + removed.repository() + ", " + Sizes.bytes(removed.bytes()));
        removed.left().forEach(path -> err.println("ossicle: left " + path + ", which pull did not put there"));
        return 0;
    }
}
