package dev.ossicle.engine;

/**
 * How a device is to run a model.
 *
 * @param threads of the processor to compute with, where that has a meaning
 * @param precision of what the processor computes; a GPU has one of its own
 * @param cacheBits of a key or value that the processor keeps: 32, or 16 or 8 with a scale for each position and head; a GPU has its own
 * @param hostExpertLayers so many layers, from the first, keep their experts in host memory on a device that has memory of its
 *     own, and have them computed by the processor; 0 for none
 * @param cacheBytes of keys and values that there must be room for on such a device
 */
public record DeviceOptions(int threads, Precision precision, int cacheBits, int hostExpertLayers, long cacheBytes) {
    public DeviceOptions {
        if (threads < 1 || hostExpertLayers < 0 || cacheBytes < 0) {
            throw new IllegalArgumentException("must not be negative: threads " + threads
                    + ", layers with experts in host" + " memory " + hostExpertLayers + ", cache bytes " + cacheBytes);
        }
        if (cacheBits != 32 && cacheBits != 16 && cacheBits != 8) {
            throw new IllegalArgumentException("bits of keys and values are " + cacheBits + ", must be 32, 16 or 8");
        }
    }

    /** Everything on the device, with room for a usual cache. */
    public static DeviceOptions of(int threads, Precision precision) {
        return new DeviceOptions(threads, precision, cacheBits(precision), 0, EngineOptions.DEFAULT.cacheBytes());
    }

    /** Of a key or value, where nobody asks for others. */
    public static int cacheBits(Precision precision) {
        return precision == Precision.FAST ? 16 : 32;
    }
}
