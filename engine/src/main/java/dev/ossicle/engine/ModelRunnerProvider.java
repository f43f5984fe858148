package dev.ossicle.engine;

import dev.ossicle.checkpoint.Checkpoint;
import java.util.Optional;

/** A kind of device, found as a service. */
public interface ModelRunnerProvider {
    /** What {@code --device} calls it: "cpu", "cuda", "reference". */
    String name();

    /** What it would compute with on this machine: "Vector API, 256 bits". Only asked where it is available. */
    String description();

    /** The higher one is taken first when no device is asked for. */
    int priority();

    /** Whether it computes at full speed from the first token, while others still compile their kernels. */
    default boolean startsAtOnce() {
        return false;
    }

    /** Why this machine cannot run it, with what to do about it; empty if it can. */
    Optional<String> unavailable();

    /**
     * Whether that it is unavailable is worth saying where nobody asked for it: not if the machine just has no such device, as most
     * have none.
     */
    default boolean isMissed() {
        return true;
    }

    /** Why it cannot run this model, though available, with what to do about it; empty if it can. Only asked where available. */
    default Optional<String> cannotRun(Checkpoint checkpoint, DeviceOptions options) {
        return Optional.empty();
    }

    /** Whether {@link Precision#FAST} takes host memory for a copy of the weights. */
    default boolean copiesIntoHostMemory() {
        return true;
    }

    /** @param checkpoint stays open as long as the runner, which reads its mapping */
    ModelRunner open(Checkpoint checkpoint, DeviceOptions options, LoadProgress progress);
}
