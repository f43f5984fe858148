package dev.ossicle.engine;

import dev.ossicle.checkpoint.Checkpoint;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The kinds of device that are on the class or module path. */
public final class ModelRunners {
    /**
     * What was picked.
     *
     * @param warnings why better devices were passed over, with what to do about it; to be said once
     */
    public record Choice(ModelRunnerProvider provider, List<String> warnings) {}

    /**
     * Weights below this are read in no time: until the JVM has compiled vector kernels, plain loops have long answered
     * (measured with nano, 1.8 MB: 0.4 s for a short prompt against 4 s).
     */
    private static final long SMALL_BYTES = 16_000_000;

    private ModelRunners() {}

    /** All of them, best first. */
    public static List<ModelRunnerProvider> all() {
        List<ModelRunnerProvider> providers = new ArrayList<>();
        ServiceLoader.load(ModelRunnerProvider.class, ModelRunners.class.getClassLoader())
                .forEach(providers::add);
        providers.sort(Comparator.comparingInt(ModelRunnerProvider::priority).reversed());
        return providers;
    }

    /**
     * The best that this machine can run, or the one asked for.
     *
     * @param device a provider's name; null for the best
     * @throws IllegalArgumentException if there is no device of that name or it cannot be used, saying why
     */
    public static Choice choose(@Nullable String device) {
        return choose(device, ModelRunnerProvider::unavailable);
    }

    /**
     * The best that can run this model.
     *
     * @throws IllegalArgumentException also if the device asked for cannot run it
     */
    public static Choice choose(@Nullable String device, Checkpoint checkpoint, DeviceOptions options) {
        return choose(device, provider -> provider.unavailable().or(() -> provider.cannotRun(checkpoint, options)));
    }

    /** The same for a conversation: a small model goes to a device that starts at once. */
    public static Choice chooseForChat(@Nullable String device, Checkpoint checkpoint, DeviceOptions options) {
        if (device == null && checkpoint.bytes() < SMALL_BYTES) {
            for (ModelRunnerProvider provider : all()) {
                if (provider.startsAtOnce() && provider.unavailable().isEmpty()) {
                    return new Choice(provider, List.of());
                }
            }
        }
        return choose(device, checkpoint, options);
    }

    private static Choice choose(@Nullable String device, Function<ModelRunnerProvider, Optional<String>> problem) {
        List<ModelRunnerProvider> all = all();
        List<String> warnings = new ArrayList<>();
        for (ModelRunnerProvider provider : all) {
            if (device != null && !device.equals(provider.name())) {
                continue;
            }
            Optional<String> reason = problem.apply(provider);
            if (reason.isEmpty()) {
                return new Choice(provider, List.copyOf(warnings));
            }
            if (device != null) {
                throw new IllegalArgumentException("device " + device + " cannot be used: " + reason.get());
            }
            if (provider.isMissed()) {
                warnings.add("device " + provider.name() + " cannot be used: " + reason.get());
            }
        }
        String names =
                String.join(", ", all.stream().map(ModelRunnerProvider::name).toList());
        throw new IllegalArgumentException(
                device == null
                        ? "no device can run the model: " + String.join("; ", warnings)
                        : "there is no device " + device + ", only: " + names);
    }
}
