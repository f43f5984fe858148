package dev.ossicle.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Locale;
import java.util.NoSuchElementException;
import java.util.Optional;

/**
 * The functions of the CUDA driver API that Ossicle calls, from the library that the GPU's driver installs. Each answers a
 * CUresult, 0 for success. Addresses of device memory and handles (CUstream, CUfunction, ...) are 64-bit integers here;
 * sizes are size_t. The signatures are those of cuda.h.
 */
final class Driver {
    /** What the fatbin needs (CUDA 13.0): on Linux the driver's own version is 580 or newer. */
    static final int OLDEST = 13000;

    /** Path of the library instead of the system's: for odd installs, and for the played one of the tests. */
    static final String PROPERTY = "ossicle.cuda.driver";

    private static final Linker LINKER = Linker.nativeLinker();

    private final SymbolLookup library;

    // CUresult cuInit(unsigned int Flags)
    final MethodHandle cuInit;
    // CUresult cuDriverGetVersion(int *driverVersion)
    final MethodHandle cuDriverGetVersion;
    // CUresult cuGetErrorName(CUresult error, const char **pStr)
    final MethodHandle cuGetErrorName;
    // CUresult cuGetErrorString(CUresult error, const char **pStr)
    final MethodHandle cuGetErrorString;
    // CUresult cuDeviceGetCount(int *count)
    final MethodHandle cuDeviceGetCount;
    // CUresult cuDeviceGet(CUdevice *device, int ordinal)
    final MethodHandle cuDeviceGet;
    // CUresult cuDeviceGetName(char *name, int len, CUdevice dev)
    final MethodHandle cuDeviceGetName;
    // CUresult cuDeviceGetAttribute(int *pi, CUdevice_attribute attrib, CUdevice dev)
    final MethodHandle cuDeviceGetAttribute;
    // CUresult cuDeviceTotalMem(size_t *bytes, CUdevice dev)
    final MethodHandle cuDeviceTotalMem;
    // CUresult cuDevicePrimaryCtxRetain(CUcontext *pctx, CUdevice dev)
    final MethodHandle cuDevicePrimaryCtxRetain;
    // CUresult cuDevicePrimaryCtxRelease(CUdevice dev)
    final MethodHandle cuDevicePrimaryCtxRelease;
    // CUresult cuCtxSetCurrent(CUcontext ctx)
    final MethodHandle cuCtxSetCurrent;
    // CUresult cuCtxSynchronize(void)
    final MethodHandle cuCtxSynchronize;
    // CUresult cuMemGetInfo(size_t *free, size_t *total)
    final MethodHandle cuMemGetInfo;
    // CUresult cuMemAlloc(CUdeviceptr *dptr, size_t bytesize)
    final MethodHandle cuMemAlloc;
    // CUresult cuMemFree(CUdeviceptr dptr)
    final MethodHandle cuMemFree;
    // CUresult cuMemHostAlloc(void **pp, size_t bytesize, unsigned int Flags)
    final MethodHandle cuMemHostAlloc;
    // CUresult cuMemFreeHost(void *p)
    final MethodHandle cuMemFreeHost;
    // CUresult cuMemcpyHtoDAsync(CUdeviceptr dstDevice, const void *srcHost, size_t ByteCount, CUstream hStream)
    final MethodHandle cuMemcpyHtoDAsync;
    // CUresult cuMemcpyDtoHAsync(void *dstHost, CUdeviceptr srcDevice, size_t ByteCount, CUstream hStream)
    final MethodHandle cuMemcpyDtoHAsync;
    // CUresult cuMemcpyDtoDAsync(CUdeviceptr dstDevice, CUdeviceptr srcDevice, size_t ByteCount, CUstream hStream)
    final MethodHandle cuMemcpyDtoDAsync;
    // CUresult cuMemsetD8Async(CUdeviceptr dstDevice, unsigned char uc, size_t N, CUstream hStream)
    final MethodHandle cuMemsetD8Async;
    // CUresult cuStreamCreate(CUstream *phStream, unsigned int Flags)
    final MethodHandle cuStreamCreate;
    // CUresult cuStreamDestroy(CUstream hStream)
    final MethodHandle cuStreamDestroy;
    // CUresult cuStreamSynchronize(CUstream hStream)
    final MethodHandle cuStreamSynchronize;
    // CUresult cuStreamWaitEvent(CUstream hStream, CUevent hEvent, unsigned int Flags)
    final MethodHandle cuStreamWaitEvent;
    // CUresult cuStreamBeginCapture(CUstream hStream, CUstreamCaptureMode mode)
    final MethodHandle cuStreamBeginCapture;
    // CUresult cuStreamEndCapture(CUstream hStream, CUgraph *phGraph)
    final MethodHandle cuStreamEndCapture;
    // CUresult cuGraphInstantiateWithFlags(CUgraphExec *phGraphExec, CUgraph hGraph, unsigned long long flags)
    final MethodHandle cuGraphInstantiate;
    // CUresult cuGraphLaunch(CUgraphExec hGraphExec, CUstream hStream)
    final MethodHandle cuGraphLaunch;
    // CUresult cuGraphDestroy(CUgraph hGraph)
    final MethodHandle cuGraphDestroy;
    // CUresult cuGraphExecDestroy(CUgraphExec hGraphExec)
    final MethodHandle cuGraphExecDestroy;
    // CUresult cuEventCreate(CUevent *phEvent, unsigned int Flags)
    final MethodHandle cuEventCreate;
    // CUresult cuEventDestroy(CUevent hEvent)
    final MethodHandle cuEventDestroy;
    // CUresult cuEventRecord(CUevent hEvent, CUstream hStream)
    final MethodHandle cuEventRecord;
    // CUresult cuEventSynchronize(CUevent hEvent)
    final MethodHandle cuEventSynchronize;
    // CUresult cuEventQuery(CUevent hEvent)
    final MethodHandle cuEventQuery;
    // CUresult cuEventElapsedTime(float *pMilliseconds, CUevent hStart, CUevent hEnd)
    final MethodHandle cuEventElapsedTime;
    // CUresult cuModuleLoadData(CUmodule *module, const void *image)
    final MethodHandle cuModuleLoadData;
    // CUresult cuModuleUnload(CUmodule hmod)
    final MethodHandle cuModuleUnload;
    // CUresult cuModuleGetFunction(CUfunction *hfunc, CUmodule hmod, const char *name)
    final MethodHandle cuModuleGetFunction;
    // CUresult cuFuncSetAttribute(CUfunction hfunc, CUfunction_attribute attrib, int value)
    final MethodHandle cuFuncSetAttribute;
    // CUresult cuFuncGetParamInfo(CUfunction func, size_t paramIndex, size_t *paramOffset, size_t *paramSize)
    final MethodHandle cuFuncGetParamInfo;
    // CUresult cuLaunchKernelEx(const CUlaunchConfig *config, CUfunction f, void **kernelParams, void **extra)
    final MethodHandle cuLaunchKernelEx;

