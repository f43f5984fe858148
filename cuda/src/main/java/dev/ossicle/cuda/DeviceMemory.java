package dev.ossicle.cuda;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A piece of a GPU's memory: an allocation, aligned to 256 bytes, or a slice of one. Not cleared.
 *
 * @param address where it starts, as kernels see it
 * @param bytes its length
 * @param whole whether it is an allocation, which close() frees; a slice's close() does nothing
 */
record DeviceMemory(Device device, long address, long bytes, boolean whole) implements AutoCloseable {
    /** @throws CudaException (code 2) if the GPU has no such piece left */
    static DeviceMemory allocate(Device device, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(JAVA_LONG);
            device.driver()
                    .check(
                            (int) device.driver().cuMemAlloc.invokeExact(address, bytes),
                            "allocating " + bytes + " bytes of GPU memory");
            return new DeviceMemory(device, address.get(JAVA_LONG, 0), bytes, true);
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    DeviceMemory slice(long offset, long length) {
        if (offset < 0 || length < 0 || offset > bytes - length) {
            throw new IndexOutOfBoundsException(offset + " + " + length + " of " + bytes + " bytes");
        }
        return new DeviceMemory(device, address + offset, length, false);
    }

    @Override
    public void close() {
        if (whole) {
            try {
                device.driver().check((int) device.driver().cuMemFree.invokeExact(address), "freeing GPU memory");
            } catch (Throwable e) {
                throw Driver.thrown(e);
            }
        }
    }
}
