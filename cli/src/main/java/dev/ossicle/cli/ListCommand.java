package dev.ossicle.cli;

import dev.ossicle.models.Environment;
import dev.ossicle.models.FoundModel;
import dev.ossicle.models.Shelves;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What is on this machine. */
@Command(
        name = "list",
        aliases = "ls",
        description = "Lists the gpt-oss models on this machine, whichever program put them there.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Looks into Ossicle's own folder (OSSICLE_MODELS), the Hugging Face cache (HF_HOME, HF_HUB_CACHE), Ollama's models",
            "(OLLAMA_MODELS), llama.cpp's cache (LLAMA_CACHE) and LM Studio's folders, and changes nothing there. Each model can",
            "be run by its name.",
            "",
            "Examples:",
            "  ossicle list",
            "  ossicle list --paths",
        })
final class ListCommand implements Callable<Integer> {
    @Option(names = "--paths", description = "Say where each one is.")
    private boolean paths;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets what is required
    ListCommand() {}

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        Shelves shelves = new Shelves(Environment.ofProcess());
        List<FoundModel> models = shelves.all();
        if (models.isEmpty()) {
            PrintWriter err = spec.commandLine().getErr();
            err.println("ossicle: there is no gpt-oss model on this machine; looked in");
            for (Path folder : shelves.folders()) {
                err.println("  " + folder);
            }
            err.println("ossicle: `ossicle pull gpt-oss-20b` gets one; until then there is nano, the embedded model");
            return 0;
        }
        int width =
                models.stream().mapToInt(model -> model.name().length()).max().orElse(0);
        String row = "%-" + Math.max(4, width) + "s  %9s  %-11s  %-18s  %s%n";
        out.printf(row, "NAME", "SIZE", "FORMAT", "FROM", paths ? "PATH" : "MODIFIED");
        for (FoundModel model : models) {
            String last = paths
                    ? model.path().toString()
                    : model.modified().toString().substring(0, 10);
            String problem = model.problem() == null ? "" : "  (" + model.problem() + ")";
            out.printf(
                    Locale.ROOT,
                    row,
                    model.name(),
                    Sizes.bytes(model.bytes()),
                    model.format(),
                    model.source(),
                    last + problem);
        }
        return 0;
    }
}
