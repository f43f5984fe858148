package dev.ossicle.engine;

import java.util.List;

/** What happens in a generation, in order: some {@link Prefilled}, some {@link Token}, one {@link Done}. */
public sealed interface GenerationEvent {
    /** So much of the prompt has been computed. */
    record Prefilled(int tokens, int promptTokens) implements GenerationEvent {}

    /**
     * @param id the token that was drawn
     * @param logprobs its own and the best ones', as the request asked for
     */
    record Token(int id, List<Logprob> logprobs) implements GenerationEvent {}

    /** Nothing follows. */
    record Done(Finish finish, Timings timings) implements GenerationEvent {}

    /** Why a generation ended. */
    enum Finish {
        /** A stop token was drawn. */
        STOP,
        /** The request's maximum of tokens was reached. */
        LENGTH,
        /** The model's context is full. */
        CONTEXT,
        /** The request's time was up. */
        DEADLINE,
        CANCELLED
    }

    /**
     * @param promptTokens of the whole prompt, read in {@code promptNanos}
     * @param cachedTokens of the prompt, which did not have to be computed
     * @param tokens drawn in {@code decodeNanos}, which begin when the prompt is done
     */
    record Timings(int promptTokens, int cachedTokens, long promptNanos, int tokens, long decodeNanos) {}
}
