package dev.ossicle.cpu;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.engine.DeviceOptions;
import dev.ossicle.engine.LoadProgress;
import dev.ossicle.engine.ModelRunner;
import dev.ossicle.engine.ModelRunnerProvider;
import java.util.Optional;

/**
 * Offers {@link VectorModelRunner} where the Vector API's module is there. This class must not touch the Vector API itself,
 * nor load a class that does, before it knows.
 */
public final class VectorModelRunnerProvider implements ModelRunnerProvider {
    private static final String VECTOR_MODULE = "jdk.incubator.vector";

    /** For the service loader. */
    public VectorModelRunnerProvider() {}

    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public String description() {
        return VectorModelRunner.vectors();
    }

    @Override
    public int priority() {
        return 10;
    }

    @Override
    public Optional<String> unavailable() {
        return unavailable(ModuleLayer.boot().findModule(VECTOR_MODULE).isPresent());
    }

    static Optional<String> unavailable(boolean vectorModulePresent) {
        if (!vectorModulePresent) {
            return Optional.of(
                    "the Vector API is not on the module graph: give java the flag --add-modules " + VECTOR_MODULE);
        }
        return VectorBits.problem();
    }

    @Override
    public ModelRunner open(Checkpoint checkpoint, DeviceOptions options, LoadProgress progress) {
        unavailable().ifPresent(reason -> {
            throw new IllegalStateException(reason);
        });
        return VectorModelRunner.of(checkpoint, options, progress);
    }
}
