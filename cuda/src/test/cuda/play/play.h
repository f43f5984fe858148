// Plays CUDA C++ on the host: what the kernels' sources need to compile by g++ and to run under play.cpp, where each thread
// of a block is a coroutine and barriers, shuffles, votes and mma are the places where coroutines meet.
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <type_traits>
#include <utility>

#define __device__
#define __host__
#define __global__
#define __forceinline__ inline
#define __constant__ static
#define __grid_constant__
#define __align__(n) __attribute__((aligned(n)))
#define __launch_bounds__(...)
// One block runs at a time, so a static is what all of its threads share.
#define __shared__ static

#define KERNEL(bounds, name, ...)                                      \
    extern "C" void name(__VA_ARGS__);                                 \
    static play::Registration registration_##name(#name, &name, play::Bounds bounds.threads); \
    extern "C" void name(__VA_ARGS__)
#define SHARED_BYTES(name) unsigned char* name = play::dynamic_shared

struct alignas(8) int2 { int x, y; };
struct int3 { int x, y, z; };
struct alignas(16) int4 { int x, y, z, w; };
struct alignas(8) uint2 { unsigned x, y; };
struct uint3 { unsigned x, y, z; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct alignas(8) float2 { float x, y; };
struct float3 { float x, y, z; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(4) ushort2 { unsigned short x, y; };
struct alignas(8) ushort4 { unsigned short x, y, z, w; };
struct alignas(4) uchar4 { unsigned char x, y, z, w; };
struct dim3 { unsigned x = 1, y = 1, z = 1; };
inline int2 make_int2(int x, int y) { return {x, y}; }
inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

namespace play {
struct Bounds {
    int threads;
    constexpr Bounds(int threads, int blocks = 1) : threads(threads) { (void)blocks; }
};

struct Thread;
extern Thread* current;
extern uint3 thread_index;  // of the running thread; set at each switch
extern uint3 block_index;
extern dim3 block_size, grid_size;
extern unsigned char* dynamic_shared;

[[noreturn]] void fail(const char* format, ...);

// Where the lanes of a mask meet; the last to arrive runs perform over all their operands (by lane; null beside the mask).
enum Meeting { SYNC = 1, SHUFFLE, VOTE, REDUCE, MATCH, MMA, MATRICES };
typedef void (*Perform)(void* const operands[32], unsigned mask);
void meet(Meeting meeting, unsigned mask, void* operands, Perform perform, const char* file, int line);
// A barrier of the block: threads 0 means all that still run.
void barrier(int id, int threads, const char* file, int line);
int vote_of_block(int value, const char* file, int line);  // how many threads gave a value other than 0

struct Shuffle { uint64_t value, result; int source; };
void shuffle(Shuffle& operands, unsigned mask, const char* file, int line);

void copy_async(void* shared, const void* global, bool valid);
void copy_async_commit();
void copy_async_wait(int groups);
void load_matrices(unsigned (&r)[4], const void* row, bool transposed);
void mma_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]);
void mma_fp16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]);

inline unsigned bf16_bits(float value) {
    unsigned bits;
    memcpy(&bits, &value, 4);
    if ((bits & 0x7fffffffu) > 0x7f800000u) {
        return 0x7fff;
    }
    return (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
}

inline unsigned fp16_bits(float value) {
    unsigned bits;
    memcpy(&bits, &value, 4);
    unsigned sign = bits >> 16 & 0x8000u;
    bits &= 0x7fffffffu;
    if (bits > 0x7f800000u) {
        return 0x7fff;
    }
    if (bits >= 0x477ff000u) {  // nearer to 65536 than to 65504
        return sign | 0x7c00u;
    }
    if (bits < 0x38800000u) {  // below 2^-14 in units of 2^-24
        return sign | (unsigned)nearbyintf(fabsf(value) * 0x1p24f);
    }
    return sign | (bits + 0xfffu + (bits >> 13 & 1) - 0x38000000u) >> 13;
}

inline float fp16_float(unsigned bits) {
    unsigned exponent = bits >> 10 & 31, mantissa = bits & 0x3ffu;
    unsigned wide = exponent == 31 ? 0x7f800000u | mantissa << 13 : (exponent + 112) << 23 | mantissa << 13;
    float value;
    memcpy(&value, &wide, 4);
    if (exponent == 0) {
        value = mantissa * 0x1p-24f;
    }
    return bits >> 15 ? -value : value;
}

// A kernel's name, the sizes of its parameters and how to call it with void**.
struct Kernel {
    const char* name;
    void (*invoke)(void* function, void** arguments);
    void* function;
    const int* sizes;
    int parameters;
    int threads;
};
void add(const Kernel& kernel);

struct Registration {
    template <class... P>
    Registration(const char* name, void (*function)(P...), int threads) {
        static const int sizes[] = {(int)sizeof(P)..., 0};
        add(Kernel{name, &invoke<P...>, (void*)function, sizes, (int)sizeof...(P), threads});
    }
    template <class... P>
    static void invoke(void* function, void** arguments) {
        call((void (*)(P...))function, arguments, std::index_sequence_for<P...>());
    }
    template <class... P, size_t... I>
    static void call(void (*function)(P...), void** arguments, std::index_sequence<I...>) {
        function(*(typename std::remove_const<P>::type*)arguments[I]...);
    }
};

template <class T>
uint64_t to_bits(T value) {
    static_assert(sizeof(T) <= 8, "shuffles move up to 8 bytes");
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof(T));
    return bits;
}

