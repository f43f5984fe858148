package dev.ossicle.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A moment on a stream that can be waited for; recorded again and again. */
final class Event implements AutoCloseable {
    private static final int NOT_READY = 600; // CUDA_ERROR_NOT_READY

    private final Driver driver;
    private final long handle;

    private Event(Driver driver, long handle) {
        this.driver = driver;
        this.handle = handle;
    }

    static Event create(Device device) {
        Driver driver = device.driver();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = arena.allocate(JAVA_LONG);
            driver.check((int) driver.cuEventCreate.invokeExact(handle, 0), "creating an event of the GPU");
            return new Event(driver, handle.get(JAVA_LONG, 0));
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    long handle() {
        return handle;
    }

    /** The moment when all that is on the stream now is done. */
    void record(Stream stream) {
        try {
            driver.check(
                    (int) driver.cuEventRecord.invokeExact(handle, stream.handle()), "marking a moment on the GPU");
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    /** Waits for the moment; at once if none was recorded. */
    void synchronize() {
        try {
            driver.check((int) driver.cuEventSynchronize.invokeExact(handle), "computing on the GPU");
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    /** Whether the moment has passed. */
    boolean passed() {
        try {
            int result = (int) driver.cuEventQuery.invokeExact(handle);
            if (result != NOT_READY) {
                driver.check(result, "computing on the GPU");
            }
            return result == 0;
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    /** Milliseconds between two moments, to half a microsecond; both must have passed. */
    float millisecondsUntil(Event later) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment milliseconds = arena.allocate(JAVA_FLOAT);
            driver.check(
                    (int) driver.cuEventElapsedTime.invokeExact(milliseconds, handle, later.handle), "timing the GPU");
            return milliseconds.get(JAVA_FLOAT, 0);
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    @Override
    public void close() {
        try {
            driver.check((int) driver.cuEventDestroy.invokeExact(handle), "freeing an event of the GPU");
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }
}
