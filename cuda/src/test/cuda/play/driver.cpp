// A played libcuda: the functions of the driver API that dev.ossicle.cuda.Driver binds, over play.cpp.
// It is as late as the real one may be: what is put on a stream is done when somebody waits for it, in the order of streams and
// events; pinned memory is read only then. Device memory starts as 0xff in every byte and has guard zones around it.
// Settings, by played_set ("reset" for none) or as environment variables OSSICLE_PLAYED_NAME: driver (13000), devices (1), capability (80), memory
// (bytes), multiprocessors, shared (most bytes of a block), seed, eager (1: do everything at once).
#include "play_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <chrono>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

enum {
    SUCCESS = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, NO_DEVICE = 100, INVALID_DEVICE = 101,
    INVALID_CONTEXT = 201, NO_BINARY = 209, INVALID_HANDLE = 400, NOT_FOUND = 500, NOT_READY = 600, OUT_OF_RESOURCES = 701,
    LAUNCH_FAILED = 719, NOT_SUPPORTED = 801, CAPTURE_UNSUPPORTED = 900
};

namespace {

typedef std::function<int()> Work;

struct Graph {
    std::vector<Work> nodes;
};

struct Stream {
    std::deque<Work> queue;
    uint64_t put = 0, done = 0;
    bool blocking = true;
    std::unique_ptr<Graph> capture;
};

struct Event {
    Stream* stream = nullptr;
    uint64_t at = 0;
    double seconds = 0;
};

struct Function {
    const play::Kernel* kernel;
    int most_shared = 48 << 10;
};

struct Block {
    size_t bytes;
};

constexpr size_t GUARD = 1024;

std::recursive_mutex mutex;
std::map<std::string, long> settings;
std::map<uintptr_t, Block> device_memory, pinned;
std::list<Stream*> streams;
std::map<std::string, Function> functions;
size_t used;
bool initialised;
int error;
std::string error_text, last_text;
thread_local bool context;
Stream null_stream;
long launches, steps;

long setting(const char* name, long otherwise) {
    auto found = settings.find(name);
    if (found != settings.end()) {
        return found->second;
    }
    std::string variable = std::string("OSSICLE_PLAYED_") + name;
    for (char& c : variable) {
        c = c >= 'a' && c <= 'z' ? c - 32 : c;
    }
    const char* value = getenv(variable.c_str());
    return value ? atol(value) : otherwise;
}

long memory_size() { return setting("memory", 8l << 30); }

// The least of all chips from 8.0 on (8.6, 8.9, 12.0), so that kernels are seen to fit everywhere; 9.0 has 232448.
int most_shared() { return (int)setting("shared", 101376); }

int with_text(int code, const std::string& text) {
    last_text = text;
    return code;
}

// The allocation that holds all of the range.
bool inside(const std::map<uintptr_t, Block>& blocks, uintptr_t address, size_t bytes) {
    auto after = blocks.upper_bound(address);
    if (after == blocks.begin()) {
        return false;
    }
    --after;
    return address + bytes <= after->first + after->second.bytes;
}

int drain(Stream& stream, uint64_t up_to) {
    while (stream.done < up_to && !stream.queue.empty()) {
        Work work = std::move(stream.queue.front());
        stream.queue.pop_front();
        stream.done++;
        steps++;
        int result = work();
        if (result && !error) {
            error = result;
            error_text = last_text;
        }
    }
    return SUCCESS;
}

int drain_all() {
    for (Stream* stream : streams) {
        drain(*stream, stream->put);
    }
    return drain(null_stream, null_stream.put);
}

// What a waiting call returns: the first error of the work before it, once.
int report() {
    int result = error;
    if (result) {
        last_text = error_text;
    }
    error = 0;
    return result;
}

int put(Stream& stream, Work work) {
    if (stream.capture) {
        stream.capture->nodes.push_back(std::move(work));
        return SUCCESS;
    }
    stream.queue.push_back(std::move(work));
    stream.put++;
    if (setting("eager", 0)) {
        drain(stream, stream.put);
    }
    return SUCCESS;
}

Stream& stream_of(void* handle) { return handle ? *(Stream*)handle : null_stream; }

void before_null_stream() {
    for (Stream* stream : streams) {
        if (stream->blocking) {
            drain(*stream, stream->put);
        }
    }
}

std::string guards(const char* kernel) {
    for (auto& block : device_memory) {
        unsigned char* start = (unsigned char*)block.first;
        for (size_t i = 0; i < GUARD; i++) {
            size_t beyond = block.second.bytes + i;
            if (start[-1 - (long)i] != 0xff || start[beyond] != 0xff) {
                bool before = start[-1 - (long)i] != 0xff;
                char text[300];
                snprintf(text, sizeof text, "kernel %s wrote outside of device memory: at byte %ld of an allocation of %zu bytes",
                         kernel, before ? -1 - (long)i : (long)beyond, block.second.bytes);
                memset(start - GUARD, 0xff, GUARD);
                memset(start + block.second.bytes, 0xff, GUARD);
                return text;
            }
        }
    }
    return "";
}

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

#define PLAYED extern "C" __attribute__((visibility("default"))) int
#define LOCK std::lock_guard<std::recursive_mutex> lock(mutex)
#define NEED_CONTEXT                                                                             \
    LOCK;                                                                                        \
    if (!context) return with_text(INVALID_CONTEXT, "no context is current on this thread")

PLAYED played_set(const char* name, long value) {
    LOCK;
    if (!strcmp(name, "reset")) {
        settings.clear();
        return SUCCESS;
    }
    settings[name] = value;
    if (!strcmp(name, "seed")) {
        play::seed((uint64_t)value);
    }
    return SUCCESS;
}

// launches: kernels run so far; allocations: those that live; used: bytes of device memory; pinned: allocations of host memory
extern "C" __attribute__((visibility("default"))) long played_get(const char* name) {
    LOCK;
    return !strcmp(name, "launches") ? launches : !strcmp(name, "allocations") ? (long)device_memory.size()
           : !strcmp(name, "used") ? (long)used : !strcmp(name, "pinned") ? (long)pinned.size() : setting(name, -1);
}

PLAYED cuInit(unsigned flags) {
    LOCK;
    if (flags) return INVALID_VALUE;
    if (setting("devices", 1) == 0) return with_text(NO_DEVICE, "no CUDA-capable device is detected");
    initialised = true;
    return SUCCESS;
}

PLAYED cuDriverGetVersion(int* version) {
    *version = (int)setting("driver", 13000);
    return SUCCESS;
}

PLAYED cuGetErrorName(int code, const char** name) {
    static std::map<int, const char*> names = {
        {0, "CUDA_SUCCESS"}, {1, "CUDA_ERROR_INVALID_VALUE"}, {2, "CUDA_ERROR_OUT_OF_MEMORY"}, {3, "CUDA_ERROR_NOT_INITIALIZED"},
        {100, "CUDA_ERROR_NO_DEVICE"}, {101, "CUDA_ERROR_INVALID_DEVICE"}, {201, "CUDA_ERROR_INVALID_CONTEXT"},
        {209, "CUDA_ERROR_NO_BINARY_FOR_GPU"}, {400, "CUDA_ERROR_INVALID_HANDLE"}, {500, "CUDA_ERROR_NOT_FOUND"},
        {600, "CUDA_ERROR_NOT_READY"}, {701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"}, {719, "CUDA_ERROR_LAUNCH_FAILED"},
        {801, "CUDA_ERROR_NOT_SUPPORTED"}, {900, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"}};
    auto found = names.find(code);
    if (found == names.end()) return INVALID_VALUE;
    *name = found->second;
    return SUCCESS;
}

PLAYED cuGetErrorString(int, const char** text) {
    LOCK;
    static std::string kept;
    kept = last_text.empty() ? "(played)" : last_text;
    last_text = "";
    *text = kept.c_str();
    return SUCCESS;
}

PLAYED cuDeviceGetCount(int* count) {
    if (!initialised) return NOT_INITIALIZED;
    *count = (int)setting("devices", 1);
    return SUCCESS;
}

PLAYED cuDeviceGet(int* device, int ordinal) {
    if (!initialised) return NOT_INITIALIZED;
    if (ordinal < 0 || ordinal >= setting("devices", 1)) return INVALID_DEVICE;
    *device = ordinal;
    return SUCCESS;
}

PLAYED cuDeviceGetName(char* name, int length, int) {
    snprintf(name, length, "Played GPU");
    return SUCCESS;
}

PLAYED cuDeviceTotalMem_v2(size_t* bytes, int) {
    *bytes = memory_size();
    return SUCCESS;
}

PLAYED cuDeviceGetAttribute(int* value, int attribute, int) {
    switch (attribute) {
        case 10: *value = 32; break;                                   // warp size
        case 13: *value = 1000000; break;                              // clock, kHz
        case 16: *value = (int)setting("multiprocessors", 5); break;
        case 36: *value = 1000000; break;                              // memory clock, kHz
        case 37: *value = 256; break;                                  // bits of the memory bus
        case 38: *value = 4 << 20; break;                              // L2 bytes
        case 39: *value = 1536; break;                                 // threads per multiprocessor
        case 75: *value = (int)setting("capability", 80) / 10; break;
        case 76: *value = (int)setting("capability", 80) % 10; break;
        case 81: *value = 102400; break;                               // shared bytes per multiprocessor
        case 97: *value = most_shared(); break;                        // shared bytes a block may ask for
        default: return with_text(INVALID_VALUE, "device attribute " + std::to_string(attribute) + " is not played");
    }
    return SUCCESS;
}

PLAYED cuDevicePrimaryCtxRetain(void** handle, int device) {
    if (!initialised) return NOT_INITIALIZED;
    *handle = (void*)(intptr_t)(device + 1);
    return SUCCESS;
}

PLAYED cuDevicePrimaryCtxRelease_v2(int) { return SUCCESS; }

PLAYED cuCtxSetCurrent(void* handle) {
    context = handle != nullptr;
    return SUCCESS;
}

PLAYED cuCtxSynchronize() {
    NEED_CONTEXT;
    drain_all();
    return report();
}

PLAYED cuMemGetInfo_v2(size_t* free, size_t* total) {
    NEED_CONTEXT;
    *total = memory_size();
    *free = memory_size() - used;
    return SUCCESS;
}

PLAYED cuMemAlloc_v2(uintptr_t* address, size_t bytes) {
    NEED_CONTEXT;
    if (bytes == 0) return INVALID_VALUE;
    if (used + bytes > (size_t)memory_size()) return with_text(OUT_OF_MEMORY, "out of memory");
    size_t whole = GUARD + bytes + GUARD;
    unsigned char* start = (unsigned char*)aligned_alloc(256, (whole + 255) / 256 * 256);
    if (!start) return OUT_OF_MEMORY;
    memset(start, 0xff, whole);
    used += bytes;
    *address = (uintptr_t)start + GUARD;
    device_memory[*address] = Block{bytes};
    return SUCCESS;
}

PLAYED cuMemFree_v2(uintptr_t address) {
    NEED_CONTEXT;
    drain_all();
    auto found = device_memory.find(address);
    if (found == device_memory.end()) return with_text(INVALID_VALUE, "not an allocation, or freed before");
    used -= found->second.bytes;
    memset((void*)address, 0xff, found->second.bytes);
    device_memory.erase(found);
    free((unsigned char*)address - GUARD);
    return SUCCESS;
}

PLAYED cuMemHostAlloc(void** address, size_t bytes, unsigned) {
    NEED_CONTEXT;
    *address = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    if (!*address) return OUT_OF_MEMORY;
    memset(*address, 0xff, bytes);
    pinned[(uintptr_t)*address] = Block{bytes};
    return SUCCESS;
}

PLAYED cuMemFreeHost(void* address) {
    NEED_CONTEXT;
    drain_all();
    if (!pinned.erase((uintptr_t)address)) return INVALID_VALUE;
    free(address);
    return SUCCESS;
}

PLAYED cuMemHostRegister_v2(void* address, size_t bytes, unsigned) {
    NEED_CONTEXT;
    pinned[(uintptr_t)address] = Block{bytes};
    return SUCCESS;
}

PLAYED cuMemHostUnregister(void* address) {
    NEED_CONTEXT;
    drain_all();
    return pinned.erase((uintptr_t)address) ? SUCCESS : INVALID_VALUE;
}

PLAYED cuMemcpyHtoDAsync_v2(uintptr_t to, const void* from, size_t bytes, void* stream) {
    NEED_CONTEXT;
    if (!inside(device_memory, to, bytes)) return with_text(INVALID_VALUE, "copy to an address outside of device memory");
    if (inside(pinned, (uintptr_t)from, bytes)) {
        return put(stream_of(stream), [=] { memcpy((void*)to, from, bytes); return SUCCESS; });
    }
    // Pageable memory has been read when the call returns.
    if (stream_of(stream).capture) return with_text(CAPTURE_UNSUPPORTED, "a copy from memory that is not pinned, in a graph");
    auto staged = std::make_shared<std::string>((const char*)from, bytes);
    return put(stream_of(stream), [=] { memcpy((void*)to, staged->data(), bytes); return SUCCESS; });
}

PLAYED cuMemcpyDtoHAsync_v2(void* to, uintptr_t from, size_t bytes, void* stream) {
    NEED_CONTEXT;
    if (!inside(device_memory, from, bytes)) return with_text(INVALID_VALUE, "copy from an address outside of device memory");
    bool late = inside(pinned, (uintptr_t)to, bytes);
    if (!late && stream_of(stream).capture) {
        return with_text(CAPTURE_UNSUPPORTED, "a copy to memory that is not pinned, in a graph");
    }
    put(stream_of(stream), [=] { memcpy(to, (void*)from, bytes); return SUCCESS; });
    if (!late) {
        drain(stream_of(stream), stream_of(stream).put);
        return report();
    }
    return SUCCESS;
}

PLAYED cuMemcpyDtoDAsync_v2(uintptr_t to, uintptr_t from, size_t bytes, void* stream) {
    NEED_CONTEXT;
    if (!inside(device_memory, to, bytes) || !inside(device_memory, from, bytes)) {
        return with_text(INVALID_VALUE, "copy outside of device memory");
    }
    return put(stream_of(stream), [=] { memmove((void*)to, (void*)from, bytes); return SUCCESS; });
}

PLAYED cuMemsetD8Async(uintptr_t to, unsigned char value, size_t bytes, void* stream) {
    NEED_CONTEXT;
    if (!inside(device_memory, to, bytes)) return with_text(INVALID_VALUE, "fill outside of device memory");
    return put(stream_of(stream), [=] { memset((void*)to, value, bytes); return SUCCESS; });
}

PLAYED cuStreamCreate(void** handle, unsigned flags) {
    NEED_CONTEXT;
    Stream* stream = new Stream();
    stream->blocking = !(flags & 1);
    streams.push_back(stream);
    *handle = stream;
    return SUCCESS;
}

PLAYED cuStreamDestroy_v2(void* handle) {
    NEED_CONTEXT;
    Stream* stream = (Stream*)handle;
    drain(*stream, stream->put);
    streams.remove(stream);
    // Kept, not deleted: events may still point at it.
    return SUCCESS;
}

PLAYED cuStreamSynchronize(void* handle) {
    NEED_CONTEXT;
    Stream& stream = stream_of(handle);
    if (stream.capture) return with_text(CAPTURE_UNSUPPORTED, "waiting for a stream that is recorded into a graph");
    if (!handle) before_null_stream();
    drain(stream, stream.put);
    return report();
}

PLAYED cuStreamQuery(void* handle) {
    NEED_CONTEXT;
    Stream& stream = stream_of(handle);
    drain(stream, stream.done + 1);
    return error ? report() : stream.done < stream.put ? NOT_READY : SUCCESS;
}

PLAYED cuStreamWaitEvent(void* handle, void* event, unsigned) {
    NEED_CONTEXT;
    Event* e = (Event*)event;
    Stream* other = e->stream;
    uint64_t at = e->at;
    if (stream_of(handle).capture) return with_text(CAPTURE_UNSUPPORTED, "events in graphs are not played");
    if (!other) return SUCCESS;
    return put(stream_of(handle), [=] { return drain(*other, at); });
}

PLAYED cuStreamBeginCapture_v2(void* handle, int) {
    NEED_CONTEXT;
    if (!handle) return CAPTURE_UNSUPPORTED;
    stream_of(handle).capture = std::make_unique<Graph>();
    return SUCCESS;
}

PLAYED cuStreamEndCapture(void* handle, void** graph) {
    NEED_CONTEXT;
    if (!stream_of(handle).capture) return INVALID_VALUE;
    *graph = stream_of(handle).capture.release();
    return SUCCESS;
}

PLAYED cuGraphInstantiateWithFlags(void** executable, void* graph, unsigned long long) {
    NEED_CONTEXT;
    *executable = new Graph(*(Graph*)graph);
    return SUCCESS;
}

PLAYED cuGraphLaunch(void* executable, void* stream) {
    NEED_CONTEXT;
    Graph* graph = (Graph*)executable;
    return put(stream_of(stream), [=] {
        for (Work& node : graph->nodes) {
            int result = node();
            if (result) return result;
        }
        return (int)SUCCESS;
    });
}

PLAYED cuGraphDestroy(void* graph) {
    NEED_CONTEXT;
    delete (Graph*)graph;
    return SUCCESS;
}

PLAYED cuGraphExecDestroy(void* executable) {
    NEED_CONTEXT;
    drain_all();
    delete (Graph*)executable;
    return SUCCESS;
}

PLAYED cuEventCreate(void** handle, unsigned) {
    NEED_CONTEXT;
    *handle = new Event();
    return SUCCESS;
}

PLAYED cuEventDestroy_v2(void* handle) {
    NEED_CONTEXT;
    drain_all();
    delete (Event*)handle;
    return SUCCESS;
}

PLAYED cuEventRecord(void* handle, void* stream) {
    NEED_CONTEXT;
    Event* event = (Event*)handle;
    Stream& on = stream_of(stream);
    if (on.capture) return with_text(CAPTURE_UNSUPPORTED, "events in graphs are not played");
    event->stream = &on;
    event->at = on.put + 1;
    return put(on, [=] { event->seconds = now(); return SUCCESS; });
}

PLAYED cuEventSynchronize(void* handle) {
    NEED_CONTEXT;
    Event* event = (Event*)handle;
    if (event->stream) drain(*event->stream, event->at);
    return report();
}

PLAYED cuEventQuery(void* handle) {
    NEED_CONTEXT;
    Event* event = (Event*)handle;
    if (!event->stream) return SUCCESS;
    // Each question lets a little time pass.
    drain(*event->stream, std::min(event->at, event->stream->done + 1));
    return error ? report() : event->stream->done < event->at ? NOT_READY : SUCCESS;
}

PLAYED cuEventElapsedTime(float* milliseconds, void* start, void* end) {
    NEED_CONTEXT;
    *milliseconds = (float)((((Event*)end)->seconds - ((Event*)start)->seconds) * 1000);
    return SUCCESS;
}

PLAYED cuModuleLoadData(void** module, const void* image) {
    NEED_CONTEXT;
    if (!image) return INVALID_VALUE;
    *module = (void*)&functions;
    return SUCCESS;
}

PLAYED cuModuleUnload(void*) {
    NEED_CONTEXT;
    drain_all();
    return SUCCESS;
}

PLAYED cuModuleGetFunction(void** function, void*, const char* name) {
    NEED_CONTEXT;
    const play::Kernel* kernel = play::find(name);
    if (!kernel) return with_text(NOT_FOUND, std::string("no kernel ") + name);
    *function = &functions.emplace(name, Function{kernel}).first->second;
    return SUCCESS;
}

PLAYED cuFuncSetAttribute(void* function, int attribute, int value) {
    NEED_CONTEXT;
    if (attribute == 9) return SUCCESS;  // how L1 and shared memory are split
    if (attribute != 8 || value > most_shared()) {
        return with_text(INVALID_VALUE, std::string(((Function*)function)->kernel->name) + " cannot have " + std::to_string(value) + " bytes of shared memory");
    }
    ((Function*)function)->most_shared = value;
    return SUCCESS;
}

PLAYED cuFuncGetAttribute(int* value, int attribute, void* function) {
    NEED_CONTEXT;
    *value = attribute == 0 ? ((Function*)function)->kernel->threads : attribute == 8 ? ((Function*)function)->most_shared : 0;
    return SUCCESS;
}

PLAYED cuFuncGetParamInfo(void* function, size_t index, size_t* offset, size_t* size) {
    NEED_CONTEXT;
    const play::Kernel* kernel = ((Function*)function)->kernel;
    if (index >= (size_t)kernel->parameters) return INVALID_VALUE;
    size_t at = 0;
    for (size_t i = 0; i <= index; i++) {
        size_t bytes = kernel->sizes[i], alignment = bytes >= 8 ? 8 : bytes;
        at = (at + alignment - 1) / alignment * alignment;
        *offset = at;
        at += bytes;
    }
    *size = kernel->sizes[index];
    return SUCCESS;
}

PLAYED cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, void*, int threads, size_t shared) {
    *blocks = std::max(1, std::min(1536 / std::max(threads, 1), (int)(102400 / (shared + 1024))));
    return SUCCESS;
}

struct LaunchConfig {
    unsigned grid_x, grid_y, grid_z, block_x, block_y, block_z, shared_bytes;
    void* stream;
    void* attributes;
    unsigned attribute_count;
};

PLAYED cuLaunchKernelEx(const LaunchConfig* config, void* handle, void** parameters, void** extra) {
    NEED_CONTEXT;
    Function* function = (Function*)handle;
    const play::Kernel& kernel = *function->kernel;
    uint64_t threads = (uint64_t)config->block_x * config->block_y * config->block_z;
    uint64_t blocks = (uint64_t)config->grid_x * config->grid_y * config->grid_z;
    std::string name = kernel.name;
    if (threads == 0 || blocks == 0 || threads > 1024 || config->grid_y > 65535 || config->grid_z > 65535 || extra) {
        return with_text(INVALID_VALUE, name + ": a launch of " + std::to_string(blocks) + " blocks of " + std::to_string(threads));
    }
    if (threads > (uint64_t)kernel.threads) {
        return with_text(OUT_OF_RESOURCES, name + ": " + std::to_string(threads) + " threads, more than its launch bounds " + std::to_string(kernel.threads));
    }
    if ((int)config->shared_bytes > function->most_shared) {
        return with_text(INVALID_VALUE, name + ": " + std::to_string(config->shared_bytes) + " bytes of shared memory, more than the " + std::to_string(function->most_shared) + " set for it");
    }
    // As the real one: the values are copied now, a graph keeps them.
    auto values = std::make_shared<std::vector<std::vector<char>>>();
    for (int i = 0; i < kernel.parameters; i++) {
        values->emplace_back((char*)parameters[i], (char*)parameters[i] + kernel.sizes[i]);
    }
    dim3 grid{config->grid_x, config->grid_y, config->grid_z}, block{config->block_x, config->block_y, config->block_z};
    size_t shared = config->shared_bytes;
    const play::Kernel* run = &kernel;
    return put(stream_of(config->stream), [=]() -> int {
        std::vector<void*> pointers;
        for (auto& value : *values) {
            pointers.push_back(value.data());
        }
        launches++;
        std::string problem = play::run(*run, grid, block, shared, pointers.data());
        if (problem.empty()) {
            problem = guards(run->name);
        }
        return problem.empty() ? SUCCESS : with_text(LAUNCH_FAILED, problem);
    });
}
