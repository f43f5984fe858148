package dev.ossicle.engine;

import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.engine.GenerationEvent.Done;
import dev.ossicle.engine.GenerationEvent.Finish;
import dev.ossicle.engine.GenerationEvent.Timings;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Generates with one model. A thread of its own owns the runner and serves all generations side by side, as {@link Scheduler}
 * decides. Thread-safe.
 */
public final class Engine implements AutoCloseable {
    private final ModelRunner runner;
    private final ModelConfig config;
    private final EngineOptions options;
    private final BlockingQueue<Generation> arrivals = new LinkedBlockingQueue<>();
    /** Started and not ended. */
    private final AtomicInteger open = new AtomicInteger();

    private final Thread thread;
    private volatile boolean closing;
    private volatile EngineStatus status = EngineStatus.IDLE;

    /** Takes the runner over: closes it when it is closed itself. */
    public Engine(ModelRunner runner) {
        this(runner, EngineOptions.DEFAULT);
    }

    /** The same within limits. */
    public Engine(ModelRunner runner, EngineOptions options) {
        this.runner = runner;
        this.config = runner.config();
        this.options = options;
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

    private void serve() {
        Scheduler scheduler = new Scheduler(runner, options, System::nanoTime);
        try (runner;
                scheduler) {
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
        } finally {
            for (Generation each = arrivals.poll(); each != null; each = arrivals.poll()) {
                each.emit(new Done(Finish.CANCELLED, new Timings(0, 0, 0, 0, 0)));
            }
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
