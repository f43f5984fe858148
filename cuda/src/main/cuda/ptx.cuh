// The only place with inline assembly. Each function has a played twin (OSSICLE_PLAYED) with the same interface.
// Included by ossicle.cuh.
#pragma once

#ifndef OSSICLE_PLAYED

// Two floats as bf16 in one word, rounded to nearest even: low in the lower half.
__device__ __forceinline__ unsigned bf16_pair(float low, float high) {
    unsigned pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
}

// The same as fp16, infinite above 65504; and back.
__device__ __forceinline__ unsigned fp16_pair(float low, float high) {
    unsigned pair;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
}

__device__ __forceinline__ float fp16_float(unsigned bits) {
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"((unsigned short)bits));
    return value;
}

// Sixteen bytes that are read once (weights): they must not push other data out of the L1 cache. 16-byte aligned.
__device__ __forceinline__ uint4 load_streaming(const void* address) {
    uint4 value;
    asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
                 : "l"(address));
    return value;
}

// Eight and four such bytes.
__device__ __forceinline__ uint2 load_streaming_8(const void* address) {
    uint2 value;
    asm volatile("ld.global.nc.L1::no_allocate.v2.u32 {%0, %1}, [%2];" : "=r"(value.x), "=r"(value.y) : "l"(address));
    return value;
}

__device__ __forceinline__ unsigned load_streaming_4(const void* address) {
    unsigned value;
    asm volatile("ld.global.nc.L1::no_allocate.u32 %0, [%1];" : "=r"(value) : "l"(address));
    return value;
}

// Brings a line to the L2 cache; for what will be read soon.
__device__ __forceinline__ void prefetch_l2(const void* address) {
    asm volatile("prefetch.global.L2 [%0];" ::"l"(address));
}

__device__ __forceinline__ unsigned shared_address(const void* shared) {
    return (unsigned)__cvta_generic_to_shared(shared);
}

// Starts to copy 16 bytes to shared memory past the registers; both 16-byte aligned.
__device__ __forceinline__ void copy_async(void* shared, const void* global) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared_address(shared)), "l"(global) : "memory");
}

// The same, or sixteen zeros where not valid (global is not read then, but must still be an address).
__device__ __forceinline__ void copy_async_or_zero(void* shared, const void* global, bool valid) {
    int bytes = valid ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)), "l"(global), "r"(bytes)
                 : "memory");
}

// Closes a group of this thread's copies.
__device__ __forceinline__ void copy_async_commit() {
    asm volatile("cp.async.commit_group;" ::: "memory");
}

// Waits until at most N of this thread's latest groups are under way. Other threads' copies need a barrier after it.
template <int N>
__device__ __forceinline__ void copy_async_wait() {
    asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}

// 2^x to two units of the last place; 0 for -infinity.
__device__ __forceinline__ float exp2_fast(float x) {
    float power;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(x));
    return power;
}

// Four 8x8 matrices of 16-bit numbers from shared memory: lane 8m + r gives the address of row r of matrix m (16 bytes,
// aligned); a lane's register m holds columns 2 (lane % 4) and one more of row lane / 4.
__device__ __forceinline__ void load_matrices(unsigned (&r)[4], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(row))
                 : "memory");
}

// The same, each matrix transposed: a lane's register m holds rows 2 (lane % 4) and one more of column lane / 4.
__device__ __forceinline__ void load_matrices_transposed(unsigned (&r)[4], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(row))
                 : "memory");
}

// d[16, 8] += a[16, 16] b[16, 8], a and b bf16, sums float32. With g = lane / 4 and t = lane % 4:
// a: {row g, columns 2t 2t+1}, {row g+8, same}, {row g, columns 2t+8 2t+9}, {row g+8, same};
// b: {rows 2t 2t+1, column g}, {rows 2t+8 2t+9, column g}; d: row g columns 2t 2t+1, row g+8 columns 2t 2t+1.
__device__ __forceinline__ void mma_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// The same of fp16.
__device__ __forceinline__ void mma_fp16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Two bf16 products at once: a * b rounded to bf16, and a * b + c.
__device__ __forceinline__ unsigned bf16x2_multiply(unsigned a, unsigned b) {
    unsigned product;
    asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(product) : "r"(a), "r"(b), "r"(0x80008000u));
    return product;
}

// The next kernel of the stream may start (when launched so), though it must wait_for_previous before it reads what this one
// writes. Nothing where the chip has no such thing (before 9.0).
__device__ __forceinline__ void launch_dependents() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

__device__ __forceinline__ void wait_for_previous() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

#else  // played on the host

inline unsigned bf16_pair(float low, float high) {
    return play::bf16_bits(low) | play::bf16_bits(high) << 16;
}

inline unsigned fp16_pair(float low, float high) {
    return play::fp16_bits(low) | play::fp16_bits(high) << 16;
}

inline float fp16_float(unsigned bits) {
    return play::fp16_float(bits & 0xffffu);
}

inline uint4 load_streaming(const void* address) {
    return *(const uint4*)address;
}

inline uint2 load_streaming_8(const void* address) {
    return *(const uint2*)address;
}

inline unsigned load_streaming_4(const void* address) {
    return *(const unsigned*)address;
}

inline void prefetch_l2(const void*) {}

inline void copy_async(void* shared, const void* global) {
    play::copy_async(shared, global, true);
}

inline void copy_async_or_zero(void* shared, const void* global, bool valid) {
    play::copy_async(shared, global, valid);
}

inline void copy_async_commit() {
    play::copy_async_commit();
}

template <int N>
inline void copy_async_wait() {
    play::copy_async_wait(N);
}

inline float exp2_fast(float x) {
    return exp2f(x);
}

inline void load_matrices(unsigned (&r)[4], const void* row) {
    play::load_matrices(r, row, false);
}

inline void load_matrices_transposed(unsigned (&r)[4], const void* row) {
    play::load_matrices(r, row, true);
}

inline void mma_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    play::mma_bf16(d, a, b);
}

inline void mma_fp16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    play::mma_fp16(d, a, b);
}

inline unsigned bf16x2_multiply(unsigned a, unsigned b) {
    float low = __uint_as_float(a << 16) * __uint_as_float(b << 16);
    float high = __uint_as_float(a & 0xffff0000u) * __uint_as_float(b & 0xffff0000u);
    return bf16_pair(low, high);
}

inline void launch_dependents() {}

inline void wait_for_previous() {}

#endif

// In a ring of 2 to 4 stages, each a group of copies, waits for the oldest.
__device__ __forceinline__ void copy_async_wait_for_stage(int stages) {
    if (stages == 2) {
        copy_async_wait<0>();
    } else if (stages == 3) {
        copy_async_wait<1>();
    } else {
        copy_async_wait<2>();
    }
}
