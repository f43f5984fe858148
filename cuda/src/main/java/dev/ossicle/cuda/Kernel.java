package dev.ossicle.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A function on the GPU. Its arguments are given one after another and end with the launch, which copies them:
 *
 * <pre>{@code kernel.pointer(x).real(eps).integer(hidden).launch(stream, blocks, 1, 1, threads, sharedBytes);}</pre>
 *
 * <p>Allocates nothing. Not thread-safe.
 */
final class Kernel {
    private static final int MOST_ARGUMENTS = 40;
    private static final int MAX_DYNAMIC_SHARED_SIZE_BYTES = 8; // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
    private static final int SHARED_MEMORY_CARVEOUT = 9; // CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT
    /** What a block may have without asking. */
    private static final int SHARED_WITHOUT_ASKING = 48 << 10;

    // CUlaunchConfig: int gridDim[3], blockDim[3], sharedMemBytes; CUstream at 32; CUlaunchAttribute* at 40; int
    // numAttrs at 48
    private static final long CONFIG_BYTES = 56;
    // CUlaunchAttribute: int id, 4 bytes of padding, 64 bytes of value
    private static final long ATTRIBUTE_BYTES = 72;
    private static final int PROGRAMMATIC_STREAM_SERIALIZATION =
            6; // CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION

    private final Driver driver;
    private final String name;
    private final long function;
    private final MemorySegment config;
    private final MemorySegment pointers; // [MOST_ARGUMENTS], each to its value
    private final MemorySegment values; // [MOST_ARGUMENTS] of 8 bytes
    private final int[] sizes; // bytes of each parameter
    private int next;
    private int mostShared = SHARED_WITHOUT_ASKING;

    Kernel(Driver driver, String name, long function) {
        this.driver = driver;
        this.name = name;
        this.function = function;
        Arena arena = Arena.ofAuto();
        config = arena.allocate(CONFIG_BYTES + ATTRIBUTE_BYTES, 8);
        config.set(JAVA_LONG, 40, config.address() + CONFIG_BYTES);
        config.set(JAVA_INT, CONFIG_BYTES, PROGRAMMATIC_STREAM_SERIALIZATION);
        config.set(JAVA_INT, CONFIG_BYTES + 8, 1);
        values = arena.allocate(8L * MOST_ARGUMENTS, 8);
        pointers = arena.allocate(8L * MOST_ARGUMENTS, 8);
        for (int i = 0; i < MOST_ARGUMENTS; i++) {
            pointers.setAtIndex(JAVA_LONG, i, values.address() + 8L * i);
        }
        sizes = sizes();
        // The same split of L1 and shared memory for all: a multiprocessor can change it only while it is empty, so
        // kernels
        // with different ones would not overlap.
        try {
            driver.check(
                    (int) driver.cuFuncSetAttribute.invokeExact(function, SHARED_MEMORY_CARVEOUT, 100),
                    "preparing the kernel " + name);
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    private int[] sizes() {
        int[] found = new int[MOST_ARGUMENTS];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment offset = arena.allocate(JAVA_LONG);
            MemorySegment size = arena.allocate(JAVA_LONG);
            int count = 0;
            while (count < MOST_ARGUMENTS
                    && (int) driver.cuFuncGetParamInfo.invokeExact(function, (long) count, offset, size) == 0) {
                found[count++] = (int) size.get(JAVA_LONG, 0);
            }
            return Arrays.copyOf(found, count);
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    String name() {
        return name;
    }

    Kernel pointer(long address) {
        values.setAtIndex(JAVA_LONG, argument(8), address);
        return this;
    }

    Kernel pointer(DeviceMemory memory) {
        return pointer(memory.address());
    }

    Kernel integer(int value) {
        values.setAtIndex(JAVA_INT, 2L * argument(4), value);
        return this;
    }

    Kernel real(float value) {
        values.setAtIndex(JAVA_FLOAT, 2L * argument(4), value);
        return this;
    }

    private int argument(int bytes) {
        if (next >= sizes.length || sizes[next] != bytes) {
            int at = next;
            next = 0;
            throw new IllegalArgumentException("kernel " + name + " takes "
                    + (at >= sizes.length
                            ? sizes.length + " arguments, not more"
                            : sizes[at] + " bytes as argument " + at + ", not " + bytes));
        }
        return next++;
    }

    /** Puts it on the stream: a grid of blocks, each of so many threads with so much dynamic shared memory. */
    void launch(Stream stream, int gridX, int gridY, int gridZ, int threads, int sharedBytes) {
        launch(stream, gridX, gridY, gridZ, threads, sharedBytes, false);
    }

    /**
     * The same.
     *
     * @param early whether it may start before the kernel that it follows has ended; it must wait_for_previous() itself then
     */
    void launch(Stream stream, int gridX, int gridY, int gridZ, int threads, int sharedBytes, boolean early) {
        if (next != sizes.length) {
            int given = next;
            next = 0;
            throw new IllegalArgumentException(
                    "kernel " + name + " takes " + sizes.length + " arguments, not " + given);
        }
        next = 0;
        LaunchWatch watch = stream.watch();
        config.set(JAVA_INT, 0, gridX);
        config.set(JAVA_INT, 4, gridY);
        config.set(JAVA_INT, 8, gridZ);
        config.set(JAVA_INT, 12, threads);
        config.set(JAVA_INT, 16, 1);
        config.set(JAVA_INT, 20, 1);
        config.set(JAVA_INT, 24, sharedBytes);
        config.set(JAVA_LONG, 32, stream.handle());
        config.set(JAVA_INT, 48, early && watch == null ? 1 : 0);
        try {
            if (sharedBytes > mostShared) {
                driver.check(
                        (int) driver.cuFuncSetAttribute.invokeExact(
                                function, MAX_DYNAMIC_SHARED_SIZE_BYTES, sharedBytes),
                        "giving the kernel " + name + " shared memory");
                mostShared = sharedBytes;
            }
            if (watch != null) {
                watch.before(name);
            }
            int result = (int) driver.cuLaunchKernelEx.invokeExact(config, function, pointers, MemorySegment.NULL);
            if (result != 0) {
                throw new CudaException(result, "launching the kernel " + name + ": " + driver.explain(result));
            }
            if (watch != null) {
                watch.after();
            }
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }
}
