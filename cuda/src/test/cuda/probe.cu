// Small kernels with which the tests try the played GPU itself.
#include "ossicle.cuh"

KERNEL((256), probe_add, const float* a, float* b, float scale, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        b[i] += scale * a[i];
    }
}

// One warp of each block reverses its numbers, then the block sums all of them.
KERNEL((128), probe_meet, const float* a, float* reversed, float* sums) {
    __shared__ float scratch[4];
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    reversed[i] = __shfl_sync(ALL_LANES, a[i], WARP - 1 - lane_id());
    float sum = block_sum(a[i], scratch);
    if (threadIdx.x == 0) {
        sums[blockIdx.x] = sum;
    }
}

// d[16, 8] = a[16, 16] b[16, 8] by one warp, through shared memory, cp.async, ldmatrix and mma.
template <typename T, typename Mma>
__device__ __forceinline__ void probe_product(const T* a, const T* b, float* d, Mma mma) {
    SHARED_BYTES(shared);
    T* sa = (T*)shared;
    T* sb = sa + 16 * 16;
    int lane = lane_id();
    copy_async(sa + lane * 8, a + lane * 8);
    copy_async_or_zero(sb + lane * 8, b + lane * 8, lane < 16);
    copy_async_commit();
    copy_async_wait<0>();
    __syncwarp();
    unsigned fa[4], fb[4];
    load_matrices(fa, sa + lane % 16 * 16 + lane / 16 * 8);
    // b is [16, 8]: two matrices of 8 rows, transposed; the other two addresses repeat them
    load_matrices_transposed(fb, sb + lane % 16 * 8);
    float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    mma(sum, fa, {fb[0], fb[1]});
    int g = lane / 4, t = lane % 4;
    d[g * 8 + 2 * t] = sum[0];
    d[g * 8 + 2 * t + 1] = sum[1];
    d[(g + 8) * 8 + 2 * t] = sum[2];
    d[(g + 8) * 8 + 2 * t + 1] = sum[3];
}

KERNEL((32), probe_mma_bf16, const bf16* a, const bf16* b, float* d) {
    probe_product(a, b, d, mma_bf16);
}

KERNEL((32), probe_mma_fp16, const fp16* a, const fp16* b, float* d) {
    probe_product(a, b, d, mma_fp16);
}

// Half of the threads wait for the others, which wait for each other elsewhere.
KERNEL((64), probe_deadlock, int* out) {
    if (threadIdx.x < WARP) {
        __syncthreads();
    } else if (lane_id() < 16) {
        __syncwarp();
    }
    out[threadIdx.x] = 1;
}

KERNEL((32), probe_outside, float* out, int at) {
    if (threadIdx.x == 0) {
        out[at] = 1.0f;
    }
}

KERNEL((32), probe_misaligned, const byte* in, uint4* out, int at) {
    out[threadIdx.x] = *(const uint4*)(in + at);
}

// A counter of all blocks: the last to arrive writes how many came.
KERNEL((32), probe_ticket, int* ticket, int* last) {
    if (threadIdx.x == 0) {
        __threadfence();
        if (atomicAdd(ticket, 1) == (int)gridDim.x - 1) {
            *last = *ticket;
            *ticket = 0;
        }
    }
}
