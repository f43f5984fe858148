package dev.ossicle.cpu;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.engine.DeviceOptions;
import dev.ossicle.engine.LoadProgress;
import dev.ossicle.engine.ModelRunner;
import dev.ossicle.engine.ModelRunnerProvider;
import java.util.Optional;

/** Offers {@link ReferenceModelRunner}, which runs anywhere. */
public final class ReferenceModelRunnerProvider implements ModelRunnerProvider {
    /** For the service loader. */
    public ReferenceModelRunnerProvider() {}

    @Override
    public String name() {
        return "reference";
    }

    @Override
    public String description() {
        return "plain loops in double precision, 1 thread";
    }

    @Override
    public boolean startsAtOnce() {
        return true;
    }

    @Override
    public int priority() {
        return 0;
    }

    @Override
    public Optional<String> unavailable() {
        return Optional.empty();
    }

    @Override
    public ModelRunner open(Checkpoint checkpoint, DeviceOptions options, LoadProgress progress) {
        return new ReferenceModelRunner(checkpoint.config(), checkpoint.weights());
    }
}
