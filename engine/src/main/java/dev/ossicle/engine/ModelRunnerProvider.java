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
     * @param checkpoint stays open as long as the runner, which reads its mapping
     * @param threads how many to compute with, where that has a meaning
     */
    ModelRunner open(Checkpoint checkpoint, int threads, Precision precision);
}
