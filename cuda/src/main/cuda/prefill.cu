// A step with many rows: norm, dense products, rotation and cache, the sum of the experts.
//
// Letters: T rows, H hidden, Q query heads, K key and value heads, P picks of a row, V vocabulary; M x N x Kd of a product.
//
// rms_norm(const float* x, const int* row, const float* gain, float eps, uint4* out, float* scale, int hidden, int rows, int eights, int* fault, int faultCode)
//   out [rows, H] = x[row[i]] / rms * gain; row null: i. eights 1: bf16, each eight columns in the order 0 4 1 5 2 6 3 7 (experts.cu);
//   0: fp16, as they are. scale, if not null: [rows] 1 / rms, for router_logits. A sum of squares that is not finite is a fault.
//   launch: grid rows (blocks beyond do nothing), block 128.
// gemm_f32, gemm_add (const fp16* a, const fp16* w, const float* bias, float* out, int m, int n, int k, int stages)
//   out [M, N] = a [M, Kd] w[N, Kd]^T + bias (null: none), or has it added. Kd a multiple of 32.
//   launch: M > 384: gemm_*      grid (ceil(N / 256), ceil(M / 128)), block 256, shared stages * 49152, stages 3 (2 where a block has no 144 KiB)
//           M > 16:  gemm_*_64   grid (ceil(N / 64), ceil(M / 64)), block 256, shared stages * 32768, stages 3
//           else:    gemm_*_16   grid (ceil(N / 32), ceil(M / 16)), block 256, shared stages * 24576, stages 3
// rope_store(const float* qkv, const float2* rope, const int* position, const int* sequence, const int* const* tables, fp16* keys, fp16* values, fp16* q,
//     int heads, int kvHeads)
//   qkv [T, (Q+2K)*64]: q [T, Q*64] rotated and times 1/8; k rotated and v into the pages. position -1: nothing. launch: grid T, block 128.
// combine(const float* y, const float* shares, float* x, int hidden, int picks)
//   x[T, H] += sum over picks, in their order, of shares [T, P] times y [T*P, H]. launch: grid T, block 128.
//
// The products' operand a is the weights, operand b the rows. The order of k within 32 is free as long as both have the same: lane t of
// four takes columns 8t .. 8t+7, so that plain 16-byte loads do what ldmatrix would. Weight rows are spread over operand rows so
// that a lane ends up with neighbouring columns of out.
//
// Reckoning. gemm_*: 256 x 128 by 8 warps of 64 x 64, stages of 64 columns (48 KiB): 85 FLOP a byte, 4.1 TB/s of the L2 cache at
// 350 TFLOP/s; of a stage a warp has 128 mma, 32 16-byte shared loads and 12 copies: at mma.sync's 2500 FLOP a cycle and SM a stage takes 1680
// cycles, of which shared memory is busy 61 %. 1 block an SM; 128 registers are sums.
// _64: 64 x 64 by 8 warps, four pairs of which share k; 2 blocks an SM. 32 FLOP a byte of L2: for few blocks (M = 64: 80 and 45) it is the 64 KiB under
// way in each that count. _16: bound by weights: 32 rows by 8 warps that share k, 3 blocks an SM, 2 x 16 KiB of weights under way in each.
// The others move each byte once: of a layer with T = 8192 and H = 2880, rms_norm 35 us, rope_store 65 us, combine 140 us at 4 TB/s.
// qkv and y are float32, so that nothing is rounded twice, or only to be added up: of the 7 ms of such a layer that costs 140 us,
// half of them to write and half to read twice the bytes.
#include "ossicle.cuh"

