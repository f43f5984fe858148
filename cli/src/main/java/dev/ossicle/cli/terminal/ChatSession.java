package dev.ossicle.cli.terminal;

import dev.ossicle.chat.Answer;
import dev.ossicle.chat.Chat;
import dev.ossicle.chat.ChatEvent;
import dev.ossicle.chat.ChatEvent.Done;
import dev.ossicle.chat.ChatEvent.Finish;
import dev.ossicle.chat.ChatModel;
import dev.ossicle.chat.ChatOptions;
import dev.ossicle.chat.Limits;
import dev.ossicle.chat.LocalModel;
import dev.ossicle.engine.Sampling;
import dev.ossicle.harmony.Message;
import dev.ossicle.harmony.ReasoningEffort;
import dev.ossicle.harmony.Role;
import dev.ossicle.harmony.ToolDescription;
import dev.ossicle.harmony.ToolNamespace;
import dev.ossicle.json.Json;
import dev.ossicle.tools.ToolSession;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Questions and answers until there is nothing more to say. What goes wrong with an answer, a tool or a file is told, and the
 * conversation goes on. Not thread-safe.
 */
public final class ChatSession implements AutoCloseable {
    private static final String QUOTES = "\"\"\"";

    private final ChatModel model;
    private final Console console;
    private final OpenTools.Opener opener;
    private final ConversationStore store;
    private Chat chat;
    private OpenTools tools;
    private @Nullable String instructions;
    private Limits limits;
    private ReasoningDisplay display;
    private boolean verbose;
    private @Nullable Json answerSchema;
    private Transcript last = new Transcript();
    /** Asked in vain, and so no part of the history. */
    private @Nullable String failedQuestion;

    /** Indices in the history of messages that were stopped. */
    private final Set<Integer> cut = new TreeSet<>();

    private int failures;

    /**
     * @param folder for what is kept between sessions
     * @param names of tools to begin with
     * @throws RuntimeException if one of them cannot be had
     */
    public ChatSession(
            ChatModel model,
            Console console,
            Path folder,
            OpenTools.Opener opener,
            List<String> names,
            @Nullable String instructions,
            ChatOptions options,
            Limits limits,
            ReasoningDisplay display,
            boolean verbose)
            throws IOException, InterruptedException {
        this.model = model;
        this.console = console;
        this.opener = opener;
        this.store = store(folder);
        this.instructions = instructions;
        this.limits = limits;
        this.display = display;
        this.verbose = verbose;
        this.tools = opener.open(names);
        this.chat = chat(options, List.of());
    }

    /** Conversations that were kept in a folder for state. */
    static ConversationStore store(Path folder) {
        return new ConversationStore(folder.resolve("conversations"));
    }

    private Chat chat(ChatOptions options, List<Message> history) {
        return model.chat()
                .instructions(instructions)
                .options(options)
                .limits(limits)
                .sessions(tools.sessions().toArray(ToolSession[]::new))
                .history(history);
    }

    /**
     * Talks until the user leaves.
     *
     * @return turns and commands that failed
     */
    public int run() throws IOException, InterruptedException {
        for (String line = console.read(); line != null; line = console.read()) {
            if (line.isBlank()) {
                continue;
            }
            if (!Command.isCommand(line)) {
                ask(unquoted(line));
                continue;
            }
            Command.Entered entered = Command.parse(line);
            if (entered == null) {
                unknown(line.strip().split("\\s+", 2)[0]);
                continue;
            }
            if (entered.command() == Command.BYE) {
                break;
            }
            try {
                obey(entered.command(), entered.rest());
            } catch (IOException | RuntimeException e) {
                failed(e);
            }
        }
        return failures;
    }

    /** Whether three quotes begin a text that has not ended. */
    public static boolean isOpenQuote(String text) {
        String begun = text.stripLeading();
        return begun.startsWith(QUOTES)
                && (begun.length() < 2 * QUOTES.length()
                        || !begun.stripTrailing().endsWith(QUOTES));
    }

    static String unquoted(String text) {
        String stripped = text.strip();
        if (!stripped.startsWith(QUOTES) || isOpenQuote(text)) {
            return stripped;
        }
        return stripped.substring(QUOTES.length(), stripped.length() - QUOTES.length())
                .strip();
    }

    private void unknown(String word) {
        failures++;
        String nearest = Command.nearest(word, Command.words());
        console.say("there is no command " + word + (nearest == null ? "; " : ": " + nearest + "? ")
                + "/? lists them (to say something that begins with /, put a space in front)");
    }

    private void failed(Throwable failure) {
        failures++;
        console.say(failure.getMessage() == null ? failure.toString() : failure.getMessage());
    }

