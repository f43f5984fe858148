package dev.ossicle.engine;

import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/** The logits of one position, wherever they are: on a device they are best drawn from there. */
@FunctionalInterface
public interface Logits {
    /** [V]; belongs to the runner and is only valid while its consumer is called. */
    float[] values();

    /**
     * Draws a token.
     *
     * @param host draws where the device does not
     * @param index of the token in its generation: the draw depends on it and on the seed only
     * @param allowed ids that may be drawn, not needed any more when this returns; null for all
     * @param drawn told of the token, now or later in the same forward pass
     * @throws IllegalStateException if nothing is allowed
     */
    default void sample(Sampler host, Sampling sampling, long index, @Nullable BitMask allowed, IntConsumer drawn) {
        drawn.accept(host.sample(values(), sampling, index, allowed));
    }
}
