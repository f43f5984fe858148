// One token of up to eight sequences: everything here is bound by reading weights (or keys and values) once.
//
// Letters: R rows of the batch (1..8), H hidden, Q query heads, K key heads, E experts, P picks of a row, I intermediate,
// V vocabulary, S sequences. A head is 64 wide, a page of keys or values holds 64 positions.
//
// Products run on mma with weights as operand a (16 weight rows) and the rows of the batch as the 8 columns of operand b, so that
// eight rows cost what one costs, and a row's result does not depend on the others. The order of k within a product is free as
// long as both operands have the same: a lane takes sixteen neighbouring bytes of a weight row, and needs no shuffle.
// All blocks of a product are resident at once, each with 24 to 64 KiB of weights under way, so they share the memory's bandwidth
// evenly although 132 does not divide their number; a ring of registers holds what is under way, and is filled with the first
// weights before the previous kernel is waited for.
//
// Programmatic dependent launch: every kernel lets its successor start at once and waits for its predecessor before it reads
// what a kernel wrote. Weights, position, sequence, row, tables and earlier positions of the cache are read before the wait, so
// the first kernel of a step (embed) must be launched without it, and those four must come from copies before that.
// position[r] < 0 marks a padding row: nothing is written for it but picks of -1. The rows are of different sequences.
//
// Reckoning for gpt-oss-120b, one row, 132 SMs, 4.3 TB/s (bytes; blocks; under way; time of the bytes alone):
//   decode_qkv       29.5 MB   320 x 256 threads   32 KiB a block, 10.5 MB   6.9 us
//   decode_attention  0.5 MB (window), 0.5 MB per 256 positions (full)        2 us of latency; 15.6 us at 32k
//   decode_out       23.6 MB   180 x 512           64 KiB a block, 11.8 MB   5.5 us, most of it during the attention, since the
//                                                  other half goes to the L2 cache early
//   decode_router     1.5 MB   128 x 128           all                        3 us of latency
//   decode_gate_up   35.3 MB   360 x 256           32 KiB a block, 11.8 MB   8.2 us; expanding 503 k codes an SM: 5 us of its
//                                                  integer units, beside the reading
//   decode_down      17.6 MB   180 x 512           48 KiB a block, 8.8 MB    4.1 us
//   decode_logits    1158 MB   persistent x 256    32 KiB a block            269 us
//
// embed(const int* token, const bf16* table, float* x, int hidden, int rows, int vocabulary)
//   x [R, H] = table [V, H] at token; nothing for a token outside of the vocabulary.   launch: grid R, block 256
// decode_qkv(const float* x, const float* gain, float eps, const fp16* w, const float* bias, const float2* rope, const int* position,
//     const int* sequence, const int* const* tables, fp16* keys, fp16* values, float* q, int hidden, int heads, int kvHeads, int rows,
//     int* fault, int faultCode)
//   q [R, Q*64] = rope(norm(x) w^T + bias) / 8, and the same of keys (not / 8) and values (not rotated) to the cache
//   [pages][K][64][64]. w [(Q+2K)*64, H], rope [positions, 32] (cos, sin), tables [S] to pages by position / 64.
//   launch: grid (Q+2K)*4, block 256, shared R * stride(H) + 8224 + 4*H; stride(n) = 2n + (n % 64 == 0 ? 64 : 0)
// decode_attention(const float* q, const int* position, const int* sequence, const int* const* tables, const fp16* keys,
//     const fp16* values, const float* sinks, int window, float* scratch, int* tickets, fp16* out, int heads, int kvHeads, int splits)
//   out [R, Q*64]. window 0: all positions. With G = ceil(Q/K / 8): scratch K*G*splits*R*528 floats, tickets K*G*R ints, 0.
//   launch: grid (K*G, splits, R), block 256; splits = max(1, 2 * SMs / (K*G*R)) where the window is 0 or long, else 1
// decode_out(const fp16* a, const fp16* w, const float* bias, float* x, const int* position, int hidden, int width, int rows)
//   x [R, H] += a [R, width] w^T + bias, w [H, width].   launch: grid H/16, block 512, shared R * stride(width) + 16384
// decode_router(const float* x, const float* gain, float eps, const float* w, const float* bias, const int* position, bf16* t,
//     int* picks, float* shares, float* scratch, int* ticket, int hidden, int experts, int picksPerToken, int rows, int* fault,
//     int faultCode)
//   t [R, H] = norm(x), eights; picks [R, P], shares [R, P]: the best experts, of equal ones the lower, softmax over them.
//   scratch R*E floats, ticket 1 int, 0; P at most 32, at most E.   launch: grid E, block 128, shared R*E*4
// decode_gate_up(const bf16* t, const int* picks, const byte* codes, const byte* scales, const float* bias, bf16* act, int hidden,
//     int intermediate, int picksPerToken, float limit, int rows)
//   act [R*P, I], eights. codes [E, 2I, H/2], scales [E, 2I, H/32], bias [E, 2I], rows 2i gate, 2i+1 up.
//   launch: grid (I/32, R*P), block 256, shared R * (256*ceil(H/128) + 64) + 2*H
// decode_down(const bf16* act, const int* picks, const float* shares, const byte* codes, const byte* scales, const float* bias, float* x,
//     const int* position, int hidden, int intermediate, int picksPerToken, int rows)
//   x [R, H] += sum over p of shares (act w^T + bias), in the order of p. codes [E, H, I/2], scales [E, H, I/32], bias [E, H].
//   launch: grid H/16, block 512, shared N * (256*ceil(I/128) + 64 + I/2) + R*P*256, N = min(R, max(1, 8/P)) * P
// decode_logits(const float* x, const int* row, const float* gain, float eps, const fp16* w, float* logits, int hidden, int vocabulary,
//     int rows, int* fault, int faultCode)
//   logits [R, V] = norm(x[row[r]]) w^T; row[r] < 0: none. faultCode: x is not finite, faultCode + 1: a logit is not.
//   launch: grid min(3 * SMs, ceil(V/16)), block 256, shared R * stride(H) + 8224 + 4*H
//
// H, I multiples of 32 and width a multiple of 64; weights, scales, t, act and a 16-byte aligned.
#include "ossicle.cuh"