    private void ask(String question) {
        if (question.isEmpty()) {
            return;
        }
        failedQuestion = null;
        List<Message> past = chat.history();
        long start = System.nanoTime();
        Transcript transcript = new Transcript();
        last = transcript;
        try (Answer answer = chat.ask(question, answerSchema);
                Console.Interruption ignored = console.interruptible(answer)) {
            Consumer<ChatEvent> view = console.answer(display);
            answer.forEach(event -> {
                transcript.add(event);
                view.accept(event);
            });
            Done done = answer.done();
            if (done.finish() == Finish.CANCELLED) {
                markCut();
            }
            remark(done, answer.contextTokens(), (System.nanoTime() - start) * 1e-9);
        } catch (RuntimeException e) {
            chat.history(past);
            failedQuestion = question;
            failed(e);
            console.say("the question is not part of the conversation; /retry asks it again");
        }
    }

    private void markCut() {
        List<Message> history = chat.history();
        if (history.getLast().role() == Role.ASSISTANT) {
            cut.add(history.size() - 1);
        }
    }

    private void remark(Done done, int contextTokens, double seconds) {
        StringBuilder line = new StringBuilder();
        var usage = done.usage();
        if (usage.completionSeconds() > 0 && usage.completionTokens() > 1) {
            line.append(String.format(
                    Locale.ROOT, "%.1f tokens/s · ", usage.completionTokens() / usage.completionSeconds()));
        }
        if (contextTokens > 0) {
            line.append(String.format(Locale.ROOT, "%,d", contextTokens))
                    .append(
                            model instanceof LocalModel local
                                    ? String.format(
                                            Locale.ROOT,
                                            " of %,d tokens",
                                            local.engine().config().maxContext())
                                    : " tokens")
                    .append(" · ");
        }
        console.remark(
                line.append(String.format(Locale.ROOT, "%.1f s", seconds)).toString());
        if (verbose) {
            console.remark(String.format(
                    Locale.ROOT,
                    "prompt: %,d tokens, %,d of them cached, %.2f s; answer: %,d tokens, %,d of them reasoning, %.2f s",
                    usage.promptTokens(),
                    usage.cachedTokens(),
                    usage.promptSeconds(),
                    usage.completionTokens(),
                    usage.reasoningTokens(),
                    usage.completionSeconds()));
        }
        console.remark("");
    }

    private void obey(Command command, String rest) throws IOException, InterruptedException {
        switch (command) {
            case HELP -> console.say(Help.text(rest));
            case SET -> set(rest);
            case SHOW -> show(rest);
            case REASONING -> reasoning(rest);
            case SYSTEM -> system(rest);
            case TOOLS -> tools(rest);
            case RETRY -> retry();
            case UNDO -> undo();
            case COPY -> copy();
            case SAVE -> save(rest);
            case LOAD -> load(rest);
            case CLEAR -> clear();
            case BYE -> throw new IllegalStateException("the loop ends before");
        }
    }

    private void set(String rest) throws IOException, InterruptedException {
        String[] words = rest.split("\\s+", 2);
        String value = words.length < 2 ? "" : words[1];
        switch (words[0]) {
            case "" -> console.say(Help.text("set"));
            case "parameter" -> parameter(value);
            case "system" -> system(value);
            case "think" -> reasoning(value.isEmpty() ? "fold" : value);
            case "nothink" -> {
                reasoning("low");
                reasoning("hide");
            }
            case "verbose", "quiet" -> {
                verbose = words[0].equals("verbose");
                console.say(verbose ? "timings follow each answer" : "one line follows each answer");
            }
            case "history", "nohistory" -> {
                boolean on = words[0].equals("history");
                console.remember(on);
                console.say(on ? "what you type is remembered" : "what you type is no longer remembered");
            }
            case "format" -> {
                if (!value.equals("json")) {
                    throw new IllegalArgumentException("/set format json is the only one; /set noformat ends it");
                }
                answerSchema = Json.parse("{\"type\":\"object\"}");
                console.say("answers are JSON objects");
            }
            case "noformat" -> {
                answerSchema = null;
                console.say("answers are free text");
            }
            default -> throw unknownValue("/set", words[0], Command.SETTINGS);
        }
    }

    private static IllegalArgumentException unknownValue(String command, String word, List<String> values) {
        String nearest = Command.nearest(word, values);
        return new IllegalArgumentException("there is no " + command + " " + word
                + (nearest == null ? "." : ": " + nearest + "?") + " There are: " + String.join(", ", values));
    }

