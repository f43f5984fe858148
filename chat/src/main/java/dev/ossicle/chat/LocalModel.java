package dev.ossicle.chat;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.engine.DeviceOptions;
import dev.ossicle.engine.Engine;
import dev.ossicle.engine.EngineOptions;
import dev.ossicle.engine.GenerationRequest;
import dev.ossicle.engine.LoadProgress;
import dev.ossicle.engine.ModelRunner;
import dev.ossicle.engine.ModelRunners;
import dev.ossicle.engine.Precision;
import dev.ossicle.engine.PromptCacheFile;
import dev.ossicle.engine.Sampling;
import dev.ossicle.engine.TokenMask;
import dev.ossicle.grammar.Grammar;
import dev.ossicle.grammar.GrammarException;
import dev.ossicle.grammar.HarmonyFraming;
import dev.ossicle.grammar.HarmonyFraming.Recipient;
import dev.ossicle.grammar.TokenGrammar;
import dev.ossicle.grammar.TokenTrie;
import dev.ossicle.harmony.ChannelConfig;
import dev.ossicle.harmony.Conversation;
import dev.ossicle.harmony.DeveloperContent;
import dev.ossicle.harmony.HarmonyEncoding;
import dev.ossicle.harmony.Message;
import dev.ossicle.harmony.Role;
import dev.ossicle.harmony.SystemContent;
import dev.ossicle.harmony.ToolDescription;
import dev.ossicle.harmony.ToolNamespace;
import dev.ossicle.harmony.tokenizer.Tokenizer;
import dev.ossicle.json.Json;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A model that runs in this process. */
public final class LocalModel implements ChatModel {
    /** Grammars, and framings, that are kept: compiling one takes longer than a token. */
    private static final int MAX_COMPILED = 128;

    private final String name;
    private final @Nullable Checkpoint checkpoint;
    private final Engine engine;
    private final HarmonyEncoding harmony;
    private final TokenTrie trie;
    private final TokenGrammar anyObject;
    /** Whether the model is held to Harmony's framing. */
    private final boolean framed;

    /** What is compiled from. */
    private record FramingKey(
            List<ToolDescription> functions,
            List<ToolNamespace> builtIns,
            ToolChoice toolChoice,
            @Nullable Json answerSchema) {}

    /** Of schemas in use. */
    private final Map<Json, TokenGrammar> grammars = leastRecentlyUsed();

    private final Map<FramingKey, HarmonyFraming> framings = leastRecentlyUsed();

    private LocalModel(
            String name, @Nullable Checkpoint checkpoint, Engine engine, Tokenizer tokenizer, boolean framed) {
        this.name = name;
        this.checkpoint = checkpoint;
        this.engine = engine;
        this.framed = framed;
        this.harmony = new HarmonyEncoding(tokenizer);
        this.trie = new TokenTrie(tokenizer, engine.config().vocabulary());
        this.anyObject = Grammar.jsonObject().over(trie);
    }