KERNEL((128), rms_norm, const float* x, const int* row, const float* gain, float eps, uint4* out, float* scale, int hidden,
       int rows, int eights, int* fault, int faultCode) {
    __shared__ float scratch[4];
    if ((int)blockIdx.x >= rows) {
        return;
    }
    const float* from = x + (size_t)(row ? row[blockIdx.x] : blockIdx.x) * hidden;
    float squares = 0.0f;
    for (int i = threadIdx.x * 4; i < hidden; i += blockDim.x * 4) {
        float4 v = *(const float4*)(from + i);
        squares += v.x * v.x + v.y * v.y + (v.z * v.z + v.w * v.w);
    }
    squares = block_sum(squares, scratch);
    float factor = rsqrtf(squares / hidden + eps);
    if (threadIdx.x == 0) {
        if (!isfinite(squares)) {
            report(fault, faultCode);
        }
        if (scale) {
            scale[blockIdx.x] = factor;
        }
    }
    uint4* to = out + (size_t)blockIdx.x * (hidden / 8);
    for (int i = threadIdx.x * 8; i < hidden; i += blockDim.x * 8) {
        float4 a = *(const float4*)(from + i), b = *(const float4*)(from + i + 4);
        float4 c = *(const float4*)(gain + i), d = *(const float4*)(gain + i + 4);
        a = make_float4(a.x * factor * c.x, a.y * factor * c.y, a.z * factor * c.z, a.w * factor * c.w);
        b = make_float4(b.x * factor * d.x, b.y * factor * d.y, b.z * factor * d.z, b.w * factor * d.w);
        to[i / 8] = eights ? make_uint4(bf16_pair(a.x, b.x), bf16_pair(a.y, b.y), bf16_pair(a.z, b.z), bf16_pair(a.w, b.w))
                           : make_uint4(fp16_pair(a.x, a.y), fp16_pair(a.z, a.w), fp16_pair(b.x, b.y), fp16_pair(b.z, b.w));
    }
}

KERNEL((128), combine, const float* y, const float* shares, float* x, int hidden, int picks) {
    size_t row = blockIdx.x;
    for (int i = threadIdx.x * 4; i < hidden; i += blockDim.x * 4) {
        float4 sum = *(const float4*)(x + row * hidden + i);
        for (int pick = 0; pick < picks; pick++) {
            size_t pair = row * picks + pick;
            float share = shares[pair];
            float4 v = *(const float4*)(y + pair * hidden + i);
            sum = make_float4(fmaf(share, v.x, sum.x), fmaf(share, v.y, sum.y), fmaf(share, v.z, sum.z), fmaf(share, v.w, sum.w));
        }
        *(float4*)(x + row * hidden + i) = sum;
    }
}

__device__ __forceinline__ uint2 four_fp16(float4 v) {
    return make_uint2(fp16_pair(v.x, v.y), fp16_pair(v.z, v.w));
}

KERNEL((128), rope_store, const float* qkv, const float2* rope, const int* position, const int* sequence,
       const int* const* tables, fp16* keys, fp16* values, fp16* q, int heads, int kvHeads) {
    int row = blockIdx.x;
    int at = position[row];
    if (at < 0) {
        return;
    }
    int page = tables[sequence[row]][at / 64];
    int all = heads + 2 * kvHeads;
    const float* from = qkv + (size_t)row * all * 64;
    // Eight threads to a head: each has four components of its lower half and the four, 32 on, that turn with them.
    for (int i = threadIdx.x; i < all * 8; i += blockDim.x) {
        int head = i / 8, part = i % 8 * 4;
        float4 a = *(const float4*)(from + head * 64 + part), b = *(const float4*)(from + head * 64 + 32 + part);
        if (head < heads + kvHeads) {
            const float4* turns = (const float4*)(rope + (size_t)at * 32 + part);  // cos, sin, cos, sin
            float4 c = turns[0], d = turns[1];
            float factor = head < heads ? 0.125f : 1.0f;
            float4 turned = make_float4((a.x * c.x - b.x * c.y) * factor, (a.y * c.z - b.y * c.w) * factor,
                                        (a.z * d.x - b.z * d.y) * factor, (a.w * d.z - b.w * d.w) * factor);
            b = make_float4((b.x * c.x + a.x * c.y) * factor, (b.y * c.z + a.y * c.w) * factor,
                            (b.z * d.x + a.z * d.y) * factor, (b.w * d.z + a.w * d.w) * factor);
            a = turned;
        }
        fp16* to;
        if (head < heads) {
            to = q + ((size_t)row * heads + head) * 64;
        } else if (head < heads + kvHeads) {
            to = keys + (((size_t)page * kvHeads + head - heads) * 64 + at % 64) * 64;
        } else {
            to = values + (((size_t)page * kvHeads + head - heads - kvHeads) * 64 + at % 64) * 64;
        }
        *(uint2*)(to + part) = four_fp16(a);
        *(uint2*)(to + 32 + part) = four_fp16(b);
    }
}

// ROW_WARPS x TOKEN_WARPS x K_WARPS warps: each has M operands a (16 weight rows each) and N operands b (8 rows of a each); K_WARPS of them
// share a stage's K columns.
template <int ROW_WARPS, int TOKEN_WARPS, int K_WARPS, int M, int N, int K>
struct Product {
    static constexpr int THREADS = ROW_WARPS * TOKEN_WARPS * K_WARPS * WARP;
    static constexpr int ROWS = ROW_WARPS * M * 16;
    static constexpr int TOKENS = TOKEN_WARPS * N * 8;
    static constexpr int PIECES = K / 8;  // of 16 bytes, in a row of a stage
    static constexpr int BYTES = (ROWS + TOKENS) * K * 2;
    static constexpr int AT_ONCE = THREADS / PIECES;

