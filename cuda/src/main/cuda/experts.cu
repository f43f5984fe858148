// Products of a layer's experts for many rows, over the schedule of tiles that group (route.cu) makes.
//
// Letters: T rows, P picks of a row, H hidden, I intermediate, E experts; K columns of the product.
// A tile is up to 112 (or, few, 16) of the rows that picked one expert. Weights are operand a of mma (16 x 16), the rows its columns.
//
// Weights stay MXFP4 until they are in registers. A lane copies 16 bytes of a weight row (32 codes of one scale) to a place in
// shared memory that only it reads, so that this ring needs no barrier. The order of k within a product is free as long as both
// operands have the same, so lane t of four takes the t-th 32 columns of 128, and reads the rows' part that belongs to its codes by
// plain 16-byte loads, which do what ldmatrix would. Two codes j and j + 4 of a word expand together; so rows are stored
// in "eights" (ossicle.cuh), which rms_norm and the product of gate and up write.
// Every column of a product adds its k in one order, whatever the tile's size: a row's result does not depend on the batch.
//
// expert_gate_up(const bf16* t, const int* order, const int4* tiles, const int* tileCount, const byte* codes, const byte* scales,
//     const float* bias, bf16* act, int hidden, int intermediate, int picks, float limit, int ringBytes)
//   act [T*P, I], in the order of the schedule, eights: min(g, limit) sigmoid(1.702 g) (1 + clamp(u)). t [T, H] eights.
//   launch: grid (ceil(2I / 256), tiles at most: floor(T*P / tile) + min(E, T*P)), block 256,
//   shared align128(8 H) + 640 + ringBytes. ringBytes: 49152 for each stage, 2 (98304) to 4 of them, as many as a block
//   may have: 4 where that is 227 KiB, 2 where 163 KiB. Where it is 99 KiB: group with tiles of 64, ringBytes 65536.
// expert_down(const bf16* act, order, tiles, tileCount, codes, scales, const float* bias, float* y, int intermediate, int hidden, int ringBytes)
//   y [T*P, H], row (row * P + pick), bias included, not weighted. launch: grid (ceil(H / 256), as above), shared with I for H.
// expert_gate_up_few, expert_down_few: the same for few rows of each expert (T*P <= 8 E), schedule with tiles of 16.
//   launch: grid (ceil(rows / 128), floor(T*P / 16) + min(E, T*P)), block 128, shared align128(4 K) + 256 + ringBytes, ringBytes 36864.
//
// Reckoning, 112 rows: a block does 2*256*112*K FLOP for 256 (K/2 + K/32) + 224 K bytes: 160 FLOP a byte, 2.2 TB/s of the L2 cache at
// 350 TFLOP/s. For 128 columns a warp issues 224 mma, 60 16-byte shared loads, about 272 operations to expand 128 codes a lane and 60 others;
// at mma.sync's 2500 FLOP a cycle and SM the eight warps take 2900 cycles, of which shared memory is busy 66 %, a scheduler's issue 43 %.
// 1 block of 8 warps an SM; 112 of up to 255 registers are sums. Few: bound by weights, 4 blocks an SM with 2 x 8 KiB of codes under way
// in each; about 360 operations a warp for 2 KiB of codes, so issue allows about 80 % of an H200's bandwidth.
#include "ossicle.cuh"

constexpr int GROUP_ROWS = 32;        // weight rows of a warp: two a operands
constexpr int K_TILE = 128;           // columns of a stage: four scales
constexpr int K_TILE_BYTES = 256;     // of one row in bf16

struct ExpertProduct {
    const bf16* in;      // [rows, columns]
    const int* source;   // shared: row of in for each of the tile, or null: first + i
    int first, count;    // rows of the tile
    const byte* codes;   // of this lane's first weight row
    const byte* scales;  // shared: of this warp's first weight row, columns / 32 each
    int columns;
    int halfStride, groupStride;  // from the first weight row of a lane to its others: rows
    int lanesRow;        // its first weight row within the warp's
    bool active;         // the warp has weight rows
    int token;           // the warp's first row of the tile
    int span;            // rows of a stage
    int stages;
    byte* ring;
};

