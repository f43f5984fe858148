package dev.ossicle.engine;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.engine.GenerationEvent.Done;
import dev.ossicle.engine.GenerationEvent.Finish;
import dev.ossicle.engine.GenerationEvent.Timings;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Generates with one model. A thread of its own owns the runner and serves all generations side by side, as {@link Scheduler}
 * decides. Thread-safe.
 */
public final class Engine implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger("dev.ossicle");

    /** Prefixes of a prompt cache file: the newest. */
    private static final int MAX_SAVED = 16;

    private final ModelRunner runner;
    private final ModelConfig config;
    private final EngineOptions options;
    private final BlockingQueue<Generation> arrivals = new LinkedBlockingQueue<>();
    /** Started and not ended. */
    private final AtomicInteger open = new AtomicInteger();

    private final @Nullable PromptCacheFile promptCache;
    private final Scheduler scheduler;
    private final Thread thread;
    private volatile boolean closing;
    private volatile EngineStatus status = EngineStatus.IDLE;

    /** Takes the runner over: closes it when it is closed itself. */
    public Engine(ModelRunner runner) {
        this(runner, EngineOptions.DEFAULT);
    }

    /** The same within limits. */
    public Engine(ModelRunner runner, EngineOptions options) {
        this(runner, options, null);
    }

    /**
     * The same with prefixes of an earlier process.
     *
     * @param promptCache read now, written when this is closed; null for none
     * @throws IllegalArgumentException if it cannot be used; one of another model is passed over, and the log says so
     */
    public Engine(ModelRunner runner, EngineOptions options, @Nullable PromptCacheFile promptCache) {
        this.runner = runner;
        this.config = runner.config();
        this.options = options;
        this.promptCache = promptCache;
        this.scheduler = new Scheduler(runner, options, System::nanoTime);
        restore();
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
     * @throws ContextLengthException if the prompt leaves no room in the model's context
     * @throws IllegalArgumentException if it has a token id that is not in the vocabulary
     * @throws QueueFullException if too many wait already
     * @throws IllegalStateException if the engine is closed
     */
    public Generation start(GenerationRequest request) {
        int[] prompt = request.prompt();
        if (prompt.length >= config.maxContext()) {
            throw new ContextLengthException(prompt.length, config.maxContext());
        }
        for (int i = 0; i < prompt.length; i++) {
            if (prompt[i] < 0 || prompt[i] >= config.vocabulary()) {
                throw new IllegalArgumentException("prompt token " + i + " is " + prompt[i]
                        + ", the vocabulary has ids 0 to " + (config.vocabulary() - 1));
            }
        }
        if (open.incrementAndGet() > options.maxGenerations()) {
            open.decrementAndGet();
            throw new QueueFullException(options.maxGenerations());
        }
        Generation generation = new Generation(request, System.nanoTime(), open::decrementAndGet);
        arrivals.add(generation);
        if (closing && arrivals.remove(generation)) {
            // The model's thread has gone, or will find this one no more.
            open.decrementAndGet();
            throw new IllegalStateException("the engine is closed");
        }
        return generation;
    }

    /** Generations that have been started and have not ended. */
    public int open() {
        return open.get();
    }

    /** As it was after the last step. */
    public EngineStatus status() {
        return status;
    }

    private void restore() {
        if (promptCache == null) {
            return;
        }
        try {
            for (PromptCacheFile.Entry entry : promptCache.read(runner)) {
                scheduler.cache().keep(entry.tokens(), entry.sequence());
            }
        } catch (PromptCacheFile.OtherModelException e) {
            LOG.log(System.Logger.Level.WARNING, e.getMessage() + "; it begins anew");
        } catch (IOException e) {
            scheduler.close();
            runner.close();
            throw new IllegalArgumentException(
                    "the prompt cache cannot be used: " + e.getMessage() + "; delete it, or name another file", e);
        }
    }

    private void save() {
        if (promptCache == null) {
            return;
        }
        try {
            List<PromptCacheFile.Entry> entries = scheduler.cache().entries();
            promptCache.write(runner, entries.subList(Math.max(0, entries.size() - MAX_SAVED), entries.size()));
        } catch (IOException | RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "the prompt cache cannot be written", e);
        }
    }

    private void serve() {
        try (runner;
                scheduler) {
            loop();
            Thread.interrupted(); // that was to wake the loop, and would break the file
            save();
        } finally {
            for (Generation each = arrivals.poll(); each != null; each = arrivals.poll()) {
                each.emit(new Done(Finish.CANCELLED, new Timings(0, 0, 0, 0, 0)));
            }
        }
    }

    private void loop() {
        try {
            while (!closing) {
                if (scheduler.isIdle()) {
                    scheduler.add(arrivals.take());
                }
                for (Generation each = arrivals.poll(); each != null; each = arrivals.poll()) {
                    scheduler.add(each);
                }
                try {
                    scheduler.step();
                } catch (RuntimeException | Error e) { // whatever it was, somebody waits
                    scheduler.failAll(e);
                }
                status = scheduler.status();
            }
        } catch (InterruptedException e) {
            // close() asked for it
        }
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
