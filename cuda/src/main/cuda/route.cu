// Which experts a step's rows go to: the router, the best experts of each row, the rows of each expert and their tiles.
//
// Letters: T rows, H hidden, E experts, P picks of a row; a pair is row * P + pick.
//
// router_logits(const float* x, const float* scale, const float* gain, const float* w, const float* bias, float* logits, int rows, int hidden, int experts)
//   logits [T, E] = (x * scale * gain) w[E, H]^T + bias, all float32; x [T, H] the residual, scale [T] 1 / rms of a row from rms_norm.
//   launch: T > 2048: router_logits      grid (ceil(E / 64), ceil(T / 64)), block 256
//           else:     router_logits_few  grid (ceil(E / 16), ceil(T / 16)), block 256
// route(const float* logits, int* picks, float* shares, int rows, int experts, int picksPerRow)
//   picks [T, P]: the experts with the largest logits, the best first, of equal ones the lower; shares [T, P]: softmax over them.
//   P at most 32. launch: grid ceil(T / 4), block 128.
// group(const int* picks, int* order, int4* tiles, int* tileCount, int pairs, int experts, int tileRows)
//   order [T*P]: the pairs by expert; tiles: {expert, first in order, count at most tileRows, 0}, as many as tileCount says, at most
//   floor(T*P / tileRows) + min(E, T*P). Pairs of one expert stand in any order, which no result depends on.
//   launch: grid 1, block 1024, shared 4 E.
//
// Reckoning: router_logits for T = 8192, E = 128: 6 GFLOP on the plain units, about 0.2 ms of an H200 (2 % of a layer); a thread has 4 x 4
// sums, 8 16-byte shared loads for 64 products. _few: a block of 16 x 16 reads 128 H bytes; a batch's rows keep 8 or more SMs busy.
#include "ossicle.cuh"

// 4 x 4 sums a thread; SLICES groups of threads share the K columns of a stage.
template <int ROWS, int EXPERTS, int SLICES, int K>
__device__ __forceinline__ void router_product(const float* x, const float* scale, const float* gain, const float* w,
                                               const float* bias, float* logits, int rows, int hidden, int experts) {
    constexpr int THREADS = 256;
    constexpr int PITCH = K + 4;  // floats: neighbouring rows in neighbouring banks
    constexpr int VECTORS = K / 4;
    constexpr int AT_ONCE = THREADS / VECTORS;
    constexpr int STAGE = (ROWS + EXPERTS) * PITCH;
    static_assert((ROWS / 4) * (EXPERTS / 4) * SLICES == THREADS, "threads");
    static_assert(SLICES * ROWS * EXPERTS <= 2 * STAGE || SLICES == 1, "the sums of all slices fit where the stages were");
    __shared__ float4 room[2 * STAGE / 4];
    float* shared = (float*)room;

    int row0 = blockIdx.y * ROWS, expert0 = blockIdx.x * EXPERTS;
    int slice = threadIdx.x / (THREADS / SLICES), place = threadIdx.x % (THREADS / SLICES);
    int ofRow = place / (EXPERTS / 4), ofExpert = place % (EXPERTS / 4);
    int copied = threadIdx.x / VECTORS, column = threadIdx.x % VECTORS * 4;

    float4 next[EXPERTS / AT_ONCE];
    float sum[4][4] = {};
    int tiles = (hidden + K - 1) / K;
    // Rows come by cp.async, weights through registers, where they take the norm's gain.
    auto fetch = [&](int tile) {
        int k = tile * K + column;
        bool inside = k < hidden;
        float* stage = shared + tile % 2 * STAGE;
#pragma unroll
        for (int i = 0; i < ROWS / AT_ONCE; i++) {
            int row = copied + i * AT_ONCE;
            bool valid = inside && row0 + row < rows;
            copy_async_or_zero(stage + row * PITCH + column, valid ? x + (size_t)(row0 + row) * hidden + k : x, valid);
        }
        copy_async_commit();
        float4 g = inside ? *(const float4*)(gain + k) : make_float4(0.0f, 0.0f, 0.0f, 0.0f);
#pragma unroll
        for (int i = 0; i < EXPERTS / AT_ONCE; i++) {
            int expert = expert0 + copied + i * AT_ONCE;
            next[i] = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
            if (inside && expert < experts) {
                float4 v = *(const float4*)(w + (size_t)expert * hidden + k);
                next[i] = make_float4(v.x * g.x, v.y * g.y, v.z * g.z, v.w * g.w);
            }
        }
    };
    fetch(0);
    for (int tile = 0; tile < tiles; tile++) {
        const float* xs = shared + tile % 2 * STAGE;
        float* ws = shared + tile % 2 * STAGE + ROWS * PITCH;
#pragma unroll
        for (int i = 0; i < EXPERTS / AT_ONCE; i++) {
            *(float4*)(ws + (copied + i * AT_ONCE) * PITCH + column) = next[i];
        }
        copy_async_wait<0>();
        __syncthreads();
        if (tile + 1 < tiles) {
            fetch(tile + 1);
        }
#pragma unroll
        for (int v = 0; v < VECTORS / SLICES; v++) {
            int at = (v * SLICES + slice) * 4;
            float4 a[4], b[4];
#pragma unroll
            for (int i = 0; i < 4; i++) {
                a[i] = *(const float4*)(xs + (ofRow + i * (ROWS / 4)) * PITCH + at);
                b[i] = *(const float4*)(ws + (ofExpert + i * (EXPERTS / 4)) * PITCH + at);
            }
#pragma unroll
            for (int i = 0; i < 4; i++) {
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    sum[i][j] = fmaf(a[i].x, b[j].x, sum[i][j]);
                    sum[i][j] = fmaf(a[i].y, b[j].y, sum[i][j]);
                    sum[i][j] = fmaf(a[i].z, b[j].z, sum[i][j]);
                    sum[i][j] = fmaf(a[i].w, b[j].w, sum[i][j]);
                }
            }
        }
    }

    if constexpr (SLICES > 1) {
        static_assert(ROWS * EXPERTS == THREADS, "a thread for each sum");
        __syncthreads();
#pragma unroll
        for (int i = 0; i < 4; i++) {
#pragma unroll
            for (int j = 0; j < 4; j++) {
                shared[(slice * ROWS + ofRow + i * (ROWS / 4)) * EXPERTS + ofExpert + j * (EXPERTS / 4)] = sum[i][j];
            }
        }
        __syncthreads();
        float total = 0.0f;
        for (int i = 0; i < SLICES; i++) {
            total += shared[i * ROWS * EXPERTS + threadIdx.x];
        }
        int row = row0 + threadIdx.x / EXPERTS, expert = expert0 + threadIdx.x % EXPERTS;
        if (row < rows && expert < experts) {
            logits[(size_t)row * experts + expert] = fmaf(total, scale[row], bias[expert]);
        }
    } else {
#pragma unroll
        for (int i = 0; i < 4; i++) {
#pragma unroll
            for (int j = 0; j < 4; j++) {
                int row = row0 + ofRow + i * (ROWS / 4), expert = expert0 + ofExpert + j * (EXPERTS / 4);
                if (row < rows && expert < experts) {
                    logits[(size_t)row * experts + expert] = fmaf(sum[i][j], scale[row], bias[expert]);
                }
            }
        }
    }
}

