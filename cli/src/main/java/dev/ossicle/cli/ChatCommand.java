package dev.ossicle.cli;

import dev.ossicle.chat.ChatModel;
import dev.ossicle.chat.ChatOptions;
import dev.ossicle.cli.terminal.ChatSession;
import dev.ossicle.cli.terminal.Console;
import dev.ossicle.cli.terminal.OpenTools;
import dev.ossicle.cli.terminal.ReasoningDisplay;
import dev.ossicle.cli.terminal.StateFolder;
import dev.ossicle.cli.terminal.TerminalConsole;
import dev.ossicle.engine.EngineOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** A conversation: at a terminal with a line editor, else a line of input for each turn. */
@Command(
        name = "chat",
        description = "Talks with a model at the terminal. /? lists what can be typed instead of a question.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  ossicle chat                                        a gpt-oss that is here, else the embedded model",
            "  ossicle chat ~/models/gpt-oss-20b --reasoning high",
            "  ossicle chat gpt-oss-20b.gguf --tools python        it may compute",
            "  ossicle chat https://host/v1#gpt-oss-120b           a host; its key is in OSSICLE_API_KEY",
            "  ossicle chat gpt-oss-20b.gguf < questions.txt       each line is a turn, answers go to standard output",
            "",
            "What is typed is remembered, and conversations are kept, below OSSICLE_STATE or where the system keeps such",
            "things (~/.local/state/ossicle). NO_COLOR=1 switches colours off.",
        })
final class ChatCommand implements Callable<Integer> {
    /** What the line editor completes behind {@code /tools}. */
    private static final List<String> TOOLS = List.of("python", "browser=", "apply_patch=", "none");

    @Parameters(
            arity = "0..1",
            paramLabel = "MODEL",
            description =
                    "A name, a folder, a .gguf file or https://host/v1#MODEL; if none is given a gpt-oss that is on this machine,"
                            + " else nano, the embedded model.")
    private @Nullable String modelWord;

    @Mixin
    private ConversationOptions conversation;

    @Option(
            names = {"-v", "--verbose"},
            description = "Timings after each answer.")
    private boolean verbose;

    @Mixin
    private RunnerOptions runnerOptions;

    @Spec
    private CommandSpec spec;

    @SuppressWarnings("NullAway.Init") // picocli sets what is required
    ChatCommand() {}

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter err = spec.commandLine().getErr();
        ModelLocation location = modelWord == null ? ModelLocation.byDefault(err) : ModelLocation.of(modelWord);
        try (ChatModel model = runnerOptions.open(location, EngineOptions.DEFAULT, null, err)) {
            return converse(model, conversation, verbose, spec.commandLine().getOut(), err);
        }
    }

    /** Talks until the user leaves; returns the exit status. */
    static int converse(
            ChatModel model, ConversationOptions conversation, boolean verbose, PrintWriter out, PrintWriter err)
            throws IOException, InterruptedException {
        ChatOptions options = ChatOptions.DEFAULT
                .withEffort(conversation.reasoning)
                .withSampling(conversation.sampling())
                .withDate(conversation.today());
        if (conversation.seed != null) {
            options = options.withSeed(conversation.seed);
        }
        Path folder = StateFolder.usual();
        try (Console console = console(folder, conversation.hideReasoning, out, err);
                ChatSession session = new ChatSession(
                        model,
                        console,
                        folder,
                        names -> {
                            RunTools opened = conversation.openTools(names, err);
                            return new OpenTools(names, List.of(opened.sessions()), opened::close);
                        },
                        conversation.tools,
                        conversation.system,
                        options,
                        conversation.limits(),
                        conversation.hideReasoning ? ReasoningDisplay.HIDE : ReasoningDisplay.FOLD,
                        verbose)) {
            if (console instanceof TerminalConsole) {
                console.remark(model.name() + " · /? for help, Ctrl-D to leave");
            }
            int failures = session.run();
            return console instanceof TerminalConsole || failures == 0 ? 0 : 1;
        }
    }

    private static Console console(Path folder, boolean hideReasoning, PrintWriter out, PrintWriter err)
            throws IOException {
        if (!Terminal.INPUT || !Terminal.OUTPUT) {
            return new PipeConsole(
                    new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)),
                    out,
                    err,
                    hideReasoning);
        }
        return new TerminalConsole(
                TerminalBuilder.builder()
                        .system(true)
                        .dumb(true)
                        .encoding(StandardCharsets.UTF_8)
                        .build(),
                folder,
                TOOLS,
                Terminal.COLORS,
                writer -> new PlainWriter(writer, writer, hideReasoning, true),
                System::nanoTime);
    }
}
