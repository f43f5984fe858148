package dev.ossicle.chat;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.engine.Engine;
import dev.ossicle.engine.GenerationRequest;
import dev.ossicle.engine.ModelRunner;
import dev.ossicle.engine.ModelRunners;
import dev.ossicle.engine.Precision;
import dev.ossicle.engine.Sampling;
import dev.ossicle.engine.TokenMask;
import dev.ossicle.grammar.HarmonyFraming;
import dev.ossicle.grammar.HarmonyFraming.Recipient;
import dev.ossicle.grammar.TokenTrie;
import dev.ossicle.harmony.ChannelConfig;
import dev.ossicle.harmony.Conversation;
import dev.ossicle.harmony.DeveloperContent;
import dev.ossicle.harmony.HarmonyEncoding;
import dev.ossicle.harmony.Message;
import dev.ossicle.harmony.Role;
import dev.ossicle.harmony.SystemContent;
import dev.ossicle.harmony.ToolDescription;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** A model that runs in this process. */
public final class LocalModel implements ChatModel {
    private final String name;
    private final @Nullable Checkpoint checkpoint;
    private final Engine engine;
    private final HarmonyEncoding harmony;
    private final TokenTrie trie;

    private LocalModel(String name, @Nullable Checkpoint checkpoint, Engine engine, Tokenizer tokenizer) {
        this.name = name;
        this.checkpoint = checkpoint;
        this.engine = engine;
        this.harmony = new HarmonyEncoding(tokenizer);
        this.trie = new TokenTrie(tokenizer, engine.config().vocabulary());
    }

    /** The best device of this machine, all of its cores; what had to be passed over is logged. */
    static LocalModel open(String name, Path path) {
        ModelRunners.Choice choice = ModelRunners.choose(null);
        for (String warning : choice.warnings()) {
            System.getLogger("dev.ossicle").log(System.Logger.Level.WARNING, warning);
        }
        return open(name, path, choice, Runtime.getRuntime().availableProcessors(), Precision.EXACT);
    }

    /**
     * Opens a checkpoint on a chosen device.
     *
     * @param name as users know it
     * @throws dev.ossicle.checkpoint.CheckpointException if it cannot be used; nothing stays open then
     */
    public static LocalModel open(
            String name, Path path, ModelRunners.Choice choice, int threads, Precision precision) {
        Checkpoint checkpoint = Checkpoint.open(path);
        try {
            Tokenizer tokenizer = ModelTokenizer.of(checkpoint);
            Engine engine = new Engine(choice.provider().open(checkpoint, threads, precision));
            return new LocalModel(name, checkpoint, engine, tokenizer);
        } catch (Throwable e) {
            checkpoint.close();
            throw e;
        }
    }

    /** A model over any runner, which is closed with it: for tests, with a scripted one. */
    public static LocalModel of(String name, ModelRunner runner, Tokenizer tokenizer) {
        return new LocalModel(name, null, new Engine(runner), tokenizer);
    }

    @Override
    public String name() {
        return name;
    }

    /** What computes, in words. */
    public String device() {
        return engine.runnerDescription();
    }

    @Override
    public Turn begin(ChatRequest request) {
        int[] prompt = harmony.renderForCompletion(conversation(request), Role.ASSISTANT, false);
        return new LocalTurn(this, request, prompt);
    }

    HarmonyEncoding harmony() {
        return harmony;
    }

    Engine engine() {
        return engine;
    }

    private static Conversation conversation(ChatRequest request) {
        ChatOptions options = request.options();
        LocalDate date = options.date() == null ? LocalDate.now() : options.date();
        List<Message> messages = new ArrayList<>();
        messages.add(Message.of(
                Role.SYSTEM,
                SystemContent.DEFAULT
                        .withReasoningEffort(options.effort())
                        .withConversationStartDate(date.toString())));
        String instructions = instructions(request);
        if (instructions != null || !request.functions().isEmpty()) {
            DeveloperContent developer = DeveloperContent.of(instructions);
            messages.add(Message.of(
                    Role.DEVELOPER,
                    request.functions().isEmpty() ? developer : developer.withFunctionTools(request.functions())));
        }
        messages.addAll(request.shownHistory());
        return new Conversation(messages);
    }

    /** With the format of the answer behind it, in the words of the Harmony guide. */
    private static @Nullable String instructions(ChatRequest request) {
        if (request.answerSchema() == null) {
            return request.instructions();
        }
        String format = "# Response Formats\n\n## answer\n\n" + request.answerSchema();
        return request.instructions() == null ? format : request.instructions() + "\n\n" + format;
    }

    /** What the model may write in one step: well-formed messages, calls of this request's functions only. */
    private TokenMask mask(ChatRequest request) {
        List<Recipient> recipients = request.functions().stream()
                .map(ToolDescription::name)
                .map(Recipient::function)
                .toList();
        return new HarmonyFraming(
                        harmony.tokenizer(),
                        trie,
                        engine.config().vocabulary(),
                        ChannelConfig.DEFAULT.channels(),
                        recipients)
                .newMask();
    }

    GenerationRequest generation(ChatRequest request, int[] prompt, int maxTokens) {
        Sampling sampling = request.options().sampling();
        if (!request.options().seeded()) {
            sampling = sampling.withSeed(ThreadLocalRandom.current().nextLong());
        }
        return new GenerationRequest(
                prompt, sampling, maxTokens, harmony.stopTokensForAssistantActions(), -1, mask(request));
    }

    @Override
    public void close() {
        engine.close();
        if (checkpoint != null) {
            checkpoint.close();
        }
    }
}
