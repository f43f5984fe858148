package dev.ossicle.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Host memory that the GPU reads and writes itself: copies from and to it go on while the host does other things, so it may
 * be touched again only when the copy is known to be done. Page-aligned, not cleared.
 *
 * @param segment as the host sees it
 */
record PinnedMemory(Device device, MemorySegment segment) implements AutoCloseable {
    private static final int PORTABLE = 1; // CU_MEMHOSTALLOC_PORTABLE

    static PinnedMemory allocate(Device device, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(ADDRESS);
            device.driver()
                    .check(
                            (int) device.driver().cuMemHostAlloc.invokeExact(address, bytes, PORTABLE),
                            "allocating " + bytes + " bytes of pinned host memory");
            return new PinnedMemory(device, address.get(ADDRESS, 0).reinterpret(bytes));
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    /** What kernels are given to write here: the same number on both sides. */
    long address() {
        return segment.address();
    }

    @Override
    public void close() {
        try {
            device.driver()
                    .check((int) device.driver().cuMemFreeHost.invokeExact(segment), "freeing pinned host memory");
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }
}
