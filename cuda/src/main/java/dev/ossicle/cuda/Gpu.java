package dev.ossicle.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The GPU of this machine that would be used, or why there is none. A value: looking for it never fails. */
sealed interface Gpu {
    /** 8.0: bf16 in the tensor cores, asynchronous copies to shared memory. */
    int LOWEST_CAPABILITY = 80;

    /**
     * @param ordinal as the driver counts, after CUDA_VISIBLE_DEVICES
     * @param capability compute capability times ten
     * @param driverVersion the CUDA version that the driver knows, as 13000 for 13.0
     */
    record Usable(Driver driver, int ordinal, String name, int capability, int driverVersion) implements Gpu {
        Device open() {
            return Device.open(driver, ordinal);
        }

        /** "NVIDIA H100 80GB HBM3, compute capability 9.0, 79.2 of 79.6 GB free, driver for CUDA 13.0". */
        String words() {
            try (Device device = open()) {
                return name + ", compute capability " + Gpu.words(capability) + ", " + gigabytes(device.freeBytes())
                        + " of " + gigabytes(device.totalBytes()) + " GB free, driver for CUDA "
                        + Driver.words(driverVersion);
            } catch (CudaException e) {
                return name + ", compute capability " + Gpu.words(capability) + ", which cannot be opened: "
                        + e.getMessage();
            }
        }
    }

    /**
     * @param reason with what to do about it
     * @param missed whether there is a GPU here that one would expect to be used
     */
    record None(String reason, boolean missed) implements Gpu {}

    /** Looks for the first GPU that can run the kernels; the driver counts the fastest first. */
    static Gpu look() {
        return switch (Driver.find()) {
            case Driver.Found.Absent absent -> new None(absent.reason(), absent.missed());
            case Driver.Found.Usable found -> look(found.driver(), found.version());
        };
    }

    private static Gpu look(Driver driver, int version) {
        try {
            List<String> tooOld = new ArrayList<>();
            int count = Device.count(driver);
            for (int ordinal = 0; ordinal < count; ordinal++) {
                Device.Description found = Device.describe(driver, ordinal);
                if (found.capability() >= LOWEST_CAPABILITY) {
                    return new Usable(driver, ordinal, found.name(), found.capability(), version);
                }
                tooOld.add(found.name() + " has compute capability " + words(found.capability()));
            }
            return tooOld.isEmpty()
                    ? new None(
                            "the NVIDIA driver shows no GPU; see what nvidia-smi says, whether CUDA_VISIBLE_DEVICES hides it, and"
                                    + " whether it was given to the container (docker run --gpus all)",
                            false)
                    : new None(
                            String.join(", ", tooOld) + ", but " + words(LOWEST_CAPABILITY) + " (Ampere) is needed",
                            true);
        } catch (CudaException e) {
            return new None(e.getMessage() + "; see what nvidia-smi says", true);
        }
    }

    /** "9.0" of 90. */
    static String words(int capability) {
        return capability / 10 + "." + capability % 10;
    }

    /** With one digit after the point; a GB is 10^9 bytes. */
    static String gigabytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f", bytes / 1e9);
    }
}