// Copies stage k of the pipeline: this warp's codes and the block's rows.
template <int WARPS, int TOKENS>
__device__ __forceinline__ void expert_copy(const ExpertProduct& p, int k, byte* stage) {
    constexpr int ROWS_AT_ONCE = WARPS * WARP / (K_TILE / 8);
    int piece = threadIdx.x % (K_TILE / 8);
    int row = threadIdx.x / (K_TILE / 8);
    int owner = piece / 4, word = piece % 4;
    byte* to = stage + row * K_TILE_BYTES + owner * 64 + (word ^ (owner >> 1 | (row & 1) << 1)) * 16;
    int column = k * K_TILE + piece * 8;
    bool valid = column < p.columns;
    column = valid ? column : 0;
#pragma unroll 4
    for (int i = 0; i < TOKENS / ROWS_AT_ONCE; i++) {
        int at = row + i * ROWS_AT_ONCE;
        if (at < p.count) {
            int from = p.source ? p.source[at] : p.first + at;
            copy_async_or_zero(to + i * ROWS_AT_ONCE * K_TILE_BYTES, p.in + (size_t)from * p.columns + column, valid);
        }
    }
    if (p.active) {
        int lane = lane_id();
        int block = 4 * k + lane % 4;
        valid = block < p.columns / 32;
        const byte* from = p.codes + (valid ? block * 16 : 0);
        byte* own = stage + p.span * K_TILE_BYTES + warp_id() * 4 * 512 + lane * 16;
#pragma unroll
        for (int r = 0; r < 4; r++) {
            copy_async_or_zero(own + r * 512,
                               from + (unsigned)(((r >> 1) * p.groupStride + (r & 1) * p.halfStride) * (p.columns / 2)), valid);
        }
    }
}

// sum[m][j]: operand rows 16 m .. of the warp's weights, columns 8 j .. of its rows of the tile.
template <int N>
__device__ __forceinline__ void expert_multiply(float (&sum)[2][N][4], const ExpertProduct& p, int k, const byte* stage) {
    int lane = lane_id(), g = lane / 4, t = lane % 4;
    const byte* own = stage + p.span * K_TILE_BYTES + warp_id() * 4 * 512 + lane * 16;
    uint4 codes[4];
    unsigned factor[4];
    int block = 4 * k + t;
    bool valid = block < p.columns / 32;
#pragma unroll
    for (int r = 0; r < 4; r++) {
        codes[r] = *(const uint4*)(own + r * 512);
        int row = p.lanesRow + (r >> 1) * p.groupStride + (r & 1) * p.halfStride;
        factor[r] = expand_factor(valid ? p.scales[row * (p.columns / 32) + block] : 0);
    }
    const byte* rows = stage + (p.token + g) * K_TILE_BYTES + t * 64;
    int swizzle = (t >> 1 | (g & 1) << 1) * 16;
#pragma unroll
    for (int c = 0; c < 4; c++) {
        unsigned pairs[4][4];
#pragma unroll
        for (int r = 0; r < 4; r++) {
            unsigned word = c == 0 ? codes[r].x : c == 1 ? codes[r].y : c == 2 ? codes[r].z : codes[r].w;
            expand_codes(pairs[r], word, factor[r]);
        }
#pragma unroll
        for (int j = 0; j < N; j++) {
            uint4 b = *(const uint4*)(rows + (c * 16 ^ swizzle) + j * 8 * K_TILE_BYTES);
#pragma unroll
            for (int m = 0; m < 2; m++) {
                mma_bf16(sum[m][j], {pairs[2 * m][0], pairs[2 * m + 1][0], pairs[2 * m][1], pairs[2 * m + 1][1]}, {b.x, b.y});
            }
#pragma unroll
            for (int m = 0; m < 2; m++) {
                mma_bf16(sum[m][j], {pairs[2 * m][2], pairs[2 * m + 1][2], pairs[2 * m][3], pairs[2 * m + 1][3]}, {b.z, b.w});
            }
        }
    }
}

template <int WARPS, int TOKENS, int N>
__device__ __forceinline__ void expert_sum(float (&sum)[2][N][4], const ExpertProduct& p) {
#pragma unroll
    for (int m = 0; m < 2; m++) {
#pragma unroll
        for (int j = 0; j < N; j++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                sum[m][j][i] = 0.0f;
            }
        }
    }
    int tiles = (p.columns + K_TILE - 1) / K_TILE;
    int bytes = p.span * K_TILE_BYTES + WARPS * 4 * 512;
    for (int k = 0; k < p.stages - 1; k++) {
        if (k < tiles) {
            expert_copy<WARPS, TOKENS>(p, k, p.ring + k * bytes);
        }
        copy_async_commit();
    }
    int stage = 0, next = p.stages - 1;
    bool work = p.active && p.token < p.count;
    for (int k = 0; k < tiles; k++) {
        copy_async_wait_for_stage(p.stages);
        // Now everybody's copies of stage k are there, and everybody is done with stage k - 1, which is the next to be written.
        __syncthreads();
        if (k + p.stages - 1 < tiles) {
            expert_copy<WARPS, TOKENS>(p, k + p.stages - 1, p.ring + next * bytes);
        }
        copy_async_commit();
        if (work) {
            expert_multiply<N>(sum, p, k, p.ring + stage * bytes);
        }
        stage = stage + 1 == p.stages ? 0 : stage + 1;
        next = next + 1 == p.stages ? 0 : next + 1;
    }
    copy_async_wait<0>();
}

