package dev.ossicle.tools.python;

import java.time.Duration;

/**
 * What one interpreter may take. {@link #DEFAULT} is enough for analysis of some hundred megabytes.
 *
 * @param callTime wall-clock time of one call; then the code is interrupted, and if it does not stop the interpreter is ended
 * @param cpuTime of each process in its whole life
 * @param memory bytes of address space of each process, and of resident memory of all together
 * @param disk bytes in the working folder, which is kept in memory; a fourth as much again in /tmp
 * @param processes and threads
 * @param output bytes of one call's output; what is beyond is counted and dropped
 */
public record PythonLimits(Duration callTime, Duration cpuTime, long memory, long disk, int processes, int output) {
    public static final PythonLimits DEFAULT =
            new PythonLimits(Duration.ofSeconds(115), Duration.ofMinutes(20), 2L << 30, 256L << 20, 64, 64 << 10);

    public PythonLimits {
        if (!callTime.isPositive() || !cpuTime.isPositive() || memory < 1 || disk < 4 || processes < 1 || output < 1) {
            throw new IllegalArgumentException("limits must be positive: " + callTime + ", " + cpuTime + ", memory "
                    + memory + ", disk " + disk + ", processes " + processes + ", output " + output);
        }
    }

    public PythonLimits withCallTime(Duration time) {
        return new PythonLimits(time, cpuTime, memory, disk, processes, output);
    }

    public PythonLimits withMemory(long bytes) {
        return new PythonLimits(callTime, cpuTime, bytes, disk, processes, output);
    }

    public PythonLimits withDisk(long bytes) {
        return new PythonLimits(callTime, cpuTime, memory, bytes, processes, output);
    }

    public PythonLimits withOutput(int bytes) {
        return new PythonLimits(callTime, cpuTime, memory, disk, processes, bytes);
    }
}
