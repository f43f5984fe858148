package dev.ossicle.cli;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.engine.DeviceOptions;
import dev.ossicle.engine.LoadProgress;
import dev.ossicle.engine.ModelRunner;
import dev.ossicle.engine.ModelRunnerProvider;
import dev.ossicle.engine.scripted.ScriptedModelRunner;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** The device {@code --device script}: a model that says what a test has it say. */
public final class ScriptedProvider implements ModelRunnerProvider {
    /** The next model; taken when it is opened. */
    static final AtomicReference<@Nullable ScriptedModelRunner> NEXT = new AtomicReference<>();

    /** Who hears how far the last model has come. */
    static final AtomicReference<LoadProgress> HEARS = new AtomicReference<>(LoadProgress.NONE);

    @Override
    public String name() {
        return "script";
    }

    @Override
    public String description() {
        return "a script";
    }

    @Override
    public int priority() {
        return Integer.MIN_VALUE;
    }

    @Override
    public Optional<String> unavailable() {
        return NEXT.get() == null ? Optional.of("there is no script") : Optional.empty();
    }

    @Override
    public ModelRunner open(Checkpoint checkpoint, DeviceOptions options, LoadProgress progress) {
        HEARS.set(progress);
        return Objects.requireNonNull(NEXT.getAndSet(null), "there is no script");
    }
}