// What is needed only after the sums.
template <typename O>
struct ExpertOutput {
    const float* bias;  // [E, rows]
    O* out;             // [., width]
    const int* table;   // shared: expert, first weight row of each warp, then the row of out for each of the tile (for down)
    int rows, width;
    float limit;
};

template <int WARPS, int TOKENS, int N, bool GATE_UP, typename O>
__device__ __forceinline__ void expert_run(const ExpertProduct& p, const ExpertOutput<O>& o) {
    float sum[2][N][4];
    expert_sum<WARPS, TOKENS, N>(sum, p);
    if (!p.active) {
        return;
    }
    int lane = lane_id(), g = lane / 4, t = lane % 4;
    int warpRow = o.table[1 + warp_id()];
    const float* biases = o.bias + (size_t)o.table[0] * o.rows + warpRow;
    O* out = o.out + (GATE_UP ? warpRow / 2 : warpRow);
    const int* target = o.table + 1 + WARPS;
    float bias[2][2];
#pragma unroll
    for (int m = 0; m < 2; m++) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            bias[m][half] = biases[p.lanesRow + m * p.groupStride + half * p.halfStride];
        }
    }
#pragma unroll
    for (int j = 0; j < N; j++) {
#pragma unroll
        for (int i = 0; i < 2; i++) {
            int token = p.token + 8 * j + 2 * t + i;
            if (token >= p.count) {
                continue;
            }
            float value[2][2];
#pragma unroll
            for (int m = 0; m < 2; m++) {
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    value[m][half] = fmaf(sum[m][j][2 * half + i], LARGE, bias[m][half]);
                }
            }
            O* row = out + (size_t)(GATE_UP ? p.first + token : target[token]) * o.width;
            if (GATE_UP) {
                ((unsigned*)row)[g] =
                    bf16_pair(swiglu(value[0][0], value[0][1], o.limit), swiglu(value[1][0], value[1][1], o.limit));
            } else {
                ((float4*)row)[g] = make_float4(value[0][0], value[0][1], value[1][0], value[1][1]);
            }
        }
    }
}

// Where the last block of an expert has few weight rows, its warps share the tile's rows: in how many parts.
template <int WARPS, int TOKENS>
__device__ __forceinline__ int expert_parts(int groups) {
    int parts = 1;
    while (TOKENS > 16 && 2 * parts * groups <= WARPS) {
        parts *= 2;
    }
    return parts;
}

// The rows of a tile by the weight rows of a block, N columns of operand b in each warp.
template <int WARPS, int TOKENS, int N, bool GATE_UP, typename O>
__device__ __forceinline__ void expert_block(const bf16* in, const int* order, int4 tile, const byte* codes, const byte* scales,
                                             const float* bias, O* out, int rows, int columns, int picks, float limit,
                                             int ringBytes) {
    SHARED_BYTES(ring);
    int row0 = blockIdx.x * WARPS * GROUP_ROWS;
    int groups = min(WARPS, (rows - row0) / GROUP_ROWS);
    int blocks = columns / 32;
    int parts = expert_parts<WARPS, TOKENS>(groups);
    int group = warp_id() % (WARPS / parts);
    int scaleBytes = (WARPS * GROUP_ROWS * blocks + 127) / 128 * 128;
    int* table = (int*)(ring + scaleBytes);
    int lane = lane_id(), g = lane / 4;

    ExpertProduct p;
    p.in = in;
    p.source = GATE_UP ? table + 1 + WARPS : nullptr;
    p.first = tile.y;
    p.count = tile.z;
    p.columns = columns;
    p.active = group < groups;
    p.token = warp_id() / (WARPS / parts) * 8 * N;
    p.span = (tile.z + 8 * N - 1) / (8 * N) * (8 * N);
    p.ring = ring + scaleBytes + (TOKENS * 4 + 255) / 128 * 128;
    p.stages = min(4, ringBytes / (p.span * K_TILE_BYTES + WARPS * 4 * 512));
    // Gate (half 0) and up (half 1) of one output meet in a lane, and the outputs of its two operands are neighbours in eights order;
    // of down, its four rows are neighbours.
    p.lanesRow = GATE_UP ? 16 * (g / 4) + 2 * (g % 4) : 4 * g;
    p.halfStride = 1;
    p.groupStride = GATE_UP ? 8 : 2;
    int warpRow = row0 + GROUP_ROWS * (p.active ? group : 0);
    size_t expertRow = (size_t)tile.x * rows;
    p.codes = codes + (expertRow + warpRow + p.lanesRow) * (columns / 2);
    p.scales = ring + GROUP_ROWS * group * blocks;

    // The scales of the block's weight rows stand together.
    const byte* from = scales + (expertRow + row0) * blocks;
    for (int i = threadIdx.x * 16; i < groups * GROUP_ROWS * blocks; i += WARPS * WARP * 16) {
        copy_async(ring + i, from + i);
    }
    for (int i = threadIdx.x; i < tile.z; i += WARPS * WARP) {
        int pair = order[tile.y + i];
        table[1 + WARPS + i] = GATE_UP ? pair / picks : pair;
    }
    // In shared memory, so that the registers are free while summing.
    if (threadIdx.x == 0) {
        table[0] = tile.x;
    }
    if (lane == 0) {
        table[1 + warp_id()] = warpRow;
    }
    __syncthreads();
    expert_run<WARPS, TOKENS, N, GATE_UP>(p, ExpertOutput<O>{bias, out, table, rows, GATE_UP ? rows / 2 : rows, limit});
}