template <class T>
T from_bits(uint64_t bits) {
    T value;
    memcpy(&value, &bits, sizeof(T));
    return value;
}
int lane();
unsigned vote(unsigned value, unsigned mask, const char* file, int line);  // a bit for each lane of the mask
uint64_t match(uint64_t value, unsigned mask, const char* file, int line);
int64_t reduce(int64_t value, int operation, unsigned mask, const char* file, int line);
}  // namespace play

#define threadIdx play::thread_index
#define blockIdx play::block_index
#define blockDim play::block_size
#define gridDim play::grid_size
constexpr int warpSize = 32;

#define PLAY_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(PLAY_SITE) { play::barrier(0, 0, file, line); }
inline int __syncthreads_count(int value, PLAY_SITE) { return play::vote_of_block(value, file, line); }
inline int __syncthreads_or(int value, PLAY_SITE) { return play::vote_of_block(value, file, line) > 0; }
inline int __syncthreads_and(int value, PLAY_SITE) { return play::vote_of_block(!value, file, line) == 0; }
inline void __syncwarp(unsigned mask = 0xffffffffu, PLAY_SITE) { play::meet(play::SYNC, mask, &mask, nullptr, file, line); }
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}
inline void __nanosleep(unsigned) {}

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, PLAY_SITE) {
    int lane = play::lane();
    play::Shuffle s{play::to_bits(value), 0, (lane & ~(width - 1)) + (source & (width - 1))};
    play::shuffle(s, mask, file, line);
    return play::from_bits<T>(s.result);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int distance, int width = 32, PLAY_SITE) {
    int lane = play::lane(), source = lane ^ distance;
    play::Shuffle s{play::to_bits(value), 0, source >= (lane & ~(width - 1)) + width ? lane : source};
    play::shuffle(s, mask, file, line);
    return play::from_bits<T>(s.result);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned distance, int width = 32, PLAY_SITE) {
    int lane = play::lane(), source = lane + (int)distance;
    play::Shuffle s{play::to_bits(value), 0, source >= (lane & ~(width - 1)) + width ? lane : source};
    play::shuffle(s, mask, file, line);
    return play::from_bits<T>(s.result);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned distance, int width = 32, PLAY_SITE) {
    int lane = play::lane(), source = lane - (int)distance;
    play::Shuffle s{play::to_bits(value), 0, source < (lane & ~(width - 1)) ? lane : source};
    play::shuffle(s, mask, file, line);
    return play::from_bits<T>(s.result);
}
inline unsigned __ballot_sync(unsigned mask, int value, PLAY_SITE) { return play::vote(value != 0, mask, file, line); }
inline int __any_sync(unsigned mask, int value, PLAY_SITE) { return play::vote(value != 0, mask, file, line) != 0; }
inline int __all_sync(unsigned mask, int value, PLAY_SITE) { return play::vote(value == 0, mask, file, line) == 0; }
template <class T>
unsigned __match_any_sync(unsigned mask, T value, PLAY_SITE) {
    return (unsigned)play::match(play::to_bits(value), mask, file, line);
}
template <class T>
T __reduce_add_sync(unsigned mask, T value, PLAY_SITE) { return (T)play::reduce(value, '+', mask, file, line); }
template <class T>
T __reduce_min_sync(unsigned mask, T value, PLAY_SITE) { return (T)play::reduce(value, '<', mask, file, line); }
template <class T>
T __reduce_max_sync(unsigned mask, T value, PLAY_SITE) { return (T)play::reduce(value, '>', mask, file, line); }
inline unsigned __reduce_or_sync(unsigned mask, unsigned value, PLAY_SITE) { return (unsigned)play::reduce(value, '|', mask, file, line); }
inline unsigned __reduce_and_sync(unsigned mask, unsigned value, PLAY_SITE) { return (unsigned)play::reduce(value, '&', mask, file, line); }

