package dev.ossicle.cli;

import dev.ossicle.models.Environment;
import dev.ossicle.models.hub.HubOptions;
import dev.ossicle.models.hub.Pull;
import dev.ossicle.models.hub.PullProgress;
import dev.ossicle.models.hub.PullRequest;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Downloads a model. */
@Command(
        name = "pull",
        description =
                "Downloads a model from the Hugging Face hub: one copy of its weights, each file checked against its digest.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Stopped (Ctrl-C) or cut off, the same command goes on from there. Models go into OSSICLE_MODELS, or where the system",
            "keeps users' data. HF_TOKEN, HF_ENDPOINT, HTTPS_PROXY and NO_PROXY are honoured.",
            "",
            "Examples:",
            "  ossicle pull gpt-oss-20b                                  13.8 GB, OpenAI's own files",
            "  ossicle pull gpt-oss-120b                                 65.3 GB",
            "  ossicle pull gpt-oss-safeguard-20b",
            "  ossicle pull ggml-org/gpt-oss-20b-GGUF",
            "  ossicle pull unsloth/gpt-oss-20b-GGUF:Q4_K_M              of several GGUF files the one with this in its name",
        })
final class PullCommand implements Callable<Integer> {
    @Parameters(
            index = "0",
            paramLabel = "MODEL",
            description =
                    "gpt-oss-20b, gpt-oss-120b, gpt-oss-safeguard-20b, gpt-oss-safeguard-120b or OWNER/NAME[:FILE].")
    private String model;

    @Option(
            names = "--revision",
            paramLabel = "REV",
            description =
                    "A branch, tag or commit. Default: the commit that Ossicle knows of OpenAI's models, else main.")
    private @Nullable String revision;

    @Option(names = "--offline", description = "Ask nobody: succeed only if it is here.")
    private boolean offline;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets what is required
    PullCommand() {}

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter err = spec.commandLine().getErr();
        Environment environment = Environment.ofProcess();
        PullRequest request = PullRequest.of(model, revision);
        if (request.repository().startsWith("openai/gpt-oss-")) {
            err.println("ossicle: OpenAI's gpt-oss models: licence Apache-2.0, and a usage policy"
                    + " (https://huggingface.co/" + request.repository() + "/blob/main/USAGE_POLICY)");
        }
        Thread whenStopped = new Thread(() -> {
            err.println();
            err.println("ossicle: stopped; `ossicle pull " + model + "` goes on from here");
        });
        Runtime.getRuntime().addShutdownHook(whenStopped);
        Pull.Result result;
        try {
            result = Pull.run(environment.models(), HubOptions.of(environment, offline), request, progress(err));
        } finally {
            Interrupts.remove(whenStopped);
        }
        err.println("ossicle: " + request.repository() + (result.wasHere() ? " is here already, in " : " is in ")
                + result.folder() + ", " + Sizes.bytes(result.repository().bytes()));
        return 0;
    }

    private static PullProgress progress(PrintWriter err) {
        Transfer transfer = new Transfer(err, Terminal.ERROR);
        return new PullProgress() {
            @Override
            public void note(String line) {
                transfer.note("ossicle: " + line);
            }

            @Override
            public void bytes(long done, long total) {
                transfer.update(done, total);
            }
        };
    }
}
