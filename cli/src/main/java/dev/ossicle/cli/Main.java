package dev.ossicle.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code ossicle}: exit status 0, 1 for a failure, 2 for a command that cannot be understood. */
@Command(
        name = "ossicle",
        description = "Runs OpenAI's gpt-oss models, natively on the JVM.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        subcommands = {
            RunCommand.class,
            ChatCommand.class,
            ServeCommand.class,
            PullCommand.class,
            ListCommand.class,
            ShowCommand.class,
            VerifyCommand.class,
            RmCommand.class,
            DoctorCommand.class,
            LogitsCommand.class,
            TokenizeCommand.class,
            HarmonyCommand.class,
            SynthCommand.class,
            BenchCommand.class,
            PackCommand.class,
        },
        synopsisSubcommandLabel = "COMMAND",
        footer = {
            "",
            "Examples:",
            "  ossicle run \"What is 2 + 3?\"                    ask the embedded demonstration model",
            "  ossicle pull gpt-oss-20b                         download OpenAI's model (13.8 GB)",
            "  ossicle run gpt-oss-20b \"Why is the sky blue?\"    ... or run it from where Ollama or others keep it",
            "  ossicle run gpt-oss-20b.gguf --reasoning high --file notes.txt \"Summarise this.\"",
            "  ossicle chat ~/models/gpt-oss-20b                a conversation at the terminal",
            "  ossicle serve ~/models/gpt-oss-20b               answer OpenAI's, Ollama's and Anthropic's clients",
            "  ossicle show ~/models/gpt-oss-120b               what it is and what it needs",
            "  ossicle doctor                                   what this machine can do",
            "",
            "Also: ossicle train --help (its own program; see docs/training.md).",
        })
public final class Main implements Runnable {
    @Option(names = "--debug", description = "Print the stack trace of a failure.", scope = ScopeType.INHERIT)
    private boolean debug;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets the spec before anything runs
    public Main() {}

    public static void main(String[] arguments) {
        System.exit(run(
                new PrintWriter(System.out, false, StandardCharsets.UTF_8),
                new PrintWriter(System.err, true, StandardCharsets.UTF_8),
                arguments));
    }

    /** Runs one command; returns the exit status. */
    static int run(PrintWriter out, PrintWriter err, String... arguments) {
        Main main = new Main();
        int status = new CommandLine(main)
                .setOut(out)
                .setErr(err)
                .setExpandAtFiles(false) // "@" begins file names of our own options, and prompts
                .setUsageHelpWidth(110)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler((failure, commandLine, parsed) -> {
                    err.println("ossicle: " + message(failure));
                    if (main.debug) {
                        failure.printStackTrace(err);
                    }
                    return failure instanceof UsageException ? 2 : 1;
                })
                .execute(arguments);
        out.flush();
        err.flush();
        // PrintWriter swallows write errors; a full disk or a closed pipe must not look like success.
        return status == 0 && out.checkError() ? 1 : status;
    }

    /** One line that says what and where. */
    static String message(Throwable failure) {
        String text = failure.getMessage();
        String message = switch (failure) {
            case NoSuchFileException e -> e.getFile() + ": no such file";
            case AccessDeniedException e -> e.getFile() + ": permission denied";
            case InternalError e -> // how the JVM reports a mapped file that was cut short meanwhile
                "a file was changed while it was in use, or could not be read: " + text;
            case OutOfMemoryError e ->
                "out of memory: give the JVM more with OSSICLE_JAVA_OPTIONS=-Xmx8g, or use a smaller context (" + text
                        + ")";
            default -> text == null ? failure.toString() : text;
        };
        return message.replace("\n", " ");
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing command");
    }
}
