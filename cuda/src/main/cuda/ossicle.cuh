// What all kernels share: number formats, vectors, reductions, the KERNEL macro, the report of a fault.
// The same sources compile for a GPU by nvcc and for the host by g++ (OSSICLE_PLAYED, see src/test/cuda/play).
#pragma once

#ifdef OSSICLE_PLAYED
#include "play.h"
#else
// KERNEL((threads), name, parameters...) { body }: an entry point found by its name; threads are those of its launch bounds.
#define KERNEL(bounds, name, ...) extern "C" __global__ void __launch_bounds__ bounds name(__VA_ARGS__)
// SHARED_BYTES(name): the block's dynamic shared memory, 128-byte aligned.
#define SHARED_BYTES(name) unsigned char* name = shared_bytes
extern __shared__ __align__(128) unsigned char shared_bytes[];
#endif

constexpr int WARP = 32;                  // lanes; the kernels never say 32 for it
constexpr unsigned ALL_LANES = 0xffffffffu;

constexpr int PAGE = 64;                  // positions of a page of keys or values

// Attention's largest weight is 2 to this, a quarter of what fp16 holds, which then has all bits of weights down to 2^-28 of it.
constexpr float RAISED = 14.0f;

typedef unsigned char byte;

// bfloat16 as its 16 bits: the upper half of a float32. What meets MXFP4 weights, whose scales need its range.
struct alignas(2) bf16 {
    unsigned short bits;
};

// float16 as its bits: three bits more of precision, and no number above 65504. What meets dense weights, keys and values.
struct alignas(2) fp16 {
    unsigned short bits;
};

#include "ptx.cuh"

// The two halves of a word that holds two bf16, the lower first in memory.
__device__ __forceinline__ float low_float(unsigned pair) {
    return __uint_as_float(pair << 16);
}

__device__ __forceinline__ float high_float(unsigned pair) {
    return __uint_as_float(pair & 0xffff0000u);
}

__device__ __forceinline__ bf16 to_bf16(float value) {
    return bf16{(unsigned short)(bf16_pair(value, 0.0f) & 0xffffu)};
}

__device__ __forceinline__ fp16 to_fp16(float value) {
    return fp16{(unsigned short)(fp16_pair(value, 0.0f) & 0xffffu)};
}

// 2^(scale - 127), exact for every E8M0 scale but 255, which loading refuses.
__device__ __forceinline__ float e8m0(byte scale) {
    return __uint_as_float(scale == 0 ? 0x00400000u : (unsigned)scale << 23);
}

__device__ __forceinline__ int lane_id() {
    return threadIdx.x % WARP;
}

__device__ __forceinline__ int warp_id() {
    return threadIdx.x / WARP;
}

__device__ __forceinline__ float warp_sum(float value) {
#pragma unroll
    for (int distance = WARP / 2; distance > 0; distance /= 2) {
        value += __shfl_xor_sync(ALL_LANES, value, distance);
    }
    return value;
}

__device__ __forceinline__ float warp_max(float value) {
#pragma unroll
    for (int distance = WARP / 2; distance > 0; distance /= 2) {
        value = fmaxf(value, __shfl_xor_sync(ALL_LANES, value, distance));
    }
    return value;
}

// The sum over a one-dimensional block of whole warps, in every thread. scratch: one float for each warp, in shared memory,
// free for other use after the next barrier.
__device__ __forceinline__ float block_sum(float value, float* scratch) {
    value = warp_sum(value);
    if (lane_id() == 0) {
        scratch[warp_id()] = value;
    }
    __syncthreads();
    float sum = 0.0f;
    int warps = blockDim.x / WARP;
    for (int warp = 0; warp < warps; warp++) {
        sum += scratch[warp];
    }
    return sum;
}

// Ascending with the float; -0 is 0. No float has order 0.
__device__ __forceinline__ unsigned float_order(float value) {
    unsigned bits = __float_as_uint(value + 0.0f);
    return bits ^ ((bits >> 31) != 0 ? 0xffffffffu : 0x80000000u);
}

__device__ __forceinline__ float order_float(unsigned order) {
    return __uint_as_float(order ^ ((order >> 31) != 0 ? 0x80000000u : 0xffffffffu));
}

// Notes that a number overflowed, once: the first code stays until the host has read it. fault: one int, 0 before.
__device__ __forceinline__ void report(int* fault, int code) {
    atomicCAS(fault, 0, code);
}

// MXFP4. A word holds eight codes, the first in its lowest four bits: sign, two bits of exponent, one of mantissa.
// Codes j and j + 4 expand together, so columns that meet such weights are stored in the order 0 4 1 5 2 6 3 7 within each
// eight ("eights"). The code's bits at the low end of bf16's exponent are the number times 2^-126; one bf16 product by
// 2^(scale - 65) makes it the weight times 2^-64, exact for scales from 59 to 192 (2^-68 to 2^65); below, it may vanish; above,
// it is infinite and shows as a fault of the next norm. The sums are LARGE times too small.
constexpr float LARGE = 0x1p64f;

// Eight codes of a word as four pairs (code j, code j + 4) of bf16, times factor (a pair).
__device__ __forceinline__ void expand_codes(unsigned (&pairs)[4], unsigned word, unsigned factor) {
    constexpr unsigned KEPT = 0x81c081c0u;  // sign, lowest two bits of the exponent, highest of the mantissa
    unsigned upper = word >> 8;
    // A product by two powers of two puts the number and its sign where they belong; what else it makes is masked.
    pairs[0] = bf16x2_multiply((word & 0x000f000fu) * 0x1040u & KEPT, factor);
    pairs[1] = bf16x2_multiply((word & 0x00f000f0u) * 0x0104u & KEPT, factor);
    pairs[2] = bf16x2_multiply((upper & 0x000f000fu) * 0x1040u & KEPT, factor);
    pairs[3] = bf16x2_multiply((upper & 0x00f000f0u) * 0x0104u & KEPT, factor);
}

// 2^(scale - 65) twice; infinite above 192.
__device__ __forceinline__ unsigned expand_factor(unsigned scale) {
    return min(scale + 62u, 255u) * 0x00800080u;
}

// A number that is not finite stays so: the next norm reports it.
__device__ __forceinline__ float swiglu(float gate, float up, float limit) {
    float g = gate > limit ? limit : gate;
    float u = up > limit ? limit : up < -limit ? -limit : up;
    return __fdividef(g, 1.0f + __expf(-1.702f * g)) * (u + 1.0f);
}
