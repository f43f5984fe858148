package dev.ossicle.cli;

import dev.ossicle.chat.Answer;
import dev.ossicle.chat.Chat;
import dev.ossicle.chat.ChatEvent;
import dev.ossicle.chat.ChatEvent.Done;
import dev.ossicle.chat.ChatEvent.Usage;
import dev.ossicle.chat.ChatModel;
import dev.ossicle.chat.ChatOptions;
import dev.ossicle.chat.Limits;
import dev.ossicle.chat.LocalModel;
import dev.ossicle.engine.EngineOptions;
import dev.ossicle.engine.Precision;
import dev.ossicle.engine.Sampling;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Asks once, streams the answer. */
@Command(
        name = "run",
        description = "Answers a prompt. The answer goes to standard output, the reasoning to standard error.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  ossicle run \"What is 2 + 3?\"",
            "  ossicle run gpt-oss-20b \"Why is the sky blue?\" --reasoning high",
            "  ossicle run gpt-oss-20b.gguf --file report.txt \"Summarise this report.\" > summary.txt",
            "  ossicle run https://host/v1#gpt-oss-120b \"Hello\"       a host; its key is in OSSICLE_API_KEY",
            "  ossicle run gpt-oss-20b.gguf --tools browser=notes,python \"What did we spend on travel in May?\"",
            "  ossicle run gpt-oss-20b.gguf --mcp \"npx -y @modelcontextprotocol/server-filesystem .\" \"What is here?\"",
            "  ossicle run gpt-oss-20b.gguf --mcp wiki=https://mcp.example.org/mcp \"Who wrote Emma?\"",
            "  ossicle run gpt-oss-20b.gguf                           at a terminal: a conversation, see ossicle chat --help",
            "  git diff | ossicle run gpt-oss-20b.gguf --system \"You review code.\"",
        })
final class RunCommand implements Callable<Integer> {
    @Parameters(
            arity = "0..*",
            paramLabel = "[MODEL] [PROMPT]",
            hideParamSyntax = true,
            description =
                    "A name, a folder or a .gguf file (if none is given a gpt-oss that is on this machine, else nano, the embedded"
                            + " model), and what to ask; a prompt that is not given is read from standard input; at a terminal"
                            + " a conversation begins.")
    private List<String> words = List.of();