    private Driver(SymbolLookup library) {
        this.library = library;
        cuInit = find("cuInit", JAVA_INT);
        cuDriverGetVersion = find("cuDriverGetVersion", ADDRESS);
        cuGetErrorName = find("cuGetErrorName", JAVA_INT, ADDRESS);
        cuGetErrorString = find("cuGetErrorString", JAVA_INT, ADDRESS);
        cuDeviceGetCount = find("cuDeviceGetCount", ADDRESS);
        cuDeviceGet = find("cuDeviceGet", ADDRESS, JAVA_INT);
        cuDeviceGetName = find("cuDeviceGetName", ADDRESS, JAVA_INT, JAVA_INT);
        cuDeviceGetAttribute = find("cuDeviceGetAttribute", ADDRESS, JAVA_INT, JAVA_INT);
        cuDeviceTotalMem = find("cuDeviceTotalMem_v2", ADDRESS, JAVA_INT);
        cuDevicePrimaryCtxRetain = find("cuDevicePrimaryCtxRetain", ADDRESS, JAVA_INT);
        cuDevicePrimaryCtxRelease = find("cuDevicePrimaryCtxRelease_v2", JAVA_INT);
        cuCtxSetCurrent = find("cuCtxSetCurrent", JAVA_LONG);
        cuCtxSynchronize = find("cuCtxSynchronize");
        cuMemGetInfo = find("cuMemGetInfo_v2", ADDRESS, ADDRESS);
        cuMemAlloc = find("cuMemAlloc_v2", ADDRESS, JAVA_LONG);
        cuMemFree = find("cuMemFree_v2", JAVA_LONG);
        cuMemHostAlloc = find("cuMemHostAlloc", ADDRESS, JAVA_LONG, JAVA_INT);
        cuMemFreeHost = find("cuMemFreeHost", ADDRESS);
        cuMemcpyHtoDAsync = find("cuMemcpyHtoDAsync_v2", JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);
        cuMemcpyDtoHAsync = find("cuMemcpyDtoHAsync_v2", ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_LONG);
        cuMemcpyDtoDAsync = find("cuMemcpyDtoDAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
        cuMemsetD8Async = find("cuMemsetD8Async", JAVA_LONG, JAVA_BYTE, JAVA_LONG, JAVA_LONG);
        cuStreamCreate = find("cuStreamCreate", ADDRESS, JAVA_INT);
        cuStreamDestroy = find("cuStreamDestroy_v2", JAVA_LONG);
        cuStreamSynchronize = find("cuStreamSynchronize", JAVA_LONG);
        cuStreamWaitEvent = find("cuStreamWaitEvent", JAVA_LONG, JAVA_LONG, JAVA_INT);
        cuStreamBeginCapture = find("cuStreamBeginCapture_v2", JAVA_LONG, JAVA_INT);
        cuStreamEndCapture = find("cuStreamEndCapture", JAVA_LONG, ADDRESS);
        cuGraphInstantiate = find("cuGraphInstantiateWithFlags", ADDRESS, JAVA_LONG, JAVA_LONG);
        cuGraphLaunch = find("cuGraphLaunch", JAVA_LONG, JAVA_LONG);
        cuGraphDestroy = find("cuGraphDestroy", JAVA_LONG);
        cuGraphExecDestroy = find("cuGraphExecDestroy", JAVA_LONG);
        cuEventCreate = find("cuEventCreate", ADDRESS, JAVA_INT);
        cuEventDestroy = find("cuEventDestroy_v2", JAVA_LONG);
        cuEventRecord = find("cuEventRecord", JAVA_LONG, JAVA_LONG);
        cuEventSynchronize = find("cuEventSynchronize", JAVA_LONG);
        cuEventQuery = find("cuEventQuery", JAVA_LONG);
        cuEventElapsedTime = find("cuEventElapsedTime", ADDRESS, JAVA_LONG, JAVA_LONG);
        cuModuleLoadData = find("cuModuleLoadData", ADDRESS, ADDRESS);
        cuModuleUnload = find("cuModuleUnload", JAVA_LONG);
        cuModuleGetFunction = find("cuModuleGetFunction", ADDRESS, JAVA_LONG, ADDRESS);
        cuFuncSetAttribute = find("cuFuncSetAttribute", JAVA_LONG, JAVA_INT, JAVA_INT);
        cuFuncGetParamInfo = find("cuFuncGetParamInfo", JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS);
        cuLaunchKernelEx = find("cuLaunchKernelEx", ADDRESS, JAVA_LONG, ADDRESS, ADDRESS);
    }

    private MethodHandle find(String name, MemoryLayout... parameters) {
        MemorySegment function = library.find(name).orElseThrow(() -> new NoSuchElementException(name));
        return LINKER.downcallHandle(function, FunctionDescriptor.of(JAVA_INT, parameters));
    }

    /** The driver, or why there is none and what to do about it. Never fails. */
    sealed interface Found {
        record Usable(Driver driver, int version) implements Found {}

        /**
         * @param reason with what to do about it
         * @param missed whether there is a driver, which cannot be used
         */
        record Absent(String reason, boolean missed) implements Found {}
    }

    /** Looks for the driver of this machine; loads its library, but touches no GPU. */
    static Found find() {
        String path = System.getProperty(PROPERTY);
        boolean windows = System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows");
        String name = windows ? "nvcuda.dll" : "libcuda.so.1";
        SymbolLookup library;
        try {
            library = path == null
                    ? SymbolLookup.libraryLookup(name, Arena.global())
                    : SymbolLookup.libraryLookup(Path.of(path), Arena.global());
        } catch (IllegalArgumentException e) {
            return new Found.Absent(
                    path == null
                            ? "there is no NVIDIA driver here (" + name
                                    + "); if there should be one, install the driver 580 or newer, or say where its library is:"
                                    + " -D" + PROPERTY + "=FILE"
                            : "-D" + PROPERTY + "=" + path + " is not a library that can be loaded",
                    path != null);
        }
        // Asked before the others are looked up: an old driver lacks some of them.
        Optional<MemorySegment> version = library.find("cuDriverGetVersion");
        if (version.isEmpty()) {
            return new Found.Absent((path == null ? name : path) + " is not the library of an NVIDIA driver", true);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment number = arena.allocate(JAVA_INT);
            int result = (int) LINKER.downcallHandle(version.get(), FunctionDescriptor.of(JAVA_INT, ADDRESS))
                    .invokeExact(number);
            int found = number.get(JAVA_INT, 0);
            if (result != 0 || found < OLDEST) {
                return new Found.Absent(
                        "the NVIDIA driver is too old: it knows CUDA " + words(found) + ", " + words(OLDEST)
                                + " is needed; install the driver 580 or newer",
                        true);
            }
            return new Found.Usable(new Driver(library), found);
        } catch (NoSuchElementException e) {
            return new Found.Absent(
                    "the NVIDIA driver lacks the function " + e.getMessage() + "; install the driver 580 or newer",
                    true);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    /** "13.0" of 13000. */
    static String words(int version) {
        return version / 1000 + "." + version % 1000 / 10;
    }

    /** @throws CudaException unless the result is 0, with the driver's name of it and its sentence */
    void check(int result, String what) {
        if (result != 0) {
            throw new CudaException(result, what + ": " + explain(result));
        }
    }

    String explain(int result) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointer = arena.allocate(ADDRESS);
            String name =
                    (int) cuGetErrorName.invokeExact(result, pointer) == 0 ? string(pointer) : "CUresult " + result;
            return (int) cuGetErrorString.invokeExact(result, pointer) == 0 ? name + ", " + string(pointer) : name;
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    private static String string(MemorySegment pointer) {
        return pointer.get(ADDRESS, 0).reinterpret(1 << 16).getString(0);
    }

    /** What left a block that calls the driver: ours as it is; the call itself would throw only if a signature were wrong. */
    static RuntimeException thrown(Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        return e instanceof RuntimeException ours ? ours : new IllegalStateException(e);
    }

    /** For functions that only the played driver has. */
    Optional<MemorySegment> symbol(String name) {
        return library.find(name);
    }
}
