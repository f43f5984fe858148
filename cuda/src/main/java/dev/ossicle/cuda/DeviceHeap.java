package dev.ossicle.cuda;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Pieces of a GPU's memory that are freed together; or, without a GPU, a count of what they would take. */
final class DeviceHeap implements AutoCloseable {
    /** What the driver rounds a piece up to. */
    private static final long GRAIN = 512;

    private final @Nullable Device device;
    private final List<DeviceMemory> pieces = new ArrayList<>();
    private long bytes;

    private DeviceHeap(@Nullable Device device) {
        this.device = device;
    }

    static DeviceHeap on(Device device) {
        return new DeviceHeap(device);
    }

    /** Its pieces lie nowhere. */
    static DeviceHeap counting() {
        return new DeviceHeap(null);
    }

    /** Not cleared. */
    DeviceMemory allocate(long wanted) {
        bytes += (wanted + GRAIN - 1) / GRAIN * GRAIN;
        if (device == null) {
            return nowhere(wanted);
        }
        DeviceMemory piece = DeviceMemory.allocate(device, wanted);
        pieces.add(piece);
        return piece;
    }

    @SuppressWarnings("NullAway") // only its length is looked at
    private static DeviceMemory nowhere(long bytes) {
        return new DeviceMemory(null, 0, bytes, false);
    }

    long bytes() {
        return bytes;
    }

    @Override
    public void close() {
        pieces.forEach(DeviceMemory::close);
        pieces.clear();
    }
}