    @Mixin
    private ConversationOptions conversation;

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description = "Text that is placed before the prompt; may be given several times.")
    private List<Path> files = List.of();

    @Option(
            names = "--prompt-cache",
            paramLabel = "FILE",
            description = "Keep what was computed of prompts in this file, for the next time that one begins alike.")
    private @Nullable Path promptCache;

    @Option(names = "--json", description = "Events as JSON lines on standard output.")
    private boolean json;

    @Option(
            names = {"-v", "--verbose"},
            description = "Timings, and a line that reproduces the run, on standard error.")
    private boolean verbose;

    @Mixin
    private RunnerOptions runnerOptions;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets what is required
    RunCommand() {}

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter err = spec.commandLine().getErr();
        if (words.size() > 2) {
            throw new UsageException(
                    "expected [MODEL] [PROMPT], found " + words.size() + " arguments: put the prompt in quotes");
        }
        String modelWord = words.size() == 2 || (words.size() == 1 && ModelLocation.isModel(words.getFirst()))
                ? words.getFirst()
                : null;
        String promptWord = words.size() == 2 || (words.size() == 1 && modelWord == null) ? words.getLast() : null;
        Sampling sampling = conversation.sampling();
        LocalDate today = conversation.today();
        Limits limits = conversation.limits();
        ModelLocation location = modelWord == null ? null : ModelLocation.of(modelWord);
        // Somebody sits there with nothing to ask yet.
        boolean converses = promptWord == null && files.isEmpty() && !json && Terminal.INPUT && Terminal.OUTPUT;
        String prompt = converses ? "" : prompt(promptWord, err);
        if (location == null) {
            location = ModelLocation.byDefault(err);
        }
        if (converses) {
            try (ChatModel model = runnerOptions.open(location, EngineOptions.DEFAULT, promptCache, err)) {
                return ChatCommand.converse(
                        model, conversation, verbose, spec.commandLine().getOut(), err);
            }
        }
        long start = System.nanoTime();
        try (RunTools opened = conversation.openTools(conversation.tools, err);
                ChatModel model = runnerOptions.open(location, EngineOptions.DEFAULT, promptCache, err)) {
            long loaded = System.nanoTime() - start;
            Chat chat = model.chat()
                    .instructions(conversation.system)
                    .sessions(opened.sessions())
                    .limits(limits)
                    .options(ChatOptions.DEFAULT
                            .withEffort(conversation.reasoning)
                            .withSampling(sampling)
                            .withSeed(sampling.seed())
                            .withDate(today));
            PrintWriter out = spec.commandLine().getOut();
            Consumer<ChatEvent> writer = json
                    ? new JsonWriter(out, conversation.hideReasoning)
                    : new PlainWriter(out, err, conversation.hideReasoning);
            Done done;
            try (Answer answer = chat.ask(prompt);
                    Interrupts ignored = new Interrupts(answer)) {
                answer.forEach(writer);
                done = answer.done();
            }
            if (verbose) {
                report(err, model, done.usage(), loaded, System.nanoTime() - start);
                err.println("reproduce:            "
                        + ShellWords.join(reproduction(modelWord, promptWord, sampling, today))
                        + (promptWord == null ? " < (the same input)" : ""));
            }
        }
        return 0;
    }

    private String prompt(@Nullable String given, PrintWriter err) throws IOException {
        StringBuilder prompt = new StringBuilder();
        for (Path file : files) {
            String text = Files.readString(file);
            prompt.append(text).append(text.endsWith("\n") ? "\n" : "\n\n");
        }
        if (given == null) {
            if (Terminal.INPUT) {
                err.println("ossicle: type the prompt, end it with Ctrl-D (or give it as an argument)");
            }
            prompt.append(new String(System.in.readAllBytes(), StandardCharsets.UTF_8).strip());
        } else {
            prompt.append(given);
        }
        if (prompt.toString().isBlank()) {
            throw new UsageException("the prompt is empty: give it as an argument or on standard input");
        }
        return prompt.toString();
    }

    /** The rows of {@code ollama run --verbose}, and what computed. */
    private static void report(PrintWriter err, ChatModel model, Usage usage, long loaded, long total) {
        row(err, "model", model.name());
        if (model instanceof LocalModel local) {
            row(err, "device", local.device());
        }
        row(err, "total duration", seconds(total * 1e-9));
        row(err, "load duration", seconds(loaded * 1e-9));
        row(err, "prompt eval count", usage.promptTokens() + " token(s)");
        row(err, "prompt eval duration", seconds(usage.promptSeconds()));
        row(err, "prompt eval rate", rate(usage.promptTokens(), usage.promptSeconds()));
        row(err, "eval count", usage.completionTokens() + " token(s)");
        row(err, "eval duration", seconds(usage.completionSeconds()));
        row(err, "eval rate", rate(usage.completionTokens(), usage.completionSeconds()));
        MachineMemory.peakResident().ifPresent(bytes -> row(err, "peak memory", Sizes.bytes(bytes)));
    }

    private List<String> reproduction(
            @Nullable String modelWord, @Nullable String promptWord, Sampling sampling, LocalDate today) {
        List<String> line = new ArrayList<>(List.of("ossicle", "run"));
        if (modelWord != null) {
            line.add(modelWord);
        }
        line.addAll(conversation.words(sampling, today));
        line.addAll(List.of(
                "--precision", runnerOptions.precision(Precision.FAST).name().toLowerCase(Locale.ROOT)));
        Path adapter = runnerOptions.adapter();
        if (adapter != null) {
            line.addAll(List.of("--lora", adapter.toString()));
        }
        files.forEach(file -> line.addAll(List.of("--file", file.toString())));
        if (promptWord != null) {
            line.addAll(List.of("--", promptWord));
        }
        return line;
    }

    private static String seconds(double seconds) {
        return String.format(Locale.ROOT, "%.3fs", seconds);
    }

    private static String rate(int tokens, double seconds) {
        // A host that streams does not say how long it took.
        return seconds == 0 ? "unknown" : String.format(Locale.ROOT, "%.2f tokens/s", tokens / seconds);
    }

    private static void row(PrintWriter err, String name, String value) {
        err.printf("%-21s %s%n", name + ":", value);
    }
}
