package dev.ossicle.harmony;

import static java.util.Objects.requireNonNull;

import dev.ossicle.harmony.tokenizer.Tokenizer;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Harmony over one vocabulary: conversations to tokens and tokens to messages. Immutable and safe for use by many
 * threads; its parsers are not.
 *
 * <pre>{@code
 * HarmonyEncoding encoding = HarmonyEncoding.gptOss();
 * Conversation conversation = Conversation.of(
 *         Message.of(Role.SYSTEM, SystemContent.DEFAULT),
 *         Message.of(Role.USER, "What is 2 + 2?"));
 * int[] prompt = encoding.renderForCompletion(conversation, Role.ASSISTANT);
 * int[] sampled = model.generate(prompt, encoding.stopTokensForAssistantActions());
 * List<Message> answer = encoding.parse(sampled, Role.ASSISTANT, ParseMode.TOTAL).messages();
 * }</pre>
 */
public final class HarmonyEncoding {
    /** Of one message, in OpenAI's library. */
    public static final int MAX_MESSAGE_TOKENS = (1 << 20) - (1 << 19);

    private final Tokenizer tokenizer;
    private final ControlTokens control;

    /** @throws HarmonyException if the vocabulary lacks one of Harmony's control tokens */
    public HarmonyEncoding(Tokenizer tokenizer) {
        this.tokenizer = requireNonNull(tokenizer, "tokenizer is null");
        control = ControlTokens.of(tokenizer);
    }

    /** Harmony over {@link Tokenizer#o200kHarmony()}, as OpenAI's gpt-oss models speak it. */
    public static HarmonyEncoding gptOss() {
        return new HarmonyEncoding(Tokenizer.o200kHarmony());
    }

    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /**
     * The tokens of a conversation.
     *
     * @param autoDropAnalysis whether to leave out analysis before the first final message, if the last assistant
     *     message is final
     * @throws HarmonyException if a message cannot be rendered
     */
    public int[] render(Conversation conversation, boolean autoDropAnalysis) {
        Renderer renderer = new Renderer(tokenizer, control);
        renderer.conversation(conversation, autoDropAnalysis);
        return renderer.tokens();
    }

    /** The same, dropping analysis. */
    public int[] render(Conversation conversation) {
        return render(conversation, true);
    }

    /** A conversation and the start of the next message, for a model to go on with. */
    public int[] renderForCompletion(Conversation conversation, Role next, boolean autoDropAnalysis) {
        Renderer renderer = new Renderer(tokenizer, control);
        renderer.conversation(conversation, autoDropAnalysis);
        renderer.startOf(next);
        return renderer.tokens();
    }

    /** The same, dropping analysis. */
    public int[] renderForCompletion(Conversation conversation, Role next) {
        return renderForCompletion(conversation, next, true);
    }

    /** A conversation whose last message, if it is the assistant's final one, ends as the model should end it. */
    public int[] renderForTraining(Conversation conversation, boolean autoDropAnalysis) {
        Renderer renderer = new Renderer(tokenizer, control);
        renderer.conversation(conversation, autoDropAnalysis);
        renderer.returnAtEnd(conversation);
        return renderer.tokens();
    }

    /** The same, dropping analysis. */
    public int[] renderForTraining(Conversation conversation) {
        return renderForTraining(conversation, true);
    }

    /**
     * The tokens of one message.
     *
     * @param conversationHasFunctionTools whether a system message says where calls to functions go
     */
    public int[] render(Message message, boolean conversationHasFunctionTools) {
        Renderer renderer = new Renderer(tokenizer, control);
        renderer.message(message, conversationHasFunctionTools);
        return renderer.tokens();
    }

    /** The tokens that end a message: {@code <|return|>}, {@code <|call|>}, {@code <|end|>}. */
    public Set<Integer> stopTokens() {
        return Set.of(control.ret(), control.call(), control.end());
    }

    /** The tokens that end the assistant's turn, which sampling must stop at: {@code <|return|>}, {@code <|call|>}. */
    public Set<Integer> stopTokensForAssistantActions() {
        return Set.of(control.ret(), control.call());
    }

    /**
     * A parser.
     *
     * @param role whose message the tokens go on with, where the prompt ended in {@code <|start|>} and a role; null
     *     if they begin with {@code <|start|>}
     */
    public HarmonyParser parser(@Nullable Role role, ParseMode mode) {
        Progress progress = new Progress(role, mode == ParseMode.TOTAL);
        ParserRules rules = switch (mode) {
            case STRICT -> new ReferenceRules(tokenizer, control, true, progress);
            case LENIENT -> new ReferenceRules(tokenizer, control, false, progress);
            case TOTAL -> new TotalRules(tokenizer, control, progress);
        };
        return new HarmonyParser(tokenizer, progress, rules);
    }

    /**
     * Parses tokens to their end; see {@link #parser}.
     *
     * @throws HarmonyException in the modes that throw
     */
    public Parsed parse(int[] tokens, @Nullable Role role, ParseMode mode) {
        HarmonyParser parser = parser(role, mode);
        for (int token : tokens) {
            parser.process(token);
        }
        parser.finish();
        return new Parsed(parser.messages(), parser.repairs());
    }

    /**
     * What tokens came to.
     *
     * @param repairs empty except in total mode
     */
    public record Parsed(List<Message> messages, List<Repair> repairs) {
        public Parsed {
            messages = List.copyOf(messages);
            repairs = List.copyOf(repairs);
        }
    }
}
