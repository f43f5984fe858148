package dev.ossicle.engine.scripted;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.engine.Chunk;
import dev.ossicle.engine.KvSequence;
import dev.ossicle.engine.LogitsConsumer;
import dev.ossicle.engine.ModelRunner;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Replays answers, one for each prompt, in the order they were given. A token of the script gets by far the highest logit; all
 * others are equal, so a mask that forbids the scripted token makes the sampler draw another one, and the script goes on. When
 * no answer is left, all logits are equal: a model without opinions.
 */
public final class ScriptedModelRunner implements ModelRunner {
    /** Beyond what any temperature in use would draw past. */
    private static final float CERTAIN = 1_000;

    /** That are remembered: a server under load has more than anybody looks at. */
    private static final int MAX_PROMPTS = 1_000;

    private final ModelConfig config;
    private final Queue<int[]> answers = new ConcurrentLinkedQueue<>();
    private final List<int[]> prompts = new ArrayList<>();
    private final AtomicInteger openSequences = new AtomicInteger();
    private final AtomicInteger computedTokens = new AtomicInteger();
    /** In open sequences, a byte each. */
    private final AtomicLong cachedTokens = new AtomicLong();

    private final float[] logits;
    private volatile Function<int[], int @Nullable []> author = prompt -> null;
    private volatile Runnable beforeForward = () -> {};
    private volatile boolean closed;

    /** @param vocabulary rows that the model has */
    public ScriptedModelRunner(int vocabulary, int maxContext) {
        config = new ModelConfig(
                2, 4, 4, vocabulary, 32, 32, 2, 2, 1, 128, maxContext, 150_000, 32, 4096, 1, 32, 7, 1e-5);
        logits = new float[vocabulary];
    }

    /** Adds an answer, for a prompt to come. Its last token should be one that ends a generation. */
    public ScriptedModelRunner answer(int... tokens) {
        answers.add(tokens.clone());
        return this;
    }

    /** Makes up the answer to a prompt for which none was added; null for none. Called on the model's thread. */
    public ScriptedModelRunner author(Function<int[], int @Nullable []> newAuthor) {
        author = newAuthor;
        return this;
    }

    /** Runs before each forward pass on the model's thread: to be slow, to wait or to fail. */
    public ScriptedModelRunner beforeForward(Runnable action) {
        beforeForward = action;
        return this;
    }

    /** What was in front of each answer so far: all tokens of its sequence. */
    public synchronized List<int[]> prompts() {
        return List.copyOf(prompts);
    }

    /** Sequences that were not closed. */
    public int openSequences() {
        return openSequences.get();
    }

    /** Tokens that went through {@link #forward}: those of a prompt that were cached did not. */
    public int computedTokens() {
        return computedTokens.get();
    }

    public boolean isClosed() {
        return closed;
    }

    @Override
    public ModelConfig config() {
        return config;
    }

    @Override
    public String description() {
        return "a script";
    }

    @Override
    public KvSequence newSequence(int maxContext) {
        return new Sequence(maxContext, new int[0], 0);
    }

    @Override
    public void forward(List<Chunk> batch, LogitsConsumer consumer) {
        beforeForward.run();
        for (int c = 0; c < batch.size(); c++) {
            Chunk chunk = batch.get(c);
            Sequence sequence = (Sequence) chunk.sequence();
            for (int i = 0; i < chunk.tokens().length; i++) {
                sequence.append(chunk.tokens()[i]);
                if (i >= chunk.tokens().length - chunk.wantedLogits()) {
                    Arrays.fill(logits, 0);
                    int next = sequence.next();
                    if (next >= 0) {
                        logits[next] = CERTAIN;
                    }
                    consumer.logits(c, sequence.length - 1, () -> logits);
                }
            }
        }
    }

    private synchronized void recordPrompt(int[] tokens) {
        if (prompts.size() < MAX_PROMPTS) {
            prompts.add(tokens);
        }
    }

    @Override
    public long cacheBytes() {
        return cachedTokens.get();
    }

    @Override
    public void close() {
        closed = true;
    }

    private final class Sequence implements KvSequence {
        private final int maxContext;
        private int[] tokens;
        private int length;
        /** What is left of the answer that is being replayed; null between answers. */
        private @Nullable ArrayDeque<Integer> script;

        private boolean open = true;

        Sequence(int maxContext, int[] tokens, int length) {
            this.maxContext = maxContext;
            this.tokens = tokens.clone();
            this.length = length;
            cachedTokens.addAndGet(length);
            openSequences.incrementAndGet();
        }

        void append(int token) {
            if (!open) {
                throw new IllegalStateException("the sequence is closed");
            }
            if (length == tokens.length) {
                tokens = Arrays.copyOf(tokens, Math.max(64, 2 * length));
            }
            tokens[length++] = token;
            cachedTokens.incrementAndGet();
            computedTokens.incrementAndGet();
        }

        /** The scripted token; -1 if there is no script. */
        int next() {
            if (script == null) {
                recordPrompt(Arrays.copyOf(tokens, length));
                script = new ArrayDeque<>();
                int[] answer = answers.poll();
                if (answer == null) {
                    answer = author.apply(Arrays.copyOf(tokens, length));
                }
                if (answer != null) {
                    Arrays.stream(answer).forEach(script::add);
                }
            }
            Integer next = script.poll();
            return next == null ? -1 : next;
        }

        @Override
        public int length() {
            return length;
        }

        @Override
        public int maxContext() {
            return maxContext;
        }

        @Override
        public int truncatableTo() {
            return 0;
        }

        @Override
        public void truncate(int newLength) {
            if (newLength < 0 || newLength > length) {
                throw new IllegalArgumentException("length is " + newLength + ", must be between 0 and " + length);
            }
            cachedTokens.addAndGet(newLength - length);
            length = newLength;
            script = null;
        }

        @Override
        public KvSequence fork() {
            return new Sequence(maxContext, tokens, length);
        }

        @Override
        public long bytes() {
            return length;
        }

        @Override
        public void close() {
            if (open) {
                open = false;
                cachedTokens.addAndGet(-length);
                openSequences.decrementAndGet();
            }
        }
    }
}