constexpr int HEAD = 64;      // numbers of a head
constexpr int OPERAND = 16;   // weight rows of an mma
constexpr int COLUMNS = 8;    // columns of an mma: rows of the batch
constexpr int SUMS = OPERAND * COLUMNS;
constexpr int MX_BLOCK = 32;  // codes of a scale

// Starts to copy bytes, a multiple of 16.
__device__ __forceinline__ void copy_bytes(byte* to, const byte* from, int bytes) {
    for (int i = threadIdx.x * 16; i < bytes; i += blockDim.x * 16) {
        copy_async(to + i, from + i);
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// Dense products
// ---------------------------------------------------------------------------------------------------------------------

constexpr int DENSE_DEPTH = 4;  // pairs of 16-byte loads that a lane has under way

// Bytes from one row of b to the next in shared memory: 64 modulo 128, so that two rows do not meet in a bank.
__device__ __forceinline__ int dense_stride(int columns) {
    return 2 * columns + (columns % 64 == 0 ? 64 : 0);
}

// Tiles of 16 weight rows, blockIdx.x first, gridDim.x apart: the block's warps share the columns of a tile, 32 at a time.
// row_of(tile, i): the i-th weight row of a tile. fill(): waits for the previous kernel and puts the batch's rows at b (it need not
// end with a barrier). store(tile, sums): called by all threads with the warps' sums [WARPS][16][8] in shared memory.
// partial: 2 * WARPS * 16 * 8 floats in shared memory. AHEAD: how many more loads the L2 cache does meanwhile, where the previous
// kernel leaves the memory idle.
template <int WARPS, int AHEAD, class RowOf, class Fill, class Store>
__device__ __forceinline__ void dense_product(const fp16* w, int columns, int tiles, int rows, const byte* b, float* partial,
                                              RowOf row_of, Fill fill, Store store) {
    int lane = lane_id(), g = lane / 4, t = lane % 4, warp = warp_id();
    int blocks = columns / 32;
    int steps = (blocks + WARPS * DENSE_DEPTH - 1) / (WARPS * DENSE_DEPTH) * DENSE_DEPTH;

    uint4 low[DENSE_DEPTH], high[DENSE_DEPTH];
    int nextTile = blockIdx.x, nextBlock = warp, nextStep = 0;
    const fp16* nextRow = w;  // of operand row g
    int toHigh = 0;           // from there to operand row g + 8
    auto fetch = [&](uint4& l, uint4& h) {
        if (nextTile < tiles) {
            if (nextStep == 0) {
                int row = row_of(nextTile, g);
                nextRow = w + (size_t)row * columns + t * 8;
                toHigh = (row_of(nextTile, g + 8) - row) * columns;
            }
            if (nextBlock < blocks) {
                l = load_streaming(nextRow + nextBlock * 32);
                h = load_streaming(nextRow + toHigh + nextBlock * 32);
            }
            nextBlock += WARPS;
            if (++nextStep == steps) {
                nextStep = 0;
                nextBlock = warp;
                nextTile += gridDim.x;
            }
        }
    };
#pragma unroll
    for (int d = 0; d < DENSE_DEPTH; d++) {
        low[d] = high[d] = make_uint4(0, 0, 0, 0);
        fetch(low[d], high[d]);
    }
    launch_dependents();
#pragma unroll
    for (int d = 0; d < AHEAD; d++) {
        int block = nextBlock + d * WARPS;
        if (nextTile < tiles && nextStep != 0 && block < blocks) {
            prefetch_l2(nextRow + block * 32);
            prefetch_l2(nextRow + toHigh + block * 32);
        }
    }
    fill();
    __syncthreads();

    const byte* row = b + g * dense_stride(columns) + t * 16;
    for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
        float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
        for (int step = 0; step < steps; step += DENSE_DEPTH) {
#pragma unroll
            for (int d = 0; d < DENSE_DEPTH; d++) {
                int block = (step + d) * WARPS + warp;
                if (block < blocks) {
                    uint4 x = make_uint4(0, 0, 0, 0);
                    if (g < rows) {
                        x = *(const uint4*)(row + block * 64);
                    }
                    mma_fp16(sum, {low[d].x, high[d].x, low[d].y, high[d].y}, {x.x, x.y});
                    mma_fp16(sum, {low[d].z, high[d].z, low[d].w, high[d].w}, {x.z, x.w});
                }
                fetch(low[d], high[d]);
            }
        }
        float2* sums = (float2*)(partial + warp * SUMS);
        sums[g * 4 + t] = make_float2(sum[0], sum[1]);
        sums[(g + 8) * 4 + t] = make_float2(sum[2], sum[3]);
        __syncthreads();
        store(tile, partial);
        // The next tile's sums go elsewhere: who is late may still read these.
        partial += tile / gridDim.x % 2 == 0 ? WARPS * SUMS : -WARPS * SUMS;
    }
}

// A sum of all warps: weight row i of the tile, row r of the batch.
template <int WARPS>
__device__ __forceinline__ float dense_sum(const float* sums, int i, int r) {
    float sum = 0.0f;
#pragma unroll
    for (int warp = 0; warp < WARPS; warp++) {
        sum += sums[warp * SUMS + i * COLUMNS + r];
    }
    return sum;
}

// What the rows of a dense product are divided by, whose norm is yet to come: fp16 then holds x times gain up to 4e6, and all bits of it
// from 0.004 on. What is larger shows as a fault of the next norm.
constexpr float LOWERED = 64.0f;

// Puts x[r] * gain / LOWERED at b as fp16, r = 0 .. rows - 1, where source(r), a row of x, is not negative. The norm's factor is left to
// the sums, for which a row's sum of squares goes to squares, WARPS floats, in parts (dense_norm).
// gains: space for gain in shared memory, which is brought there before the previous kernel is waited for.
template <int WARPS, class Source>
__device__ __forceinline__ void dense_fill(byte* b, float* squares, byte* gains, const float* x, const float* gain, int hidden, int rows,
                                           Source source) {
    copy_bytes(gains, (const byte*)gain, hidden * 4);
    copy_async_commit();
    copy_async_wait<0>();
    __syncthreads();
    wait_for_previous();
    int warps = WARPS / rows;  // of a row
    int r = warp_id() / warps;
    if (r >= rows || source(r) < 0) {
        return;
    }
    const float4* from = (const float4*)(x + (size_t)source(r) * hidden);
    uint2* to = (uint2*)(b + r * dense_stride(hidden));
    int fours = hidden / 4, stride = warps * WARP;
    float sum = 0.0f;
    for (int i = warp_id() % warps * WARP + lane_id(); i < fours; i += 4 * stride) {
        float4 v[4];
#pragma unroll
        for (int j = 0; j < 4; j++) {
            if (i + j * stride < fours) {
                v[j] = __ldcg(from + i + j * stride);
            }
        }
#pragma unroll
        for (int j = 0; j < 4; j++) {
            if (i + j * stride < fours) {
                float4 s = ((const float4*)gains)[i + j * stride];
                s = make_float4(s.x / LOWERED, s.y / LOWERED, s.z / LOWERED, s.w / LOWERED);
                sum += v[j].x * v[j].x + v[j].y * v[j].y + v[j].z * v[j].z + v[j].w * v[j].w;
                to[i + j * stride] = make_uint2(fp16_pair(v[j].x * s.x, v[j].y * s.y), fp16_pair(v[j].z * s.z, v[j].w * s.w));
            }
        }
    }
    sum = warp_sum(sum);
    if (lane_id() == 0) {
        squares[warp_id()] = sum;
    }
}

// The factor that the norm gives the sums of row r, which has a source. Reports where x is not finite.
template <int WARPS>
__device__ __forceinline__ float dense_norm(const float* squares, int r, int rows, int hidden, float eps, int* fault, int faultCode) {
    int warps = WARPS / rows;
    float sum = 0.0f;
    for (int warp = 0; warp < warps; warp++) {
        sum += squares[r * warps + warp];
    }
    if (!isfinite(sum)) {
        report(fault, faultCode);
    }
    return rsqrtf(sum / hidden + eps) * LOWERED;
}

KERNEL((256), embed, const int* token, const bf16* table, float* x, int hidden, int rows, int vocabulary) {
    launch_dependents();
    wait_for_previous();
    int id = __ldcg(token + blockIdx.x);
    if (id < 0 || id >= vocabulary) {
        return;
    }
    const uint4* from = (const uint4*)(table + (size_t)id * hidden);
    float4* to = (float4*)(x + (size_t)blockIdx.x * hidden);
    for (int i = threadIdx.x; i < hidden / 8; i += blockDim.x) {
        uint4 v = load_streaming(from + i);
        to[2 * i] = make_float4(low_float(v.x), high_float(v.x), low_float(v.y), high_float(v.y));
        to[2 * i + 1] = make_float4(low_float(v.z), high_float(v.z), low_float(v.w), high_float(v.w));
    }
}

constexpr int QKV_WARPS = 8;

KERNEL((256, 3), decode_qkv, const float* x, const float* gain, float eps, const fp16* w, const float* bias, const float2* rope,
       const int* position, const int* sequence, const int* const* tables, fp16* keys, fp16* values, float* q, int hidden,
       int heads, int kvHeads, int rows, int* fault, int faultCode) {
    SHARED_BYTES(shared);
    float* partial = (float*)(shared + rows * dense_stride(hidden));
    float* squares = partial + 2 * QKV_WARPS * SUMS;
    byte* gains = (byte*)(squares + QKV_WARPS);
    // A tile holds eight pairs that rotate together: components j and j + 32 of a head are weight rows i and i + 8 of the tile.
    auto row_of = [](int tile, int i) { return tile / 4 * HEAD + tile % 4 * 8 + i % 8 + i / 8 * (HEAD / 2); };
    auto source = [=](int r) { return position[r] < 0 ? -1 : r; };
    auto fill = [=] {
        prefetch_l2(bias + row_of(blockIdx.x, threadIdx.x % OPERAND));
        if (threadIdx.x < rows && position[threadIdx.x] >= 0) {
            prefetch_l2(rope + position[threadIdx.x] * (HEAD / 2));
        }
        dense_fill<QKV_WARPS>(shared, squares, gains, x, gain, hidden, rows, source);
    };
    auto store = [=](int tile, const float* sums) {
        int i = threadIdx.x % 8, r = threadIdx.x / 8;
        if (r >= rows || position[r] < 0) {
            return;
        }
        int at = position[r];
        float scale = dense_norm<QKV_WARPS>(squares, r, rows, hidden, eps, fault, faultCode);
        float a = dense_sum<QKV_WARPS>(sums, i, r) * scale + bias[row_of(tile, i)];
        float b = dense_sum<QKV_WARPS>(sums, i + 8, r) * scale + bias[row_of(tile, i + 8)];
        int head = tile / 4, j = tile % 4 * 8 + i;
        if (head < heads + kvHeads) {
            float2 angle = rope[at * (HEAD / 2) + j];
            float rotated = a * angle.x - b * angle.y;
            b = b * angle.x + a * angle.y;
            a = rotated;
        }
        if (head < heads) {
            float* to = q + ((size_t)r * heads + head) * HEAD + j;
            to[0] = a * 0.125f;
            to[HEAD / 2] = b * 0.125f;
        } else {
            bool key = head < heads + kvHeads;
            int kvHead = head - heads - (key ? 0 : kvHeads);
            int page = tables[sequence[r]][at / PAGE];
            fp16* to = (key ? keys : values) + (((size_t)page * kvHeads + kvHead) * PAGE + at % PAGE) * HEAD + j;
            to[0] = to_fp16(a);
            to[HEAD / 2] = to_fp16(b);
        }
    };
    dense_product<QKV_WARPS, 0>(w, hidden, (heads + 2 * kvHeads) * 4, rows, shared, partial, row_of, fill, store);
}

constexpr int OUT_WARPS = 16;

KERNEL((512, 2), decode_out, const fp16* a, const fp16* w, const float* bias, float* x, const int* position, int hidden, int width,
       int rows) {
    SHARED_BYTES(shared);
    int stride = dense_stride(width);
    auto row_of = [](int tile, int i) { return tile * OPERAND + i; };
    auto fill = [=] {
        prefetch_l2(bias + blockIdx.x * OPERAND);
        wait_for_previous();
        for (int r = 0; r < rows; r++) {
            for (int i = threadIdx.x; i < width / 8; i += blockDim.x) {
                copy_async(shared + r * stride + i * 16, a + (size_t)r * width + i * 8);
            }
        }
        copy_async_commit();
        copy_async_wait<0>();
    };
    auto store = [=](int tile, const float* sums) {
        int i = threadIdx.x % OPERAND, r = threadIdx.x / OPERAND;
        if (r < rows && position[r] >= 0) {
            int to = tile * OPERAND + i;
            float* residual = x + (size_t)r * hidden + to;
            *residual = __ldcg(residual) + (dense_sum<OUT_WARPS>(sums, i, r) + bias[to]);
        }
    };
    dense_product<OUT_WARPS, 4>(w, width, hidden / OPERAND, rows, shared, (float*)(shared + rows * stride), row_of, fill, store);
}

constexpr int LOGITS_WARPS = 8;

KERNEL((256, 3), decode_logits, const float* x, const int* row, const float* gain, float eps, const fp16* w, float* logits, int hidden,
       int vocabulary, int rows, int* fault, int faultCode) {
    SHARED_BYTES(shared);
    float* partial = (float*)(shared + rows * dense_stride(hidden));
    float* squares = partial + 2 * LOGITS_WARPS * SUMS;
    byte* gains = (byte*)(squares + LOGITS_WARPS);
    auto row_of = [=](int tile, int i) { return min(tile * OPERAND + i, vocabulary - 1); };
    auto fill = [=] {
        dense_fill<LOGITS_WARPS>(shared, squares, gains, x, gain, hidden, rows, [=](int r) { return row[r]; });
    };
    auto store = [=](int tile, const float* sums) {
        int i = threadIdx.x % OPERAND, r = threadIdx.x / OPERAND;
        int token = tile * OPERAND + i;
        if (r < rows && token < vocabulary && row[r] >= 0) {
            float scale = dense_norm<LOGITS_WARPS>(squares, r, rows, hidden, eps, fault, faultCode);
            float logit = dense_sum<LOGITS_WARPS>(sums, i, r) * scale;
            if (!isfinite(logit)) {
                report(fault, faultCode + 1);
            }
            logits[(size_t)r * vocabulary + token] = logit;
        }
    };
    dense_product<LOGITS_WARPS, 0>(w, hidden, (vocabulary + OPERAND - 1) / OPERAND, rows, shared, partial, row_of, fill, store);
}

// ---------------------------------------------------------------------------------------------------------------------
// Router
// ---------------------------------------------------------------------------------------------------------------------

constexpr int ROUTER_WARPS = 4;
constexpr int ROUTER_FOURS = 6;  // of a thread's weights that are in registers

__device__ __forceinline__ float dot4(float4 a, float4 b) {
    return a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
}

// A block is an expert. The last one to arrive takes the best.
KERNEL((128), decode_router, const float* x, const float* gain, float eps, const float* w, const float* bias, const int* position, bf16* t,
       int* picks, float* shares, float* scratch, int* ticket, int hidden, int experts, int picksPerToken, int rows,
       int* fault, int faultCode) {
    SHARED_BYTES(shared);
    float* logits = (float*)shared;
    __shared__ float dots[COLUMNS][ROUTER_WARPS], squares[COLUMNS][ROUTER_WARPS];
    __shared__ float scales[COLUMNS];
    __shared__ int arrived;
    int expert = blockIdx.x, lane = lane_id(), warp = warp_id();
    int fours = hidden / 4;
    const float4* row = (const float4*)(w + (size_t)expert * hidden);
    const float4* gains = (const float4*)gain;

    auto weight = [&](int i) {
        float4 a = __ldg(row + i), b = __ldg(gains + i);
        return make_float4(a.x * b.x, a.y * b.y, a.z * b.z, a.w * b.w);
    };
    float4 weights[ROUTER_FOURS];
#pragma unroll
    for (int j = 0; j < ROUTER_FOURS; j++) {
        int i = threadIdx.x + j * blockDim.x;
        weights[j] = i < fours ? weight(i) : make_float4(0, 0, 0, 0);
    }
    float offset = bias[expert];
    launch_dependents();
    wait_for_previous();

#pragma unroll 2
    for (int r = 0; r < rows; r++) {
        if (position[r] < 0) {
            continue;
        }
        const float4* from = (const float4*)(x + (size_t)r * hidden);
        float4 v[ROUTER_FOURS];
#pragma unroll
        for (int j = 0; j < ROUTER_FOURS; j++) {
            int i = threadIdx.x + j * blockDim.x;
            v[j] = i < fours ? __ldcg(from + i) : make_float4(0, 0, 0, 0);
        }
        float dot = 0.0f, square = 0.0f;
#pragma unroll
        for (int j = 0; j < ROUTER_FOURS; j++) {
            dot += dot4(v[j], weights[j]);
            square += dot4(v[j], v[j]);
        }
        for (int i = threadIdx.x + ROUTER_FOURS * blockDim.x; i < fours; i += blockDim.x) {
            float4 more = __ldcg(from + i);
            dot += dot4(more, weight(i));
            square += dot4(more, more);
        }
        dot = warp_sum(dot);
        square = warp_sum(square);
        if (lane == 0) {
            dots[r][warp] = dot;
            squares[r][warp] = square;
        }
    }
    __syncthreads();
    if (threadIdx.x < rows && position[threadIdx.x] >= 0) {
        int r = threadIdx.x;
        float dot = 0.0f, square = 0.0f;
#pragma unroll
        for (int i = 0; i < ROUTER_WARPS; i++) {
            dot += dots[r][i];
            square += squares[r][i];
        }
        float scale = rsqrtf(square / hidden + eps);
        float logit = dot * scale + offset;
        if (!isfinite(square) || !isfinite(logit)) {
            report(fault, faultCode);
        }
        scales[r] = scale;
        scratch[r * experts + expert] = logit;
    }
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) {
        arrived = atomicAdd(ticket, 1);
    }
    // Meanwhile this block's part of the normed rows, in eights.
    int eights = hidden / 8;
    int each = (eights + experts - 1) / experts;
    int begin = min(expert * each, eights), count = min(each, eights - begin);
    for (int i = threadIdx.x; i < rows * count; i += blockDim.x) {
        int r = i / count, at = begin + i % count;
        if (position[r] >= 0) {
            const float4* from = (const float4*)(x + (size_t)r * hidden) + 2 * at;
            float4 a = __ldcg(from), b = __ldcg(from + 1), c = gains[2 * at], d = gains[2 * at + 1];
            float scale = scales[r];
            ((uint4*)(t + (size_t)r * hidden))[at] =
                make_uint4(bf16_pair(a.x * scale * c.x, b.x * scale * d.x), bf16_pair(a.y * scale * c.y, b.y * scale * d.y),
                           bf16_pair(a.z * scale * c.z, b.z * scale * d.z), bf16_pair(a.w * scale * c.w, b.w * scale * d.w));
        }
    }
    __syncthreads();
    if (arrived != experts - 1) {
        return;
    }
    if (threadIdx.x == 0) {
        *ticket = 0;
    }
    __threadfence();
    for (int i = threadIdx.x; i < rows * experts; i += blockDim.x) {
        logits[i] = position[i / experts] >= 0 ? __ldcg(scratch + i) : 0.0f;
    }
    __syncthreads();
    for (int r = warp; r < rows; r += ROUTER_WARPS) {
        int* to = picks + r * picksPerToken;
        if (position[r] < 0) {
            if (lane < picksPerToken) {
                to[lane] = -1;
            }
            continue;
        }
        // In each round the best of those behind the last one taken, in the order of logits, then of numbers.
        float taken = INFINITY, mine = -INFINITY, highest = 0.0f;
        int takenAt = -1, mineAt = 0;
        for (int p = 0; p < picksPerToken; p++) {
            float best = -INFINITY;
            int bestAt = experts;
            for (int e = lane; e < experts; e += WARP) {
                float logit = logits[r * experts + e];
                if ((logit < taken || (logit == taken && e > takenAt)) && (bestAt == experts || logit > best)) {
                    best = logit;
                    bestAt = e;
                }
            }
            unsigned most = __reduce_max_sync(ALL_LANES, bestAt == experts ? 0u : float_order(best));
            bestAt = __reduce_min_sync(ALL_LANES, bestAt != experts && float_order(best) == most ? bestAt : experts);
            best = order_float(most);
            if (bestAt == experts) {
                bestAt = 0;  // only where logits are not finite, which was reported
            }
            taken = best;
            takenAt = bestAt;
            highest = p == 0 ? best : highest;
            if (lane == p) {
                mine = best;
                mineAt = bestAt;
            }
        }
        float share = lane < picksPerToken ? __expf(mine - highest) : 0.0f;
        float all = warp_sum(share);
        if (lane < picksPerToken) {
            to[lane] = mineAt;
            shares[r * picksPerToken + lane] = share / all;
        }
    }
}