    private static <K, V> Map<K, V> leastRecentlyUsed() {
        return new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
                return size() > MAX_COMPILED;
            }
        };
    }

    /** The best device of this machine, all of its cores; what had to be passed over is logged. */
    static LocalModel open(String name, Path path, LoadProgress progress) {
        return open(
                name,
                path,
                null,
                null,
                DeviceOptions.of(Runtime.getRuntime().availableProcessors(), Precision.EXACT),
                EngineOptions.DEFAULT,
                null,
                warning -> System.getLogger("dev.ossicle").log(System.Logger.Level.WARNING, warning),
                progress);
    }

    /**
     * Opens a checkpoint on a chosen device.
     *
     * @param name as users know it
     * @param adapter folder of a LoRA adapter for its attention; null for none
     * @param device null for the one that suits model and machine best
     * @param options of the device
     * @param limits of the engine
     * @param promptCache file of the prefixes of earlier processes, read now and written in the end; null for none
     * @param warnings hears why a better device was passed over, with what to do about it
     * @throws dev.ossicle.checkpoint.CheckpointException if it cannot be used; nothing stays open then
     * @throws IllegalArgumentException if there is no such device, or this machine cannot run it
     */
    public static LocalModel open(
            String name,
            Path path,
            @Nullable Path adapter,
            @Nullable String device,
            DeviceOptions options,
            EngineOptions limits,
            @Nullable Path promptCache,
            Consumer<String> warnings,
            LoadProgress progress) {
        Checkpoint checkpoint = Checkpoint.open(path, adapter);
        try {
            Tokenizer tokenizer = ModelTokenizer.of(checkpoint);
            ModelRunners.Choice choice = ModelRunners.chooseForChat(device, checkpoint, options);
            choice.warnings().forEach(warnings);
            PromptCacheFile kept = promptCache == null
                    ? null
                    : new PromptCacheFile(
                            promptCache,
                            checkpoint.fingerprint() + " " + choice.provider().name() + " " + options.precision());
            Engine engine = new Engine(choice.provider().open(checkpoint, options, progress), limits, kept);
            return new LocalModel(name, checkpoint, engine, tokenizer, true);
        } catch (Throwable e) {
            checkpoint.close();
            throw e;
        }
    }

    /** A model over any runner, which is closed with it: for tests, with a scripted one. */
    public static LocalModel of(String name, ModelRunner runner, Tokenizer tokenizer) {
        return of(name, new Engine(runner), tokenizer, true);
    }

    /**
     * A model over any engine, which is closed with it.
     *
     * @param framed whether the model is held to Harmony's framing; if not, what it writes is repaired as far as it can be
     */
    public static LocalModel of(String name, Engine engine, Tokenizer tokenizer, boolean framed) {
        return new LocalModel(name, null, engine, tokenizer, framed);
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
        return new LocalTurn(this, request, prompt(request));
    }

    /** The tokens that the model sees, to where its answer begins. */
    public int[] prompt(ChatRequest request) {
        return harmony.renderForCompletion(conversation(request), Role.ASSISTANT, false);
    }

    public HarmonyEncoding harmony() {
        return harmony;
    }

    public Engine engine() {
        return engine;
    }

    private static Conversation conversation(ChatRequest request) {
        ChatOptions options = request.options();
        LocalDate date = options.date() == null ? LocalDate.now() : options.date();
        List<Message> messages = new ArrayList<>();
        SystemContent system =
                SystemContent.DEFAULT.withReasoningEffort(options.effort()).withConversationStartDate(date.toString());
        for (ToolNamespace builtIn : request.builtIns()) {
            system = system.withTools(builtIn);
        }
        messages.add(Message.of(Role.SYSTEM, system));
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

    /** What the model may write in the steps of one turn; null for anything. */
    @Nullable
    HarmonyFraming framing(ChatRequest request) {
        if (!framed) {
            return null;
        }
        synchronized (framings) {
            return framings.computeIfAbsent(
                    new FramingKey(
                            request.functions(), request.builtIns(), request.toolChoice(), request.answerSchema()),
                    key -> compile(request));
        }
    }

    private HarmonyFraming compile(ChatRequest request) {
        List<Recipient> recipients = new ArrayList<>();
        Map<String, TokenGrammar> arguments = new HashMap<>();
        for (ToolDescription function : request.functions()) {
            if (!request.toolChoice().allows(function.name())) {
                continue;
            }
            Recipient recipient = Recipient.function(function.name());
            recipients.add(recipient);
            arguments.put(recipient.name(), arguments(function));
        }
        for (ToolNamespace builtIn : request.builtIns()) {
            if (request.toolChoice().allowed() != null) {
                break; // only named functions, or none
            }
            if (builtIn.tools().isEmpty()) {
                recipients.add(Recipient.builtIn(builtIn.name())); // free text: code
            }
            for (ToolDescription function : builtIn.tools()) {
                Recipient recipient = Recipient.builtIn(builtIn.name() + "." + function.name());
                recipients.add(recipient);
                arguments.put(recipient.name(), arguments(function));
            }
        }
        TokenGrammar answer = request.answerSchema() == null ? null : grammar(request.answerSchema());
        return new HarmonyFraming(
                harmony.tokenizer(),
                trie,
                engine.config().vocabulary(),
                request.toolChoice().required()
                        ? List.of(Message.ANALYSIS, Message.COMMENTARY) // without an answer, a call is the only end
                        : ChannelConfig.DEFAULT.channels(),
                recipients,
                answer,
                arguments);
    }

    /** Functions come from everywhere, with schemas that go beyond what can be enforced: then any object will have to do. */
    private TokenGrammar arguments(ToolDescription function) {
        Json schema = function.parameters();
        if (schema == null) {
            return anyObject;
        }
        try {
            return grammar(schema);
        } catch (GrammarException e) {
            System.getLogger("dev.ossicle")
                    .log(
                            System.Logger.Level.WARNING,
                            "the arguments of " + function.name() + " are not held to their schema: " + e.getMessage());
            return anyObject;
        }
    }

    /** Compiled once: its masks are worth keeping too. */
    private TokenGrammar grammar(Json schema) {
        synchronized (grammars) {
            return grammars.computeIfAbsent(schema, s -> Grammar.jsonSchema(s).over(trie));
        }
    }

    /** @param framing of this turn; an answer that must obey a schema is brought to its end within the maximum of tokens */
    GenerationRequest generation(ChatRequest request, @Nullable HarmonyFraming framing, int[] prompt, int maxTokens) {
        Sampling sampling = request.options().sampling();
        if (!request.options().seeded()) {
            sampling = sampling.withSeed(ThreadLocalRandom.current().nextLong());
        }
        int room = Math.min(maxTokens, engine.config().maxContext() - prompt.length - 1);
        TokenMask mask;
        if (framing == null) {
            mask = null;
        } else if (request.answerSchema() == null) {
            mask = framing.newMask();
        } else if (room < framing.minTokens()) {
            throw new ChatException("an answer that obeys the schema takes up to " + framing.minTokens()
                    + " tokens, and only " + room + " are left");
        } else {
            mask = framing.newMask(room);
        }
        return new GenerationRequest(
                prompt,
                sampling,
                maxTokens,
                harmony.stopTokensForAssistantActions(),
                request.options().topLogprobs(),
                mask,
                0,
                request.timeout(),
                request.options().adjustments());
    }

    @Override
    public void close() {
        engine.close();
        if (checkpoint != null) {
            checkpoint.close();
        }
    }
}