KERNEL((256, 2), router_logits, const float* x, const float* scale, const float* gain, const float* w, const float* bias,
       float* logits, int rows, int hidden, int experts) {
    router_product<64, 64, 1, 32>(x, scale, gain, w, bias, logits, rows, hidden, experts);
}

KERNEL((256, 2), router_logits_few, const float* x, const float* scale, const float* gain, const float* w, const float* bias,
       float* logits, int rows, int hidden, int experts) {
    router_product<16, 16, 16, 128>(x, scale, gain, w, bias, logits, rows, hidden, experts);
}

// A warp for each row: picks one expert after the other, each the best of those that come after the last one.
KERNEL((128), route, const float* logits, int* picks, float* shares, int rows, int experts, int picksPerRow) {
    int row = blockIdx.x * (blockDim.x / WARP) + warp_id();
    if (row >= rows) {
        return;
    }
    int lane = lane_id();
    const float* from = logits + (size_t)row * experts;
    float last = INFINITY, best = 0.0f, own = -INFINITY;
    int lastExpert = -1;
    for (int pick = 0; pick < picksPerRow; pick++) {
        float value = -INFINITY;
        int expert = experts;
        for (int e = lane; e < experts; e += WARP) {
            float v = from[e];
            bool after = v < last || (v == last && e > lastExpert);
            if (after && (v > value || expert == experts)) {
                value = v;
                expert = e;
            }
        }
#pragma unroll
        for (int distance = WARP / 2; distance > 0; distance /= 2) {
            float v = __shfl_xor_sync(ALL_LANES, value, distance);
            int e = __shfl_xor_sync(ALL_LANES, expert, distance);
            if (v > value || (v == value && e < expert)) {
                value = v;
                expert = e;
            }
        }
        // Logits that are not numbers: any expert will do, the norm has reported it.
        if (expert == experts) {
            expert = pick;
            value = NAN;
        }
        last = value;
        lastExpert = expert;
        best = pick == 0 ? value : best;
        if (lane == pick) {
            own = value;
            picks[row * picksPerRow + pick] = expert;
        }
    }
    float power = lane < picksPerRow ? expf(own - best) : 0.0f;
    float sum = warp_sum(power);
    if (lane < picksPerRow) {
        shares[row * picksPerRow + lane] = power / sum;
    }
}

KERNEL((1024), group, const int* picks, int* order, int4* tiles, int* tileCount, int pairs, int experts, int tileRows) {
    SHARED_BYTES(counts);
    int* count = (int*)counts;  // [E], then the place of the next pair
    for (int e = threadIdx.x; e < experts; e += blockDim.x) {
        count[e] = 0;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < pairs; i += blockDim.x) {
        atomicAdd(count + picks[i], 1);
    }
    __syncthreads();
    if (warp_id() == 0) {
        int place = 0, tile = 0;
        for (int first = 0; first < experts; first += WARP) {
            int e = first + lane_id();
            int own = e < experts ? count[e] : 0;
            int ownTiles = (own + tileRows - 1) / tileRows;
            int end = own, endTile = ownTiles;
#pragma unroll
            for (int distance = 1; distance < WARP; distance *= 2) {
                int a = __shfl_up_sync(ALL_LANES, end, distance);
                int b = __shfl_up_sync(ALL_LANES, endTile, distance);
                if (lane_id() >= distance) {
                    end += a;
                    endTile += b;
                }
            }
            int start = place + end - own;
            for (int i = 0; i < ownTiles; i++) {
                tiles[tile + endTile - ownTiles + i] =
                    make_int4(e, start + i * tileRows, min(tileRows, own - i * tileRows), 0);
            }
            if (e < experts) {
                count[e] = start;
            }
            place += __shfl_sync(ALL_LANES, end, WARP - 1);
            tile += __shfl_sync(ALL_LANES, endTile, WARP - 1);
        }
        if (lane_id() == 0) {
            *tileCount = tile;
        }
    }
    __syncthreads();
    for (int i = threadIdx.x; i < pairs; i += blockDim.x) {
        order[atomicAdd(count + picks[i], 1)] = i;
    }
}
