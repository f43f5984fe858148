package dev.ossicle.cuda;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A queue of work for the GPU, done in order, while the host goes on. What goes wrong there is thrown by a later call that
 * waits. Each stream is independent of all others, except for {@link #await}.
 */
final class Stream implements AutoCloseable {
    private static final int NON_BLOCKING = 1; // CU_STREAM_NON_BLOCKING
    private static final int THREAD_LOCAL = 1; // CU_STREAM_CAPTURE_MODE_THREAD_LOCAL

    private final Device device;
    private final long handle;
    private @Nullable LaunchWatch watch;

    private Stream(Device device, long handle) {
        this.device = device;
        this.handle = handle;
    }

    static Stream create(Device device) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = arena.allocate(JAVA_LONG);
            device.driver()
                    .check(
                            (int) device.driver().cuStreamCreate.invokeExact(handle, NON_BLOCKING),
                            "creating a stream of the GPU");
            return new Stream(device, handle.get(JAVA_LONG, 0));
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    Device device() {
        return device;
    }

    /** Who is told of each kernel from now on; null for nobody. */
    void watch(@Nullable LaunchWatch newWatch) {
        watch = newWatch;
    }

    @Nullable
    LaunchWatch watch() {
        return watch;
    }

    /** The CUstream. */
    long handle() {
        return handle;
    }

    /** Copies all of the segment to the start of the memory. Pinned memory is read later; other memory before this returns. */
    void copy(MemorySegment from, DeviceMemory to) {
        check(from.byteSize(), to.bytes());
        Driver driver = device.driver();
        try {
            driver.check(
                    (int) driver.cuMemcpyHtoDAsync.invokeExact(to.address(), from, from.byteSize(), handle),
                    "copying to the GPU");
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    /** Fills the segment from the start of the memory. Pinned memory is written later; other memory before this returns. */
    void copy(DeviceMemory from, MemorySegment to) {
        check(to.byteSize(), from.bytes());
        Driver driver = device.driver();
        try {
            driver.check(
                    (int) driver.cuMemcpyDtoHAsync.invokeExact(to, from.address(), to.byteSize(), handle),
                    "copying from the GPU");
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    /** Copies all of one piece to the start of another. */
    void copy(DeviceMemory from, DeviceMemory to) {
        check(from.bytes(), to.bytes());
        Driver driver = device.driver();
        try {
            driver.check(
                    (int) driver.cuMemcpyDtoDAsync.invokeExact(to.address(), from.address(), from.bytes(), handle),
                    "copying on the GPU");
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    /** Sets every byte. */
    void fill(DeviceMemory memory, byte value) {
        Driver driver = device.driver();
        try {
            driver.check(
                    (int) driver.cuMemsetD8Async.invokeExact(memory.address(), value, memory.bytes(), handle),
                    "filling GPU memory");
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    private static void check(long needed, long there) {
        if (needed > there) {
            throw new IndexOutOfBoundsException("a copy of " + needed + " bytes, of " + there);
        }
    }

    /** Lets what comes next on this stream wait until the event's moment has passed; the host does not wait. */
    void await(Event event) {
        Driver driver = device.driver();
        try {
            driver.check(
                    (int) driver.cuStreamWaitEvent.invokeExact(handle, event.handle(), 0),
                    "ordering streams of the GPU");
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    /** Waits until all is done. */
    void synchronize() {
        Driver driver = device.driver();
        try {
            driver.check((int) driver.cuStreamSynchronize.invokeExact(handle), "computing on the GPU");
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    /** Keeps what the work puts on this stream, on this thread, as a graph instead of doing it. */
    Graph record(Runnable work) {
        Driver driver = device.driver();
        try (Arena arena = Arena.ofConfined()) {
            driver.check(
                    (int) driver.cuStreamBeginCapture.invokeExact(handle, THREAD_LOCAL),
                    "recording a graph for the GPU");
            MemorySegment graph = arena.allocate(JAVA_LONG);
            int result;
            try {
                work.run();
            } finally {
                result = (int) driver.cuStreamEndCapture.invokeExact(handle, graph);
            }
            driver.check(result, "recording a graph for the GPU");
            return Graph.of(this, graph.get(JAVA_LONG, 0));
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    @Override
    public void close() {
        try {
            device.driver()
                    .check((int) device.driver().cuStreamDestroy.invokeExact(handle), "closing a stream of the GPU");
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }
}