    // Lanes g and g + 1 of operand a are weight rows 2M apart, of operand b one: the bit in which they differ chooses which half
    // of 128 bytes a piece stands in, so that eight lanes' loads meet all banks.
    static __device__ __forceinline__ int row_piece(int row, int piece) {
        return (row * PIECES + (piece ^ (row / (2 * M) & 1) << 2)) * 16;
    }

    static __device__ __forceinline__ int token_piece(int token, int piece) {
        return (token * PIECES + (piece ^ (token & 1) << 2)) * 16;
    }

    // COUNT rows of a stage from a matrix [limit, k]; what is beyond it becomes zero.
    template <int COUNT, bool WEIGHTS>
    static __device__ __forceinline__ void copy(byte* to, const fp16* matrix, int first, int limit, int k, int column) {
        int piece = threadIdx.x % PIECES;
        int row = threadIdx.x / PIECES;
        column += piece * 8;
        bool inside = column < k;
        const fp16* from = matrix + (inside ? column : 0);
#pragma unroll
        for (int i = 0; i < COUNT / AT_ONCE; i++) {
            int at = row + i * AT_ONCE;
            bool valid = inside && first + at < limit;
            copy_async_or_zero(to + (WEIGHTS ? row_piece(at, piece) : token_piece(at, piece)),
                               from + (size_t)(valid ? first + at : 0) * k, valid);
        }
    }

    static __device__ __forceinline__ void copy(byte* stage, const fp16* a, const fp16* w, int row0, int token0, int m, int n,
                                                int k, int column) {
        copy<ROWS, true>(stage, w, row0, n, k, column);
        copy<TOKENS, false>(stage + ROWS * K * 2, a, token0, m, k, column);
    }