// in [., columns] x weights [E, rows, columns]; the schedule gives expert and rows.
template <int WARPS, int TOKENS, bool GATE_UP, typename O>
__device__ __forceinline__ void expert_product(const bf16* in, const int* order, const int4* tiles, const int* tileCount,
                                               const byte* codes, const byte* scales, const float* bias, O* out, int rows,
                                               int columns, int picks, float limit, int ringBytes) {
    if ((int)blockIdx.y >= *tileCount) {
        return;
    }
    int4 tile = tiles[blockIdx.y];
    int parts = expert_parts<WARPS, TOKENS>(min(WARPS, (rows - (int)blockIdx.x * WARPS * GROUP_ROWS) / GROUP_ROWS));
    int each = (tile.z + parts - 1) / parts;
#define EXPERT_BLOCK(n) \
    expert_block<WARPS, TOKENS, n, GATE_UP>(in, order, tile, codes, scales, bias, out, rows, columns, picks, limit, ringBytes)
    if (TOKENS == 16 || each <= 16) {
        EXPERT_BLOCK(2);
    } else if (each <= 32) {
        EXPERT_BLOCK(4);
    } else if (each <= 48) {
        EXPERT_BLOCK(6);
    } else if (each <= 64) {
        EXPERT_BLOCK(8);
    } else if (each <= 80) {
        EXPERT_BLOCK(10);
    } else if (each <= 96) {
        EXPERT_BLOCK(12);
    } else {
        EXPERT_BLOCK(14);
    }
#undef EXPERT_BLOCK
}

KERNEL((256, 1), expert_gate_up, const bf16* t, const int* order, const int4* tiles, const int* tileCount, const byte* codes,
       const byte* scales, const float* bias, bf16* act, int hidden, int intermediate, int picks, float limit, int ringBytes) {
    expert_product<8, 112, true>(t, order, tiles, tileCount, codes, scales, bias, act, 2 * intermediate, hidden, picks, limit,
                                 ringBytes);
}

KERNEL((256, 1), expert_down, const bf16* act, const int* order, const int4* tiles, const int* tileCount, const byte* codes,
       const byte* scales, const float* bias, float* y, int intermediate, int hidden, int ringBytes) {
    expert_product<8, 112, false>(act, order, tiles, tileCount, codes, scales, bias, y, hidden, intermediate, 1, 0.0f, ringBytes);
}

KERNEL((128, 4), expert_gate_up_few, const bf16* t, const int* order, const int4* tiles, const int* tileCount, const byte* codes,
       const byte* scales, const float* bias, bf16* act, int hidden, int intermediate, int picks, float limit, int ringBytes) {
    expert_product<4, 16, true>(t, order, tiles, tileCount, codes, scales, bias, act, 2 * intermediate, hidden, picks, limit,
                                ringBytes);
}

KERNEL((128, 4), expert_down_few, const bf16* act, const int* order, const int4* tiles, const int* tileCount, const byte* codes,
       const byte* scales, const float* bias, float* y, int intermediate, int hidden, int ringBytes) {
    expert_product<4, 16, false>(act, order, tiles, tileCount, codes, scales, bias, y, hidden, intermediate, 1, 0.0f, ringBytes);
}