    private void parameter(String rest) {
        String[] words = rest.split("\\s+", -1);
        if (words.length != 2) {
            throw new IllegalArgumentException(
                    "/set parameter NAME VALUE, where NAME is one of " + String.join(", ", Command.PARAMETERS));
        }
        ChatOptions options = chat.options();
        Sampling sampling = options.sampling();
        String value = words[1];
        try {
            switch (words[0]) {
                case "temperature" -> options = options.withTemperature(Double.parseDouble(value));
                case "top_p" ->
                    options = options.withSampling(new Sampling(
                            sampling.temperature(),
                            Double.parseDouble(value),
                            sampling.topK(),
                            sampling.minP(),
                            sampling.seed()));
                case "top_k" ->
                    options = options.withSampling(new Sampling(
                            sampling.temperature(),
                            sampling.topP(),
                            Integer.parseInt(value),
                            sampling.minP(),
                            sampling.seed()));
                case "min_p" ->
                    options = options.withSampling(new Sampling(
                            sampling.temperature(),
                            sampling.topP(),
                            sampling.topK(),
                            Double.parseDouble(value),
                            sampling.seed()));
                case "seed" -> options = options.withSeed(Long.parseLong(value));
                case "num_predict" -> limits = limits.withTokens(Integer.parseInt(value));
                default -> throw unknownValue("/set parameter", words[0], Command.PARAMETERS);
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(words[0] + ": " + value + " is no number", e);
        }
        chat.options(options).limits(limits);
        console.say(words[0] + " is " + value);
    }

    private void show(String rest) {
        switch (rest) {
            case "", "last" -> {
                if (last.all().isEmpty()) {
                    throw new IllegalArgumentException("there is no answer yet");
                }
                console.say(last.all());
            }
            case "info" -> console.say(info());
            case "parameters" -> console.say(parameters());
            case "system" -> console.say(instructions == null ? "no instructions" : instructions);
            case "tools" -> console.say("tools: " + toolNames());
            case "history" -> console.say(history());
            default ->
                throw unknownValue("/show", rest, List.of("last", "info", "parameters", "system", "tools", "history"));
        }
    }

    private String info() {
        StringBuilder info = new StringBuilder("model     " + model.name());
        if (model instanceof LocalModel local) {
            info.append("\ndevice    " + local.device());
            info.append(String.format(
                    Locale.ROOT,
                    "\ncontext   %,d tokens",
                    local.engine().config().maxContext()));
        }
        return info.append("\ntools     " + toolNames())
                .append("\nmessages  " + chat.history().size())
                .toString();
    }

    private String parameters() {
        ChatOptions options = chat.options();
        Sampling sampling = options.sampling();
        return "reasoning    " + options.effort().name().toLowerCase(Locale.ROOT) + ", "
                + display.name().toLowerCase(Locale.ROOT)
                + "\ntemperature  " + sampling.temperature()
                + "\ntop_p        " + sampling.topP()
                + "\ntop_k        " + sampling.topK()
                + "\nmin_p        " + sampling.minP()
                + "\nseed         " + (options.seeded() ? String.valueOf(sampling.seed()) : "a new one each time")
                + "\nnum_predict  "
                + (limits.tokens() == Integer.MAX_VALUE ? "as far as the context reaches" : limits.tokens());
    }

    private String history() {
        StringBuilder text = new StringBuilder();
        List<Message> history = chat.history();
        for (int i = 0; i < history.size(); i++) {
            Message message = history.get(i);
            String who = message.role() == Role.TOOL && message.name() != null
                    ? message.name()
                    : message.role().text();
            text.append(text.isEmpty() ? "" : "\n\n").append(who);
            if (Message.ANALYSIS.equals(message.channel()) && message.role() == Role.ASSISTANT) {
                text.append(" (reasoning)");
            }
            if (message.recipient() != null && message.role() == Role.ASSISTANT) {
                text.append(" to ").append(message.recipient());
            }
            text.append(cut.contains(i) ? " (stopped):\n" : ":\n").append(message.text());
        }
        return text.isEmpty() ? "nothing was said yet" : text.toString();
    }

    private void reasoning(String value) {
        switch (value.toLowerCase(Locale.ROOT)) {
            case "" ->
                console.say("reasoning is " + chat.options().effort().name().toLowerCase(Locale.ROOT) + ", "
                        + display.name().toLowerCase(Locale.ROOT));
            case "low" -> effort(ReasoningEffort.LOW);
            case "medium" -> effort(ReasoningEffort.MEDIUM);
            case "high" -> effort(ReasoningEffort.HIGH);
            case "fold" -> display(ReasoningDisplay.FOLD, "reasoning is folded when the answer begins");
            case "hide" -> display(ReasoningDisplay.HIDE, "reasoning is not shown");
            case "show" -> {
                if (!last.reasoning().isBlank()) {
                    console.say(last.reasoning());
                }
                display(ReasoningDisplay.SHOW, "reasoning is shown");
            }
            default ->
                throw unknownValue("/reasoning", value, List.of("low", "medium", "high", "fold", "show", "hide"));
        }
    }

    private void effort(ReasoningEffort effort) {
        chat.options(chat.options().withEffort(effort));
        console.say("reasoning is " + effort.name().toLowerCase(Locale.ROOT));
    }

    private void display(ReasoningDisplay newDisplay, String message) {
        display = newDisplay;
        console.say(message);
    }

    private void system(String text) {
        if (text.isEmpty()) {
            console.say(instructions == null ? "no instructions" : instructions);
            return;
        }
        instructions = text.equals("none") ? null : unquoted(text);
        chat.instructions(instructions);
        console.say(instructions == null ? "no instructions any more" : "instructions are set");
    }

    private void tools(String names) throws IOException, InterruptedException {
        if (!names.isEmpty()) {
            List<String> wanted = names.equals("none")
                    ? List.of()
                    : Arrays.stream(names.split("[,\\s]+"))
                            .filter(name -> !name.isEmpty())
                            .toList();
            reopen(wanted);
        }
        console.say("tools: " + toolNames());
    }

    private String toolNames() {
        String all = tools.sessions().stream()
                .map(ToolSession::namespace)
                .flatMap(namespace -> namespace.name().equals(ToolNamespace.FUNCTIONS)
                        ? namespace.tools().stream().map(ToolDescription::name)
                        : Stream.of(namespace.name()))
                .collect(Collectors.joining(", "));
        return all.isEmpty() ? "none" : all;
    }

    /** The old ones stay when the new ones cannot be had. */
    private void reopen(List<String> names) throws IOException, InterruptedException {
        OpenTools opened = opener.open(names);
        tools.close();
        tools = opened;
        chat = chat(chat.options(), chat.history());
    }

    private void retry() {
        String question = failedQuestion == null ? rewind() : failedQuestion;
        if (question == null) {
            throw new IllegalArgumentException("there is no question yet");
        }
        console.say("again: " + firstLine(question));
        ask(question);
    }

    private @Nullable String rewind() {
        String question = chat.rewind();
        int size = chat.history().size();
        cut.removeIf(index -> index >= size);
        return question;
    }

    private void undo() {
        String question = rewind();
        if (question == null) {
            throw new IllegalArgumentException("there is nothing to take back");
        }
        failedQuestion = null;
        last = new Transcript();
        console.say("taken back: " + firstLine(question));
    }

    private static String firstLine(String text) {
        String line = text.strip().lines().findFirst().orElse("");
        return line.length() == text.strip().length() ? line : line + " ...";
    }

    private void copy() {
        if (last.text().isBlank()) {
            throw new IllegalArgumentException("there is no answer yet");
        }
        if (!console.copy(last.text().strip())) {
            throw new IllegalArgumentException("there is no clipboard here");
        }
        console.say("copied " + last.text().strip().length() + " characters, if the terminal allows it (OSC 52)");
    }

    private void save(String name) throws IOException {
        if (name.isEmpty()) {
            throw new IllegalArgumentException("/save NAME");
        }
        if (chat.history().isEmpty()) {
            throw new IllegalArgumentException("nothing was said yet");
        }
        Path file = store.save(name, new SavedConversation(model.name(), instructions, chat.history(), cut));
        console.say("kept " + chat.history().size() + " messages in " + file);
    }

    private void load(String name) throws IOException {
        if (name.isEmpty()) {
            throw new IllegalArgumentException(
                    store.names().isEmpty()
                            ? "no conversation was kept yet: /save NAME"
                            : "/load NAME; there are: " + String.join(", ", store.names()));
        }
        SavedConversation saved = store.load(name);
        instructions = saved.instructions();
        chat.instructions(instructions).history(saved.messages());
        cut.clear();
        cut.addAll(saved.cut());
        last = new Transcript();
        failedQuestion = null;
        console.say("goes on after " + saved.messages().size() + " messages"
                + (saved.model().equals(model.name()) ? "" : ", held with " + saved.model()));
        for (int i = saved.messages().size() - 1; i >= 0; i--) {
            Message message = saved.messages().get(i);
            if (message.role() == Role.ASSISTANT && Message.FINAL.equals(message.channel())) {
                console.show(message.text());
                break;
            }
        }
    }

    private void clear() throws IOException, InterruptedException {
        chat.history(List.of());
        cut.clear();
        last = new Transcript();
        failedQuestion = null;
        if (!tools.sessions().isEmpty()) {
            reopen(tools.names());
        }
        console.say("a new conversation");
    }

    @Override
    public void close() throws IOException {
        tools.close();
    }
}
