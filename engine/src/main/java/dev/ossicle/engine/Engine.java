package dev.ossicle.engine;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.engine.GenerationEvent.Done;
import dev.ossicle.engine.GenerationEvent.Finish;
import dev.ossicle.engine.GenerationEvent.Prefilled;
import dev.ossicle.engine.GenerationEvent.Timings;
import dev.ossicle.engine.GenerationEvent.Token;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * Generates with one model. A thread of its own owns the runner and serves generations in the order they came, one at a
 * time. Thread-safe.
 */
public final class Engine implements AutoCloseable {
    /** Prompt tokens computed between two looks at whether the generation was cancelled. */
    private static final int PREFILL_CHUNK = 512;

    private final ModelRunner runner;
    private final ModelConfig config;
    private final Sampler sampler;
    private final BitMask allowed;
    private final PrefixCache cache;
    private final BlockingQueue<Generation> queue = new LinkedBlockingQueue<>();
    private final Thread thread;
    private volatile boolean closing;

    /** Takes the runner over: closes it when it is closed itself. */
    public Engine(ModelRunner runner) {
        this.runner = runner;
        this.config = runner.config();
        this.sampler = new Sampler(config.vocabulary());
        this.allowed = new BitMask(config.vocabulary());
        this.cache = new PrefixCache(runner);
        this.thread = Thread.ofPlatform().name("ossicle-model").daemon().unstarted(this::serve);
        thread.start();
    }

    public ModelConfig config() {
        return config;
    }

    public String runnerDescription() {
        return runner.description();
    }

    /**
     * Queues a generation.
     *
     * @throws IllegalArgumentException if the prompt leaves no room in the model's context or has a token id that is not in
     *     the vocabulary
     * @throws IllegalStateException if the engine is closed
     */
    public Generation start(GenerationRequest request) {
        int[] prompt = request.prompt();
        if (prompt.length >= config.maxContext()) {
            throw new IllegalArgumentException("the prompt has " + prompt.length + " tokens, the model's context is "
                    + config.maxContext() + ": nothing is left for an answer");
        }
        for (int i = 0; i < prompt.length; i++) {
            if (prompt[i] < 0 || prompt[i] >= config.vocabulary()) {
                throw new IllegalArgumentException("prompt token " + i + " is " + prompt[i]
                        + ", the vocabulary has ids 0 to " + (config.vocabulary() - 1));
            }
        }
        Generation generation = new Generation(request);
        queue.add(generation);
        if (closing) {
            // The model's thread may have emptied the queue before this one was added.
            queue.remove(generation);
            throw new IllegalStateException("the engine is closed");
        }
        return generation;
    }

    private void serve() {
        try (runner;
                cache) {
            while (!closing) {
                Generation generation = queue.take();
                try {
                    generate(generation);
                } catch (Throwable e) { // whatever it was, somebody waits for it
                    generation.fail(e);
                }
            }
        } catch (InterruptedException e) {
            // close() asked for it
        }
        for (Generation generation = queue.poll(); generation != null; generation = queue.poll()) {
            generation.emit(new Done(Finish.CANCELLED, new Timings(0, 0, 0, 0, 0)));
        }
    }

    private void generate(Generation generation) {
        GenerationRequest request = generation.request();
        int[] prompt = request.prompt();
        float[] logits = new float[config.vocabulary()];
        LogitsConsumer keep = (chunk, position, values) -> System.arraycopy(values, 0, logits, 0, logits.length);
        long start = System.nanoTime();
        KvSequence sequence = cache.begin(prompt);
        boolean kept = false;
        try {
            int cached = sequence.length();
            for (int from = cached; from < prompt.length; from = sequence.length()) {
                if (stopped(generation)) {
                    generation.emit(
                            new Done(Finish.CANCELLED, new Timings(from, cached, System.nanoTime() - start, 0, 0)));
                    return;
                }
                int to = Math.min(prompt.length, from + PREFILL_CHUNK);
                int[] tokens = Arrays.copyOfRange(prompt, from, to);
                runner.forward(List.of(new Chunk(sequence, tokens, to == prompt.length ? 1 : 0)), keep);
                generation.emit(new Prefilled(to, prompt.length));
            }
            // The next turn goes on from here: what is thought now is not part of it.
            cache.keep(prompt, sequence.fork());
            long prefilled = System.nanoTime();
            int[] written = prompt;
            int tokens = 0;
            Finish finish = null;
            while (finish == null) {
                int token = draw(request, logits, tokens);
                generation.emit(new Token(
                        token,
                        request.topLogprobs() < 0
                                ? List.of()
                                : sampler.logprobs(logits, token, request.topLogprobs())));
                tokens++;
                finish = finish(generation, token, tokens, sequence);
                if (finish == null) {
                    runner.forward(List.of(new Chunk(sequence, new int[] {token}, 1)), keep);
                    written = append(written, sequence.length(), token);
                }
            }
            cache.keep(Arrays.copyOf(written, sequence.length()), sequence);
            kept = true;
            generation.emit(new Done(
                    finish,
                    new Timings(prompt.length, cached, prefilled - start, tokens, System.nanoTime() - prefilled)));
        } finally {
            if (!kept) {
                sequence.close();
            }
        }
    }

    /** With {@code token} as element {@code length - 1}, in the same array if there is room. */
    private static int[] append(int[] tokens, int length, int token) {
        int[] result = length <= tokens.length ? tokens : Arrays.copyOf(tokens, Math.max(64, 2 * length));
        result[length - 1] = token;
        return result;
    }

    private int draw(GenerationRequest request, float[] logits, int index) {
        TokenMask mask = request.mask();
        if (mask == null) {
            return sampler.sample(logits, request.sampling(), index, null);
        }
        allowed.clearAll();
        mask.allowed(allowed);
        int token = sampler.sample(logits, request.sampling(), index, allowed);
        mask.accept(token);
        return token;
    }

    private @Nullable Finish finish(Generation generation, int token, int tokens, KvSequence sequence) {
        if (generation.request().stopTokens().contains(token)) {
            return Finish.STOP;
        }
        if (stopped(generation)) {
            return Finish.CANCELLED;
        }
        if (tokens == generation.request().maxTokens()) {
            return Finish.LENGTH;
        }
        return sequence.length() + 1 >= config.maxContext() ? Finish.CONTEXT : null;
    }

    private boolean stopped(Generation generation) {
        return closing || generation.isCancelled();
    }

    /** Cancels what is running and queued, and frees the model. */
    @Override
    public void close() {
        closing = true;
        thread.interrupt();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
