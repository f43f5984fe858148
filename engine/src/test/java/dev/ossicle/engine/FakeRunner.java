package dev.ossicle.engine;

import dev.ossicle.checkpoint.ModelConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/** A model without weights: after token t it prefers t + 1 by far, so a greedy generation counts upwards. */
final class FakeRunner implements ModelRunner {
    static final int VOCABULARY = 100;

    final ModelConfig config;
    final AtomicInteger openSequences = new AtomicInteger();
    final List<Integer> chunkLengths = new ArrayList<>();
    private long cachedTokens;
    volatile boolean closed;
    volatile @Nullable RuntimeException failure;
    /** A pass with this token in it fails. */
    volatile int poison = -1;
    /** Whether that shows only when the chunks before it have handed out their logits. */
    volatile boolean failLate;

    /** Whether tokens are drawn at the end of the pass, as a device does. */
    volatile boolean drawsLate;

    /** Of the last pass: the lengths of its chunks. */
    final List<Integer> lastBatch = new ArrayList<>();
    /** Runs before each forward pass, on the model's thread. */
    volatile Runnable beforeForward = () -> {};

    FakeRunner(int maxContext) {
        config = new ModelConfig(
                2, 4, 4, VOCABULARY, 32, 32, 2, 2, 1, 16, maxContext, 150_000, 32, 4096, 1, 32, 7, 1e-5);
    }

    @Override
    public ModelConfig config() {
        return config;
    }

    @Override
    public String description() {
        return "fake";
    }

    @Override
    public KvSequence newSequence(int maxContext) {
        openSequences.incrementAndGet();
        return new Sequence(maxContext);
    }

    @Override
    public void forward(List<Chunk> batch, LogitsConsumer logits) {
        beforeForward.run();
        if (failure != null) {
            throw failure;
        }
        lastBatch.clear();
        for (Chunk chunk : batch) {
            lastBatch.add(chunk.tokens().length);
            if (!failLate && Arrays.stream(chunk.tokens()).anyMatch(token -> token == poison)) {
                throw new NonFiniteException("poisoned");
            }
        }
        List<Runnable> draws = new ArrayList<>();
        for (int c = 0; c < batch.size(); c++) {
            Chunk chunk = batch.get(c);
            Sequence sequence = (Sequence) chunk.sequence();
            if (Arrays.stream(chunk.tokens()).anyMatch(token -> token == poison)) {
                throw new NonFiniteException("poisoned");
            }
            chunkLengths.add(chunk.tokens().length);
            for (int i = 0; i < chunk.tokens().length; i++) {
                if (i >= chunk.tokens().length - chunk.wantedLogits()) {
                    float[] row = new float[VOCABULARY];
                    row[(chunk.tokens()[i] + 1) % VOCABULARY] = 5;
                    logits.logits(c, sequence.length, drawsLate ? new Late(row, draws) : () -> row);
                }
                sequence.length++;
                cachedTokens++;
            }
        }
        draws.forEach(Runnable::run);
    }

    /** Keeps the draws for the end of the pass. */
    private record Late(float[] values, List<Runnable> draws) implements Logits {
        @Override
        public void sample(Sampler host, Sampling sampling, long index, @Nullable BitMask allowed, IntConsumer drawn) {
            int token = host.sample(values, sampling, index, allowed);
            draws.add(() -> drawn.accept(token));
        }
    }

    /** A position takes a byte. */
    @Override
    public long cacheBytes() {
        return cachedTokens;
    }

    @Override
    public void close() {
        closed = true;
    }

    private final class Sequence implements KvSequence {
        private final int maxContext;
        private int length;

        Sequence(int maxContext) {
            this.maxContext = maxContext;
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
            cachedTokens += newLength - length;
            length = newLength;
        }

        @Override
        public KvSequence fork() {
            Sequence fork = new Sequence(maxContext);
            openSequences.incrementAndGet();
            fork.length = length;
            cachedTokens += length;
            return fork;
        }

        @Override
        public long bytes() {
            return length;
        }

        @Override
        public void close() {
            openSequences.decrementAndGet();
            cachedTokens -= length;
        }
    }
}
