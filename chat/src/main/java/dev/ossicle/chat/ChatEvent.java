package dev.ossicle.chat;

import dev.ossicle.engine.GenerationEvent;
import dev.ossicle.harmony.Repair;
import dev.ossicle.tools.Source;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What happens while an answer comes, in order; one {@link Done} is the last. */
public sealed interface ChatEvent {
    /** So much of the prompt has been read. */
    record Reading(int tokens, int promptTokens) implements ChatEvent {}

    /** More of what the model thinks; not meant for the end user. */
    record Reasoning(String text) implements ChatEvent {}

    /**
     * More of what the model says.
     *
     * @param preamble whether it announces a tool call rather than being part of the answer
     * @param tokens that make it up, with their logprobs, where {@link ChatOptions#topLogprobs} asks for them
     * @param source where the text is a link to a page that a tool showed, in the place of a citation; else null
     */
    record Text(
            String text,
            boolean preamble,
            List<GenerationEvent.Token> tokens,
            @Nullable Source source) implements ChatEvent {
        public Text {
            tokens = List.copyOf(tokens);
        }

        public Text(String text, boolean preamble, List<GenerationEvent.Token> tokens) {
            this(text, preamble, tokens, null);
        }

        public Text(String text, boolean preamble) {
            this(text, preamble, List.of());
        }
    }

    /**
     * More of the arguments of a call that is on its way; {@link ToolCall} follows when they are complete.
     *
     * @param message the place of the call among the messages of this step
     * @param recipient as the model wrote it: {@code functions.get_weather}
     * @param arguments empty where the call is announced before its arguments begin
     */
    record Calling(int message, String recipient, String arguments) implements ChatEvent {}

    /**
     * The model calls a function; the text of its arguments is complete.
     *
     * @param id unique in the conversation
     * @param name without the namespace
     * @param arguments as the model wrote them: JSON if it was well-behaved
     */
    record ToolCall(String id, String name, String arguments) implements ChatEvent {}

    /**
     * What the model is told of its call.
     *
     * @param failed whether the output is an error message
     */
    record ToolResult(String id, String name, String output, boolean failed) implements ChatEvent {}

    /**
     * Nothing follows.
     *
     * @param repairs what of the model's framing had to be put right, as seldom happens
     */
    record Done(Finish finish, Usage usage, List<Repair> repairs) implements ChatEvent {
        public Done {
            repairs = List.copyOf(repairs);
        }
    }

    /** Why an answer ended. */
    enum Finish {
        /** The model had nothing more to say. */
        STOP,
        /** A maximum of tokens was reached: the answer is cut. */
        LENGTH,
        /** The model's context is full: the answer is cut. */
        CONTEXT,
        /** {@link Answer#cancel} was called. */
        CANCELLED,
        /** {@link Limits#time} was over. */
        TIME,
        /** {@link Limits#rounds} of tool calls were used up. */
        ROUNDS
    }

    /**
     * Tokens and seconds, all rounds together. What a host does not tell is 0.
     *
     * @param cachedTokens of the prompt, which did not have to be computed
     * @param completionTokens reasoning included
     */
    record Usage(
            int promptTokens,
            int cachedTokens,
            int completionTokens,
            int reasoningTokens,
            double promptSeconds,
            double completionSeconds) {
        public static final Usage NONE = new Usage(0, 0, 0, 0, 0, 0);

        public Usage plus(Usage other) {
            return new Usage(
                    promptTokens + other.promptTokens,
                    cachedTokens + other.cachedTokens,
                    completionTokens + other.completionTokens,
                    reasoningTokens + other.reasoningTokens,
                    promptSeconds + other.promptSeconds,
                    completionSeconds + other.completionSeconds);
        }
    }
}
