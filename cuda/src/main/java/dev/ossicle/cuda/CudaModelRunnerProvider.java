package dev.ossicle.cuda;

import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.checkpoint.ModelConfig;
import dev.ossicle.engine.DeviceOptions;
import dev.ossicle.engine.LoadProgress;
import dev.ossicle.engine.ModelRunner;
import dev.ossicle.engine.ModelRunnerProvider;
import java.util.Optional;

/** Offers {@link CudaModelRunner} where there is an NVIDIA GPU that can run it. */
public final class CudaModelRunnerProvider implements ModelRunnerProvider {
    private final Gpu gpu = Gpu.look();

    /** For the service loader. */
    public CudaModelRunnerProvider() {}

    @Override
    public String name() {
        return "cuda";
    }

    @Override
    public String description() {
        return switch (gpu) {
            case Gpu.Usable usable -> usable.words();
            case Gpu.None none -> none.reason();
        };
    }

    @Override
    public int priority() {
        return 20;
    }

    @Override
    public Optional<String> unavailable() {
        return gpu instanceof Gpu.None none ? Optional.of(none.reason()) : Optional.empty();
    }

    @Override
    public boolean isMissed() {
        return !(gpu instanceof Gpu.None none) || none.missed();
    }

    @Override
    public boolean copiesIntoHostMemory() {
        return false;
    }

    @Override
    public Optional<String> cannotRun(Checkpoint checkpoint, DeviceOptions options) {
        return switch (gpu) {
            case Gpu.Usable usable -> cannotRun(usable, checkpoint, options);
            case Gpu.None none -> Optional.of(none.reason());
        };
    }

    private static Optional<String> cannotRun(Gpu.Usable gpu, Checkpoint checkpoint, DeviceOptions options) {
        ModelConfig config = checkpoint.config();
        int sharedBytes;
        long free;
        try (Device device = gpu.open()) {
            sharedBytes = device.sharedBytes();
            free = device.freeBytes();
        } catch (CudaException e) {
            return Optional.of(e.getMessage() + "; see what nvidia-smi says");
        }
        if (checkpoint.weights() != checkpoint.baseWeights()) {
            return Optional.of("a LoRA adapter cannot be applied on a GPU yet; use --device cpu");
        }
        if (options.cacheBits() == 8) {
            return Optional.of("a GPU keeps keys and values in 16 bits; leave out --cache-bits, or use --device cpu");
        }
        return KernelLimits.problem(config, sharedBytes)
                .or(() -> WeightsLoader.problem(checkpoint.weights(), options.hostExpertLayers()))
                .or(() -> tooSmall(free, config, options));
    }

    static Optional<String> tooSmall(long free, ModelConfig config, DeviceOptions options) {
        MemoryPlan plan = MemoryPlan.of(config, options);
        if (plan.bytes() <= free) {
            return Optional.empty();
        }
        String needs = "the model needs " + Gpu.gigabytes(plan.bytes()) + " GB of the GPU's memory (weights "
                + Gpu.gigabytes(plan.weights()) + ", cache " + Gpu.gigabytes(plan.cache()) + "), "
                + Gpu.gigabytes(free) + " GB are free; ";
        for (int layers = options.hostExpertLayers() + 1; layers <= config.layers(); layers++) {
            DeviceOptions less = new DeviceOptions(
                    options.threads(), options.precision(), options.cacheBits(), layers, options.cacheBytes());
            if (MemoryPlan.of(config, less).bytes() <= free) {
                return Optional.of(needs + "--n-cpu-moe " + layers + " would keep the experts of " + layers + " of its "
                        + config.layers() + " layers in host memory, which is slower");
            }
        }
        return Optional.of(needs + "it does not fit even with all experts in host memory; use --device cpu");
    }

    /** @throws CudaException if the GPU fails, or has less memory left than it had */
    @Override
    public ModelRunner open(Checkpoint checkpoint, DeviceOptions options, LoadProgress progress) {
        return switch (gpu) {
            case Gpu.Usable usable -> CudaModelRunner.open(usable.open(), checkpoint, options, progress);
            case Gpu.None none -> throw new IllegalStateException(none.reason());
        };
    }
}
