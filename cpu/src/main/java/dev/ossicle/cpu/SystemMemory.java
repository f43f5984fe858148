package dev.ossicle.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import javax.management.JMException;
import javax.management.ObjectName;
import org.jspecify.annotations.Nullable;

/**
 * What Java cannot ask of the operating system: memory in huge pages that nobody has zeroed twice, and to let go of pages of
 * a mapped file that have been read for the last time. On Linux; elsewhere memory is ordinary, and pages stay.
 */
@SuppressWarnings("restricted") // the only native calls of this module
final class SystemMemory {
    private static final long PAGE = 4096;
    private static final long CACHE_LINE = 64;
    /** Of x86-64, and of AArch64 with pages of {@link #PAGE}. */
    private static final long HUGE_PAGE = 2L << 20;

    // Linux on x86-64 and AArch64.
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_PRIVATE_ANONYMOUS = 0x22;
    private static final int MADV_DONTNEED = 4;
    private static final int MADV_HUGEPAGE = 14;
    private static final int MADV_PAGEOUT = 21;

    private static final boolean LINUX =
            System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("linux");

    private static final @Nullable MethodHandle MMAP = function(
            "mmap",
            ValueLayout.ADDRESS,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_LONG);
    private static final @Nullable MethodHandle MUNMAP =
            function("munmap", ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG);
    private static final @Nullable MethodHandle MADVISE = function(
            "madvise", ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT);

    private SystemMemory() {}

    /** A function of the C library; null where it is not to be called. */
    private static @Nullable MethodHandle function(String name, MemoryLayout result, MemoryLayout... parameters) {
        if (!LINUX) {
            return null;
        }
        try {
            Linker linker = Linker.nativeLinker();
            return linker.defaultLookup()
                    .find(name)
                    .map(symbol -> linker.downcallHandle(symbol, FunctionDescriptor.of(result, parameters)))
                    .orElse(null);
        } catch (UnsupportedOperationException | IllegalCallerException e) {
            return null; // this JVM allows none
        }
    }

    /** Zeroed memory that is aligned to cache lines, in huge pages if the system has any. */
    static MemorySegment allocate(Arena arena, long bytes) {
        if (MMAP == null || MUNMAP == null || bytes < PAGE) {
            return arena.allocate(bytes, CACHE_LINE);
        }
        long spare = bytes < HUGE_PAGE ? 0 : HUGE_PAGE; // to begin at a huge page; what is never touched takes nothing
        try {
            MemorySegment mapped =
                    (MemorySegment) MMAP.invokeExact(0L, bytes + spare, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
            if (mapped.address() == -1) {
                return arena.allocate(bytes, CACHE_LINE); // which will say what is wrong
            }
            long start = -mapped.address() & Math.max(0, spare - 1);
            MemorySegment memory = mapped.reinterpret(bytes + spare, arena, SystemMemory::unmap)
                    .asSlice(start, bytes);
            advise(memory, MADV_HUGEPAGE);
            return memory;
        } catch (Throwable e) {
            throw new IllegalStateException("mmap failed", e);
        }
    }

    private static void unmap(MemorySegment memory) {
        if (MUNMAP != null) {
            try {
                int result = (int) MUNMAP.invokeExact(memory.address(), memory.byteSize());
            } catch (Throwable e) {
                throw new IllegalStateException("munmap failed", e);
            }
        }
    }

    /** Physical memory, or the container's limit where that is less; without end where the JVM does not say. */
    static long total() {
        try {
            return (Long) ManagementFactory.getPlatformMBeanServer()
                    .getAttribute(new ObjectName("java.lang:type=OperatingSystem"), "TotalMemorySize");
        } catch (JMException e) {
            return Long.MAX_VALUE; // a runtime without the module jdk.management
        }
    }

    /** Takes the pages of a mapped file that lie wholly within this out of the page cache, unless another program uses them too. */
    static void evict(MemorySegment mapped) {
        if (mapped.isMapped()) {
            advise(mapped, MADV_PAGEOUT);
        }
    }

    /** Lets go of the pages of a mapped file that lie wholly within this; they come back when they are read again. */
    static void release(MemorySegment mapped) {
        if (mapped.isMapped()) { // anything else is the only copy
            advise(mapped, MADV_DONTNEED);
        }
    }

    private static void advise(MemorySegment memory, int advice) {
        long from = (memory.address() + PAGE - 1) & -PAGE;
        long to = (memory.address() + memory.byteSize()) & -PAGE;
        if (MADVISE != null && from < to) {
            try {
                int refused = (int) MADVISE.invokeExact(from, to - from, advice); // it was only advice
            } catch (Throwable e) {
                throw new IllegalStateException("madvise failed", e);
            }
        }
    }
}
