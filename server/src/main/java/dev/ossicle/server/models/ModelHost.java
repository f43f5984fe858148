package dev.ossicle.server.models;

import dev.ossicle.chat.LocalModel;
import dev.ossicle.engine.EngineStatus;
import dev.ossicle.server.http.ApiException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The models that there are, one of them in memory at a time. Who asks for another one waits until nobody uses the one that is
 * there; all are served in the order in which they came. Thread-safe.
 */
public final class ModelHost implements AutoCloseable {
    private static final Duration LOOK_FOR_IDLENESS = Duration.ofSeconds(1);

    /**
     * The use of the model in memory, until it is closed.
     *
     * @param installed what is used
     */
    public record Lease(LocalModel model, InstalledModel installed, ModelHost host) implements AutoCloseable {
        @Override
        public void close() {
            host.release();
        }
    }

    /**
     * What is in memory.
     *
     * @param expires when it will go if nobody uses it; null for never
     */
    public record Resident(
            InstalledModel installed,
            LocalModel model,
            @Nullable Instant expires) {}

    private final List<InstalledModel> models;
    private final @Nullable Duration defaultKeepAlive;
    /** Held by the one who may change what is in memory; the others wait in order. */
    private final ReentrantLock gate = new ReentrantLock(true);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition unused = lock.newCondition();
    // Guarded by lock:
    private @Nullable InstalledModel installed;
    private @Nullable LocalModel model;
    private int users;
    private long lastUse = System.nanoTime();
    private @Nullable Duration keepAlive;
    private boolean closed;

    private volatile boolean loading;
    private volatile @Nullable String failure;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("ossicle-idle").factory());

    /**
     * @param models at least one; the first is used where a request names none
     * @param keepAlive how long a model stays in memory that nobody uses; null for ever
     */
    public ModelHost(List<InstalledModel> models, @Nullable Duration keepAlive) {
        this.models = List.copyOf(models);
        this.defaultKeepAlive = keepAlive;
        this.keepAlive = keepAlive;
        clock.scheduleWithFixedDelay(
                this::unloadIfIdle, LOOK_FOR_IDLENESS.toMillis(), LOOK_FOR_IDLENESS.toMillis(), TimeUnit.MILLISECONDS);
    }

    public List<InstalledModel> models() {
        return models;
    }

    /** @throws ApiException if there is no such model */
    public InstalledModel find(@Nullable String name) {
        if (name == null || name.isEmpty()) {
            return models.getFirst();
        }
        return models.stream()
                .filter(each -> each.answersTo(name))
                .findFirst()
                .orElseThrow(() -> ApiException.notFound(
                        "model",
                        "model_not_found",
                        "the model '" + name + "' is not installed here; there are: "
                                + String.join(
                                        ", ",
                                        models.stream()
                                                .map(InstalledModel::name)
                                                .toList())));
    }

    /**
     * Loads a model if it is not there, and keeps it there until the lease is closed.
     *
     * @param name null for the first
     */
    public Lease use(@Nullable String name) throws InterruptedException {
        InstalledModel wanted = find(name);
        gate.lockInterruptibly();
        try {
            lock.lockInterruptibly();
            try {
                while (installed != wanted && users > 0) {
                    unused.await();
                }
                if (closed) {
                    throw ApiException.unavailable(5, "shutting_down", "the server is shutting down");
                }
                if (installed == wanted && model != null) {
                    return lease(model, wanted);
                }
            } finally {
                lock.unlock();
            }
            // Nobody uses what is there, and nobody else can come in.
            unload();
            LocalModel loaded = load(wanted);
            lock.lock();
            try {
                installed = wanted;
                model = loaded;
                keepAlive = defaultKeepAlive;
                return lease(loaded, wanted);
            } finally {
                lock.unlock();
            }
        } finally {
            gate.unlock();
        }
    }

    private Lease lease(LocalModel loaded, InstalledModel wanted) {
        users++;
        return new Lease(loaded, wanted, this);
    }

    private LocalModel load(InstalledModel wanted) {
        loading = true;
        try {
            LocalModel loaded = wanted.open().get();
            failure = null;
            return loaded;
        } catch (RuntimeException | Error e) {
            failure = wanted.name() + " cannot be loaded: " + e.getMessage();
            throw ApiException.serverError(failure);
        } finally {
            loading = false;
        }
    }

    private void release() {
        lock.lock();
        try {
            users--;
            lastUse = System.nanoTime();
            unused.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** How long what is in memory stays there without use, as the last one who used it wishes; null for ever. */
    public void keepAlive(@Nullable Duration duration) {
        lock.lock();
        try {
            keepAlive = duration;
        } finally {
            lock.unlock();
        }
    }

    private void unloadIfIdle() {
        if (!gate.tryLock()) {
            return; // somebody wants it
        }
        try {
            lock.lock();
            try {
                Duration limit = keepAlive;
                if (model == null || users > 0 || limit == null || System.nanoTime() - lastUse < limit.toNanos()) {
                    return;
                }
            } finally {
                lock.unlock();
            }
            unload();
        } finally {
            gate.unlock();
        }
    }

    private void unload() {
        LocalModel old;
        lock.lock();
        try {
            old = model;
            model = null;
            installed = null;
        } finally {
            lock.unlock();
        }
        if (old != null) {
            old.close();
        }
    }

    /** Null if nothing is in memory. */
    public @Nullable Resident resident() {
        lock.lock();
        try {
            if (installed == null || model == null) {
                return null;
            }
            Duration limit = keepAlive;
            Instant expires = limit == null
                    ? null
                    : Instant.now().plus(limit).minusNanos(users > 0 ? 0 : System.nanoTime() - lastUse);
            return new Resident(installed, model, expires);
        } finally {
            lock.unlock();
        }
    }

    public boolean isLoading() {
        return loading;
    }

    /** Why the last attempt to load failed; null if it did not. */
    public @Nullable String failure() {
        return failure;
    }

    /** Of the engine in memory. */
    public @Nullable EngineStatus status() {
        Resident resident = resident();
        return resident == null ? null : resident.model().engine().status();
    }

    @Override
    public void close() {
        clock.shutdownNow();
        lock.lock();
        try {
            closed = true;
        } finally {
            lock.unlock();
        }
        unload();
    }
}
