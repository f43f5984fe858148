package dev.ossicle.cli;

import dev.ossicle.chat.ChatModel;
import dev.ossicle.chat.LocalModel;
import dev.ossicle.checkpoint.Checkpoint;
import dev.ossicle.cpu.Pack;
import dev.ossicle.engine.DeviceOptions;
import dev.ossicle.engine.EngineOptions;
import dev.ossicle.engine.ModelRunner;
import dev.ossicle.engine.ModelRunnerProvider;
import dev.ossicle.engine.ModelRunners;
import dev.ossicle.engine.Precision;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What computes, the same for all commands that run a model. */
final class RunnerOptions {
    /** Room for everything but weights: the heap, and a cache of a few thousand positions. */
    private static final long RESERVED_BYTES = 1_500_000_000;

    @Option(
            names = "--device",
            paramLabel = "NAME",
            description =
                    "What computes: cuda (an NVIDIA GPU), cpu, or reference (plain loops, slow). The best one that can run the"
                            + " model by default.")
    private @Nullable String device;

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            description = "Threads to compute with; all cores by default.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--precision",
            paramLabel = "NAME",
            description = "fast: weights are copied into memory as the kernels like them, activations in front of MXFP4"
                    + " experts and the cache are rounded; exact: float32 throughout, straight from the file. Default: fast,"
                    + " and exact for logits.")
    private @Nullable Precision precision;

    @Option(
            names = "--cache-bits",
            paramLabel = "N",
            description =
                    "Bits of a key or value in the cache, on a CPU: 32 (floats), 16 or 8 (rounded, with a scale for"
                            + " each position and head: half the memory again, less exact). Default: 16 with fast precision, 32"
                            + " with exact.")
    private @Nullable Integer cacheBits;

    @Option(
            names = "--n-cpu-moe",
            paramLabel = "N",
            description =
                    "With a GPU that is too small for the model: the experts of the first N layers stay in host memory and"
                            + " are computed by the processor. Default: 0.")
    private int hostExpertLayers;

    @Option(
            names = "--lora",
            paramLabel = "ADAPTER",
            description =
                    "A folder with a LoRA adapter of PEFT's (adapter_config.json, adapter_model.safetensors) for the"
                            + " attention's projections.")
    private @Nullable Path adapter;

    /** Null for none. */
    @Nullable
    Path adapter() {
        return adapter;
    }

    /** Opens a model's files, with the adapter that was asked for. */
    Checkpoint checkpoint(ModelLocation.Local model) {
        return Checkpoint.open(model.path(), adapter);
    }

    /** Opens a model, here or on its host. */
    ChatModel open(ModelLocation model, EngineOptions limits, @Nullable Path promptCache, PrintWriter err) {
        return switch (model) {
            case ModelLocation.Local local -> open(local, limits, promptCache, err);
            case ModelLocation.Remote remote -> {
                if (adapter != null) {
                    throw new UsageException("--lora cannot be applied to a model on another host");
                }
                yield ChatModel.remote(remote.base(), remote.model(), remote.key());
            }
        };
    }

    /** Opens a checkpoint with its tokenizer; says on {@code err}, once, why a better device was passed over. */
    LocalModel open(ModelLocation.Local model, EngineOptions limits, @Nullable Path promptCache, PrintWriter err) {
        if (device != null) {
            choose(); // a name that does not exist is a mistake in the command line, whatever the model
        }
        DeviceOptions possible = options(Precision.FAST, limits);
        if (possible.precision() == Precision.FAST) {
            try (Checkpoint checkpoint = checkpoint(model)) {
                ModelRunnerProvider provider =
                        ModelRunners.chooseForChat(device, checkpoint, possible).provider();
                possible = possible(possible, provider, checkpoint, err);
            }
        }
        Progress progress = Progress.loading(err);
        try {
            return LocalModel.open(
                    model.name(),
                    model.path(),
                    adapter,
                    device,
                    possible,
                    limits,
                    promptCache,
                    warning -> err.println("ossicle: " + warning),
                    progress::bytes);
        } finally {
            progress.end();
        }
    }

    /** What was asked for. */
    Precision precision(Precision byDefault) {
        return precision == null ? byDefault : precision;
    }

    /** What was asked for, unless there is no room for a copy of the weights; a pack needs none. */
    private DeviceOptions possible(
            DeviceOptions wanted, ModelRunnerProvider provider, Checkpoint checkpoint, PrintWriter err) {
        if (wanted.precision() == Precision.EXACT
                || !provider.copiesIntoHostMemory()
                || Files.exists(Pack.beside(checkpoint))) {
            return wanted;
        }
        long bytes = checkpoint.bytes();
        long available = MachineMemory.available().orElse(Long.MAX_VALUE);
        if (available < bytes + RESERVED_BYTES) {
            err.println("ossicle: --precision fast needs " + Sizes.bytes(bytes + RESERVED_BYTES) + " of memory, "
                    + Sizes.bytes(available)
                    + " are available: computing from the file instead; 'ossicle pack' makes a file that fast"
                    + " precision can run from");
            return new DeviceOptions(
                    wanted.threads(),
                    Precision.EXACT,
                    cacheBits(Precision.EXACT),
                    wanted.hostExpertLayers(),
                    wanted.cacheBytes());
        }
        return wanted;
    }

    /** The same for tokens alone. */
    ModelRunner open(Checkpoint checkpoint, Precision byDefault, PrintWriter err) {
        choose();
        DeviceOptions options = options(byDefault, EngineOptions.DEFAULT);
        ModelRunners.Choice choice = ModelRunners.choose(device, checkpoint, options);
        for (String warning : choice.warnings()) {
            err.println("ossicle: " + warning);
        }
        return open(choice, checkpoint, possible(options, choice.provider(), checkpoint, err), err);
    }

    /** Shows how far the model has come. */
    static ModelRunner open(ModelRunners.Choice choice, Checkpoint checkpoint, DeviceOptions options, PrintWriter err) {
        Progress progress = Progress.loading(err);
        try {
            return choice.provider().open(checkpoint, options, progress::bytes);
        } finally {
            progress.end();
        }
    }

    /** What was asked for. */
    private DeviceOptions options(Precision byDefault, EngineOptions limits) {
        if (hostExpertLayers < 0) {
            throw new UsageException("--n-cpu-moe is " + hostExpertLayers + ", must not be negative");
        }
        Precision wanted = precision(byDefault);
        return new DeviceOptions(threads(), wanted, cacheBits(wanted), hostExpertLayers, limits.cacheBytes());
    }

    private int cacheBits(Precision used) {
        int bits = cacheBits == null ? DeviceOptions.cacheBits(used) : cacheBits;
        if (bits != 32 && bits != 16 && bits != 8) {
            throw new UsageException("--cache-bits is " + bits + ", must be 32, 16 or 8");
        }
        return bits;
    }

    /** Refuses a device that does not exist or cannot be used. */
    private void choose() {
        try {
            ModelRunners.choose(device);
        } catch (IllegalArgumentException e) {
            throw new UsageException(Main.message(e));
        }
    }

    int threads() {
        if (threads < 1 || threads > 1024) {
            throw new UsageException("--threads is " + threads + ", must be between 1 and 1024");
        }
        return threads;
    }
}
