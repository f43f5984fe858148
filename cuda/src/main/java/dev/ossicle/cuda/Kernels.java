package dev.ossicle.cuda;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The compiled kernels, loaded on one GPU; each is found by its name. */
final class Kernels implements AutoCloseable {
    private final Device device;
    private final long module;

    private Kernels(Device device, long module) {
        this.device = device;
        this.module = module;
    }

    /** @throws CudaException if the driver has no code for this GPU in the resource */
    static Kernels load(Device device) {
        try (InputStream in = Kernels.class.getResourceAsStream("kernels.fatbin")) {
            if (in == null) {
                throw new IllegalStateException("kernels.fatbin is missing from the jar of ossicle-cuda");
            }
            return load(device, in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** @param image a fatbin, a cubin, or PTX with a 0 at its end */
    static Kernels load(Device device, byte[] image) {
        Driver driver = device.driver();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment module = arena.allocate(JAVA_LONG);
            MemorySegment bytes = arena.allocate(image.length, 64).copyFrom(MemorySegment.ofArray(image));
            driver.check((int) driver.cuModuleLoadData.invokeExact(module, bytes), "loading the kernels");
            return new Kernels(device, module.get(JAVA_LONG, 0));
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    /** A new one at each call: a kernel holds the arguments of its next launch, so it has one owner. */
    Kernel kernel(String name) {
        Driver driver = device.driver();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment function = arena.allocate(JAVA_LONG);
            driver.check(
                    (int) driver.cuModuleGetFunction.invokeExact(function, module, arena.allocateFrom(name)),
                    "finding the kernel " + name);
            return new Kernel(driver, name, function.get(JAVA_LONG, 0));
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }

    @Override
    public void close() {
        try {
            device.driver().check((int) device.driver().cuModuleUnload.invokeExact(module), "unloading the kernels");
        } catch (Throwable e) {
            throw Driver.thrown(e);
        }
    }
}
