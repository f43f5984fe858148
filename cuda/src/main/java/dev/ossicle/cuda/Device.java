package dev.ossicle.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** One GPU, opened: its primary context is retained until {@link #close}. */
final class Device implements AutoCloseable {
    private static final int MULTIPROCESSOR_COUNT = 16; // CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT
    private static final int MOST_SHARED_BYTES = 97; // CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
    private static final int CAPABILITY_MAJOR = 75; // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
    private static final int CAPABILITY_MINOR = 76; // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR

    private final Driver driver;
    private final int handle;
    private final long context;

    private Device(Driver driver, int handle, long context) {
        this.driver = driver;
        this.handle = handle;
        this.context = context;
    }

    /** How many GPUs the driver shows (CUDA_VISIBLE_DEVICES may hide some); 0 where there is none. */
    static int count(Driver driver) {
        try (Arena arena = Arena.ofConfined()) {
            int result = (int) driver.cuInit.invokeExact(0);
            if (result == 100) { // CUDA_ERROR_NO_DEVICE
                return 0;
            }
            driver.check(result, "starting the NVIDIA driver");
            MemorySegment count = arena.allocate(JAVA_INT);
            driver.check((int) driver.cuDeviceGetCount.invokeExact(count), "counting the GPUs");
            return count.get(JAVA_INT, 0);
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    /**
     * Opens a GPU and makes it current on this thread.
     *
     * @param ordinal below {@link #count}
     */
    static Device open(Driver driver, int ordinal) {
        try (Arena arena = Arena.ofConfined()) {
            driver.check((int) driver.cuInit.invokeExact(0), "starting the NVIDIA driver");
            MemorySegment handle = arena.allocate(JAVA_INT);
            driver.check((int) driver.cuDeviceGet.invokeExact(handle, ordinal), "opening GPU " + ordinal);
            MemorySegment context = arena.allocate(ADDRESS);
            driver.check(
                    (int) driver.cuDevicePrimaryCtxRetain.invokeExact(context, handle.get(JAVA_INT, 0)),
                    "opening GPU " + ordinal);
            Device device = new Device(driver, handle.get(JAVA_INT, 0), context.get(JAVA_LONG, 0));
            device.makeCurrent();
            return device;
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    /**
     * What is known of a GPU that has not been opened.
     *
     * @param name "NVIDIA H100 80GB HBM3"
     * @param capability compute capability, times ten: 90 of 9.0
     */
    record Description(String name, int capability) {}

    /** @param ordinal below {@link #count} */
    static Description describe(Driver driver, int ordinal) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = arena.allocate(JAVA_INT);
            driver.check((int) driver.cuDeviceGet.invokeExact(handle, ordinal), "looking at GPU " + ordinal);
            Device closed = new Device(driver, handle.get(JAVA_INT, 0), 0);
            return new Description(
                    closed.name(), closed.attribute(CAPABILITY_MAJOR) * 10 + closed.attribute(CAPABILITY_MINOR));
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    Driver driver() {
        return driver;
    }

    /** To be called once by each thread that uses this device's memory, streams or kernels. */
    void makeCurrent() {
        try {
            driver.check((int) driver.cuCtxSetCurrent.invokeExact(context), "using the GPU on this thread");
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    String name() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocate(256);
            driver.check((int) driver.cuDeviceGetName.invokeExact(name, 256, handle), "asking for the GPU's name");
            return name.getString(0);
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    int multiprocessors() {
        return attribute(MULTIPROCESSOR_COUNT);
    }

    /** Shared memory that a block may ask for. */
    int sharedBytes() {
        return attribute(MOST_SHARED_BYTES);
    }

    /** A CUdevice_attribute of cuda.h. */
    int attribute(int number) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(JAVA_INT);
            driver.check((int) driver.cuDeviceGetAttribute.invokeExact(value, number, handle), "asking about the GPU");
            return value.get(JAVA_INT, 0);
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    /** Bytes of device memory that can still be allocated. */
    long freeBytes() {
        return memory(true);
    }

    /** Bytes of device memory in all. */
    long totalBytes() {
        return memory(false);
    }

    private long memory(boolean free) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment numbers = arena.allocate(JAVA_LONG, 2);
            driver.check(
                    (int) driver.cuMemGetInfo.invokeExact(numbers.asSlice(0, 8), numbers.asSlice(8, 8)),
                    "asking for the GPU's memory");
            return numbers.getAtIndex(JAVA_LONG, free ? 0 : 1);
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    /** Waits for everything that was put on any stream. */
    void synchronize() {
        try {
            driver.check((int) driver.cuCtxSynchronize.invokeExact(), "waiting for the GPU");
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    @Override
    public void close() {
        try {
            driver.check((int) driver.cuDevicePrimaryCtxRelease.invokeExact(handle), "closing the GPU");
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }
}
