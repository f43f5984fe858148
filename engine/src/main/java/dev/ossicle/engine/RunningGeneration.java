package dev.ossicle.engine;

import dev.ossicle.engine.GenerationEvent.Finish;
import dev.ossicle.engine.GenerationEvent.Prefilled;
import dev.ossicle.engine.GenerationEvent.Timings;
import dev.ossicle.engine.GenerationEvent.Token;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A generation that the scheduler has admitted: where it stands. */
final class RunningGeneration {
    final Generation generation;
    private final int prompt;
    private final long start;
    private final int cached;

    KvSequence sequence;
    /** Prompt, then what was drawn [known]. */
    int[] tokens;

    int known;
    /** Tokens that are in the sequence. */
    int computed;

    /** Tokens that were drawn. */
    int count;

    private long prefilled;
    /** What its sequence took when it was set aside. */
    long bytesAside;

    /** Whether a batch that it was in failed: until it is where it was, it is computed by itself. */
    boolean alone;

    /** What the pass at hand has drawn, or why it could not. */
    @Nullable
    Token drawn;

    @Nullable
    Throwable failure;

    RunningGeneration(Generation generation, KvSequence sequence, long start) {
        this.generation = generation;
        this.sequence = sequence;
        this.start = start;
        this.tokens = generation.request().prompt();
        this.prompt = tokens.length;
        this.known = prompt;
        this.cached = sequence.length();
        this.computed = cached;
    }

    /** Whether all that is left to compute is the token that was drawn last. */
    boolean isDecoding() {
        return count > 0 && known - computed == 1;
    }

    /** So many more tokens have been computed. */
    void advance(int tokenCount, long now, PrefixCache cache) {
        boolean inPrompt = computed < prompt;
        computed += tokenCount;
        if (computed == known) {
            alone = false;
        }
        if (inPrompt && count == 0) {
            generation.emit(new Prefilled(Math.min(computed, prompt), prompt));
        }
        if (computed == prompt && count == 0) {
            prefilled = now;
            // The next turn goes on from here: what is thought now is not part of it.
            cache.keep(Arrays.copyOf(tokens, prompt), sequence.fork());
        }
    }

    /** Hands out what was drawn; says whether that was the last. */
    @Nullable
    Finish accept(int maxContext) {
        Token token = drawn;
        if (token == null) {
            throw new IllegalStateException("nothing was drawn");
        }
        drawn = null;
        generation.emit(token);
        count++;
        if (known == tokens.length) {
            tokens = Arrays.copyOf(tokens, Math.max(64, 2 * known));
        }
        tokens[known++] = token.id();
        if (generation.request().stopTokens().contains(token.id())) {
            return Finish.STOP;
        }
        if (count == generation.request().maxTokens()) {
            return Finish.LENGTH;
        }
        return known >= maxContext ? Finish.CONTEXT : null;
    }

    /** The adjustments of a request look at what it drew. */
    float[] adjusted(float[] logits) {
        return generation.request().adjustments().apply(logits, tokens, prompt, known);
    }

    /** All tokens so far. */
    int[] text() {
        return Arrays.copyOf(tokens, known);
    }

    /** Gives its memory to others; {@link #resume} follows. */
    void setAside() {
        bytesAside = sequence.bytes();
        sequence.close();
    }

    /** Goes on after it was set aside, with as much of its text as the sequence holds. */
    void resume(KvSequence part) {
        sequence = part;
        computed = part.length();
    }

    /** Computes all of it once more. */
    void beginAgain(KvSequence empty) {
        sequence = empty;
        computed = 0;
        alone = true;
        drawn = null;
        failure = null;
    }

    Timings timings(long now) {
        boolean done = count > 0;
        long promptEnd = prefilled == 0 ? now : prefilled; // not set if the only pass that drew failed
        return new Timings(
                done ? prompt : Math.min(computed, prompt),
                cached,
                (done ? promptEnd : now) - start,
                count,
                done ? now - promptEnd : 0);
    }
}