// One thread runs at a time: plain read-modify-write is atomic.
#define PLAY_ATOMIC(name, expression)                                                   \
    template <class T>                                                                  \
    T name(T* address, typename std::common_type<T>::type value) {                      \
        T old = *address;                                                               \
        *address = (expression);                                                        \
        return old;                                                                     \
    }
PLAY_ATOMIC(atomicAdd, old + value)
PLAY_ATOMIC(atomicSub, old - value)
PLAY_ATOMIC(atomicMin, value < old ? value : old)
PLAY_ATOMIC(atomicMax, value > old ? value : old)
PLAY_ATOMIC(atomicExch, value)
PLAY_ATOMIC(atomicOr, old | value)
PLAY_ATOMIC(atomicAnd, old& value)
PLAY_ATOMIC(atomicXor, old ^ value)
PLAY_ATOMIC(atomicInc, old >= value ? 0 : old + 1)
template <class T>
T atomicCAS(T* address, typename std::common_type<T>::type expected, typename std::common_type<T>::type value) {
    T old = *address;
    if (old == expected) {
        *address = value;
    }
    return old;
}

template <class T>
T __ldg(const T* address) { return *address; }
template <class T>
T __ldcs(const T* address) { return *address; }
template <class T>
T __ldcg(const T* address) { return *address; }
template <class T>
T __ldcv(const T* address) { return *address; }
template <class T>
void __stcs(T* address, T value) { *address = value; }
template <class T>
void __stcg(T* address, T value) { *address = value; }

inline unsigned __float_as_uint(float value) { return play::from_bits<unsigned>(play::to_bits(value)); }
inline int __float_as_int(float value) { return play::from_bits<int>(play::to_bits(value)); }
inline float __uint_as_float(unsigned bits) { return play::from_bits<float>(bits); }
inline float __int_as_float(int bits) { return play::from_bits<float>((unsigned)bits); }
inline float __expf(float x) { return expf(x); }
inline float __exp2f(float x) { return exp2f(x); }
inline float __logf(float x) { return logf(x); }
inline float __fdividef(float x, float y) { return x / y; }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __saturatef(float x) { return x < 0 ? 0 : x > 1 ? 1 : x; }
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline int __float2int_rn(float x) { return (int)nearbyintf(x); }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline int __clz(int x) { return x ? __builtin_clz((unsigned)x) : 32; }
inline int __clzll(long long x) { return x ? __builtin_clzll((unsigned long long)x) : 64; }
inline unsigned __brev(unsigned x) {
    unsigned r = 0;
    for (int i = 0; i < 32; i++) {
        r |= (x >> i & 1) << (31 - i);
    }
    return r;
}
inline unsigned __byte_perm(unsigned x, unsigned y, unsigned selector) {
    uint64_t both = (uint64_t)y << 32 | x;
    unsigned r = 0;
    for (int i = 0; i < 4; i++) {
        unsigned s = selector >> 4 * i;
        unsigned b = both >> 8 * (s & 7) & 0xff;
        r |= (s & 8 ? (b & 0x80 ? 0xff : 0) : b) << 8 * i;
    }
    return r;
}
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
    return (unsigned)(((uint64_t)high << 32 | low) >> (shift & 31));
}
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
    return (unsigned)(((uint64_t)high << 32 | low) << (shift & 31) >> 32);
}
inline int __dp4a(int a, int b, int c) {
    for (int i = 0; i < 32; i += 8) {
        c += (int8_t)(a >> i) * (int8_t)(b >> i);
    }
    return c;
}
inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((uint64_t)a * b >> 32); }
#define PLAY_MINMAX(T)                                      \
    inline T min(T a, T b) { return a < b ? a : b; }        \
    inline T max(T a, T b) { return a > b ? a : b; }
PLAY_MINMAX(int)
PLAY_MINMAX(unsigned)
PLAY_MINMAX(long)
PLAY_MINMAX(unsigned long)
PLAY_MINMAX(long long)
PLAY_MINMAX(unsigned long long)
// As CUDA has them: the signed one becomes unsigned.
inline unsigned min(int a, unsigned b) { return min((unsigned)a, b); }
inline unsigned min(unsigned a, int b) { return min(a, (unsigned)b); }
inline unsigned max(int a, unsigned b) { return max((unsigned)a, b); }
inline unsigned max(unsigned a, int b) { return max(a, (unsigned)b); }
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }
