package dev.ossicle.cli;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/** What the operating system says of memory, in bytes. */
final class MachineMemory {
    private MachineMemory() {}

    /** Physical memory, or the container's limit where that is less. */
    static long total() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getTotalMemorySize();
    }

    /** What programs could still take, the page cache given up for it; empty where only Linux would say. */
    static OptionalLong available() {
        return field(Path.of("/proc/meminfo"), "MemAvailable:");
    }

    /** The most that this process ever had in memory, mapped files included; empty where only Linux would say. */
    static OptionalLong peakResident() {
        return field(Path.of("/proc/self/status"), "VmHWM:");
    }

    /** What this process has in memory now that no file holds: heap, caches, copies of weights. Empty where only Linux would say. */
    static OptionalLong anonymous() {
        return field(Path.of("/proc/self/status"), "RssAnon:");
    }

    private static OptionalLong field(Path file, String name) {
        try {
            List<String> lines = Files.readAllLines(file);
            for (String line : lines) {
                if (line.startsWith(name)) {
                    return OptionalLong.of(1024 * Long.parseLong(line.replaceAll("\\D", "")));
                }
            }
        } catch (IOException | NumberFormatException e) {
            // not Linux, or a Linux that hides it
        }
        return OptionalLong.empty();
    }
}