    static __device__ __forceinline__ void multiply(float (&sum)[M][N][4], const byte* stage, int rowWarp, int tokenWarp,
                                                    int kWarp) {
        int lane = lane_id(), g = lane / 4, t = lane % 4;
        const byte* tokens = stage + ROWS * K * 2;
#pragma unroll
        for (int slice = 0; slice < K / 32 / K_WARPS; slice++) {
            int piece = (slice * K_WARPS + kWarp) * 4 + t;
            uint4 a[M][2];
#pragma unroll
            for (int i = 0; i < M; i++) {
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    a[i][half] = *(const uint4*)(stage + row_piece(rowWarp * M * 16 + 2 * M * g + 2 * i + half, piece));
                }
            }
#pragma unroll
            for (int j = 0; j < N; j++) {
                uint4 b = *(const uint4*)(tokens + token_piece((tokenWarp * N + j) * 8 + g, piece));
#pragma unroll
                for (int i = 0; i < M; i++) {
                    mma_fp16(sum[i][j], {a[i][0].x, a[i][1].x, a[i][0].y, a[i][1].y}, {b.x, b.y});
                }
#pragma unroll
                for (int i = 0; i < M; i++) {
                    mma_fp16(sum[i][j], {a[i][0].z, a[i][1].z, a[i][0].w, a[i][1].w}, {b.z, b.w});
                }
            }
        }
    }

    // The other warps' shares of k are added to the first's, one after the other.
    static __device__ __forceinline__ void add_up(float (&sum)[M][N][4], byte* shared, int tile, int kWarp) {
        constexpr int FLOATS = M * N * 4 * WARP;
        float4* own = (float4*)shared + tile * FLOATS / 4 + lane_id();
        for (int from = 1; from < K_WARPS; from++) {
            __syncthreads();
            if (kWarp == from) {
#pragma unroll
                for (int i = 0; i < M * N; i++) {
                    const float(&s)[4] = sum[i / N][i % N];
                    own[i * WARP] = make_float4(s[0], s[1], s[2], s[3]);
                }
            }
            __syncthreads();
            if (kWarp == 0) {
#pragma unroll
                for (int i = 0; i < M * N; i++) {
                    float(&s)[4] = sum[i / N][i % N];
                    float4 v = own[i * WARP];
                    s[0] += v.x;
                    s[1] += v.y;
                    s[2] += v.z;
                    s[3] += v.w;
                }
            }
        }
    }

    // 2M neighbouring columns of one row of out.
    template <bool ADDS>
    static __device__ __forceinline__ void write(float* out, float (&value)[2 * M], int column, int n) {
        if (n % 4 == 0) {
#pragma unroll
            for (int i = 0; i < 2 * M; i += 4) {
                if (column + i < n) {
                    float4 v = make_float4(value[i], value[i + 1], value[i + 2], value[i + 3]);
                    if (ADDS) {
                        float4 old = *(const float4*)(out + i);
                        v = make_float4(v.x + old.x, v.y + old.y, v.z + old.z, v.w + old.w);
                    }
                    *(float4*)(out + i) = v;
                }
            }
        } else {
#pragma unroll
            for (int i = 0; i < 2 * M; i++) {
                if (column + i < n) {
                    out[i] = ADDS ? out[i] + value[i] : value[i];
                }
            }
        }
    }

    template <bool ADDS>
    static __device__ __forceinline__ void run(const fp16* a, const fp16* w, const float* bias, float* out, int m, int n, int k,
                                               int stages) {
        SHARED_BYTES(ring);
        int row0 = blockIdx.x * ROWS, token0 = blockIdx.y * TOKENS;
        int warp = warp_id();
        int rowWarp = warp % ROW_WARPS, tokenWarp = warp / ROW_WARPS % TOKEN_WARPS, kWarp = warp / (ROW_WARPS * TOKEN_WARPS);
        float sum[M][N][4] = {};
        int tiles = (k + K - 1) / K;
        for (int i = 0; i < stages - 1; i++) {
            if (i < tiles) {
                copy(ring + i * BYTES, a, w, row0, token0, m, n, k, i * K);
            }
            copy_async_commit();
        }
        int stage = 0, next = stages - 1;
        for (int i = 0; i < tiles; i++) {
            copy_async_wait_for_stage(stages);
            // Now everybody's copies of stage i are there, and everybody is done with stage i - 1, which is the next to be written.
            __syncthreads();
            if (i + stages - 1 < tiles) {
                copy(ring + next * BYTES, a, w, row0, token0, m, n, k, (i + stages - 1) * K);
            }
            copy_async_commit();
            multiply(sum, ring + stage * BYTES, rowWarp, tokenWarp, kWarp);
            stage = stage + 1 == stages ? 0 : stage + 1;
            next = next + 1 == stages ? 0 : next + 1;
        }
        copy_async_wait<0>();
        if (K_WARPS > 1) {
            add_up(sum, ring, warp % (ROW_WARPS * TOKEN_WARPS), kWarp);
        }
        int g = lane_id() / 4, t = lane_id() % 4;
        int column = row0 + rowWarp * M * 16 + 2 * M * g;
        if (kWarp > 0 || column >= n) {
            return;
        }
        float added[2 * M];
#pragma unroll
        for (int i = 0; i < 2 * M; i++) {
            added[i] = bias && column + i < n ? bias[column + i] : 0.0f;
        }
#pragma unroll
        for (int j = 0; j < N; j++) {
#pragma unroll
            for (int i = 0; i < 2; i++) {
                int token = token0 + (tokenWarp * N + j) * 8 + 2 * t + i;
                if (token < m) {
                    float value[2 * M];
#pragma unroll
                    for (int c = 0; c < 2 * M; c++) {
                        value[c] = sum[c / 2][j][c % 2 * 2 + i] + added[c];
                    }
                    write<ADDS>(out + (size_t)token * n + column, value, column, n);
                }
            }
        }
    }
};

typedef Product<4, 2, 1, 4, 8, 64> ManyRows;
typedef Product<2, 1, 4, 2, 8, 128> SomeRows;
typedef Product<1, 1, 8, 2, 2, 256> FewRows;

#define PRODUCTS(name, ADDS)                                                                                                   \
    KERNEL((256, 1), name, const fp16* a, const fp16* w, const float* bias, float* out, int m, int n, int k, int stages) {              \
        ManyRows::run<ADDS>(a, w, bias, out, m, n, k, stages);                                                                        \
    }                                                                                                                         \
    KERNEL((256, 2), name##_64, const fp16* a, const fp16* w, const float* bias, float* out, int m, int n, int k, int stages) {         \
        SomeRows::run<ADDS>(a, w, bias, out, m, n, k, stages);                                                                        \
    }                                                                                                                         \
    KERNEL((256, 3), name##_16, const fp16* a, const fp16* w, const float* bias, float* out, int m, int n, int k, int stages) {         \
        FewRows::run<ADDS>(a, w, bias, out, m, n, k, stages);                                                                         \
    }

PRODUCTS(gemm_f32, false)
PRODUCTS(gemm_add, true)
