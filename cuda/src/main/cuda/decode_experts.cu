// The experts of decode.cu, which says what their kernels take: MXFP4 weights.
#include "ossicle.cuh"

// A lane takes blocks of one scale: of each 128 columns (a step) the t-th 32, sixteen bytes of codes. So operand b, for word j
// of those sixteen bytes, is the j-th eight of 32 numbers; in shared memory the eights stand in the order that lets four
// lanes read 64 neighbouring bytes: [step][j][t].
constexpr int STEP = 4 * MX_BLOCK;
constexpr int STEP_BYTES = STEP * 2;

__device__ __forceinline__ int mx_steps(int columns) {
    return (columns + STEP - 1) / STEP;
}

// Bytes from one row of b to the next: 64 modulo 128, see dense_stride.
__device__ __forceinline__ int mx_stride(int columns) {
    return mx_steps(columns) * STEP_BYTES + 64;
}

// Starts to copy a row in eights to b, with zeros up to whole steps.
__device__ __forceinline__ void mx_fill(byte* b, const bf16* from, int columns) {
    int eights = columns / 8;
    for (int i = threadIdx.x; i < mx_steps(columns) * (STEP / 8); i += blockDim.x) {
        int to = i / 16 * 16 + i % 4 * 4 + i / 4 % 4;
        copy_async_or_zero(b + to * 16, from + (i < eights ? i * 8 : 0), i < eights);
    }
}

// One warp's part of a product: 16 weight rows, steps first, first + PARTS, ...; DEPTH of them under way.
template <int DEPTH, int PARTS>
struct MxProduct {
    const byte* row;  // this lane's next codes of weight row g
    int toHigh;       // from there to those of row g + 8
    int left;         // blocks from there to the row's end
    uint4 low[DEPTH], high[DEPTH];

    __device__ __forceinline__ void fetch(uint4& l, uint4& h) {
        l = h = make_uint4(0, 0, 0, 0);
        if (left > 0) {
            l = load_streaming(row);
            h = load_streaming(row + toHigh);
        }
        row += PARTS * STEP / 2;
        left -= PARTS * STEP / MX_BLOCK;
    }

    // codes: of operand row g; apart: how many weight rows on is g + 8; first: step of the warp.
    __device__ __forceinline__ void start(const byte* codes, int apart, int columns, int first) {
        int block = first * (STEP / MX_BLOCK) + lane_id() % 4;
        row = codes + block * (MX_BLOCK / 2);
        toHigh = apart * (columns / 2);
        left = columns / MX_BLOCK - block;
#pragma unroll
        for (int d = 0; d < DEPTH; d++) {
            fetch(low[d], high[d]);
        }
    }

    // lowScales, highScales: of the two rows, in shared memory. column: this lane's in shared memory; advance: 0 where that is only a
    // step of zeros, else the bytes of a step.
    __device__ __forceinline__ void run(float (&sum)[4], const byte* lowScales, const byte* highScales, const byte* column, int advance,
                                        int columns, int first) {
        int t = lane_id() % 4;
        column += first * advance + t * 16;
        int steps = mx_steps(columns), blocks = columns / MX_BLOCK;
        sum[0] = sum[1] = sum[2] = sum[3] = 0.0f;
        for (int from = first; from < steps; from += DEPTH * PARTS) {
#pragma unroll
            for (int d = 0; d < DEPTH; d++) {
                int step = from + d * PARTS;
                if (step < steps) {
                    int block = min(step * 4 + t, blocks - 1);
                    unsigned lowFactor = expand_factor(lowScales[block]), highFactor = expand_factor(highScales[block]);
#pragma unroll
                    for (int j = 0; j < 4; j++) {
                        unsigned l[4], h[4];
                        expand_codes(l, j == 0 ? low[d].x : j == 1 ? low[d].y : j == 2 ? low[d].z : low[d].w, lowFactor);
                        expand_codes(h, j == 0 ? high[d].x : j == 1 ? high[d].y : j == 2 ? high[d].z : high[d].w, highFactor);
                        uint4 x = *(const uint4*)(column + j * 64);
                        mma_bf16(sum, {l[0], h[0], l[1], h[1]}, {x.x, x.y});
                        mma_bf16(sum, {l[2], h[2], l[3], h[3]}, {x.z, x.w});
                    }
                    column += PARTS * advance;
                    fetch(low[d], high[d]);
                }
            }
        }
#pragma unroll
        for (int i = 0; i < 4; i++) {
            sum[i] *= LARGE;
        }
    }
};

constexpr int GATE_UP_TILES = 4;  // of 16 weight rows in a block
constexpr int GATE_UP_PARTS = 2;  // warps of a tile

// A block is 32 outputs of an expert, for all rows that picked it; the block of the first such pick does them.
KERNEL((256, 3), decode_gate_up, const bf16* t, const int* picks, const byte* codes, const byte* scales, const float* bias, bf16* act,
       int hidden, int intermediate, int picksPerToken, float limit, int rows) {
    SHARED_BYTES(shared);
    __shared__ float partial[GATE_UP_TILES * GATE_UP_PARTS][OPERAND][COLUMNS];
    __shared__ int slots[COLUMNS];
    __shared__ uint4 zeros[STEP_BYTES / 16];
    byte* b = shared;
    byte* scale = shared + rows * mx_stride(hidden);
    int lane = lane_id(), g = lane / 4, warp = warp_id();
    launch_dependents();
    wait_for_previous();
    int expert = __ldcg(picks + blockIdx.y), pair = blockIdx.y;
    bool done = expert < 0;
    int slot = -1;  // of row g of the batch: which of its picks
    for (int begin = 0; begin < rows * picksPerToken; begin += WARP) {
        int other = begin + lane < rows * picksPerToken ? __ldcg(picks + begin + lane) : -1;
        unsigned same = __ballot_sync(ALL_LANES, other == expert);
        done |= pair > begin && (same & (pair - begin < WARP ? (1u << (pair - begin)) - 1 : ALL_LANES)) != 0;
        for (unsigned rest = same; rest != 0; rest &= rest - 1) {
            int i = begin + __ffs(rest) - 1;
            slot = i / picksPerToken == g ? i : slot;
        }
    }
    if (done) {
        return;
    }

    int firstRow = blockIdx.x * GATE_UP_TILES * OPERAND;  // 2i gate, 2i + 1 up
    int row = warp / GATE_UP_PARTS * OPERAND + 2 * g;     // gate is operand row g, up is g + 8
    int part = warp % GATE_UP_PARTS;
    size_t before = (size_t)expert * 2 * intermediate + firstRow;
    MxProduct<4, GATE_UP_PARTS> product;
    product.start(codes + (before + row) * (hidden / 2), 1, hidden, part);
    copy_bytes(scale, scales + before * (hidden / MX_BLOCK), GATE_UP_TILES * OPERAND * (hidden / MX_BLOCK));
    for (int r = 0; r < rows; r++) {
        if (__shfl_sync(ALL_LANES, slot, r * 4) >= 0) {
            mx_fill(b + r * mx_stride(hidden), t + (size_t)r * hidden, hidden);
        }
    }
    copy_async_commit();
    if (threadIdx.x % 4 == 0 && threadIdx.x < WARP) {
        slots[g] = slot;
    }
    if (threadIdx.x < STEP_BYTES / 16) {
        zeros[threadIdx.x] = make_uint4(0, 0, 0, 0);
    }
    if (threadIdx.x < GATE_UP_TILES * OPERAND) {
        prefetch_l2(bias + before + threadIdx.x);
    }
    copy_async_wait<0>();
    __syncthreads();

    float sum[4];
    const byte* rowScales = scale + row * (hidden / MX_BLOCK);
    product.run(sum, rowScales, rowScales + hidden / MX_BLOCK, slot >= 0 ? b + g * mx_stride(hidden) : (const byte*)zeros,
                slot >= 0 ? STEP_BYTES : 0, hidden, part);
    int column = 2 * (lane % 4);
    *(float2*)&partial[warp][g][column] = make_float2(sum[0], sum[1]);
    *(float2*)&partial[warp][g + 8][column] = make_float2(sum[2], sum[3]);
    __syncthreads();

    int i = threadIdx.x % 8, tile = threadIdx.x / 8 % GATE_UP_TILES, r = threadIdx.x / (8 * GATE_UP_TILES);
    if (slots[r] >= 0) {
        float gate = bias[before + tile * OPERAND + 2 * i], up = bias[before + tile * OPERAND + 2 * i + 1];
#pragma unroll
        for (int p = 0; p < GATE_UP_PARTS; p++) {
            gate += partial[tile * GATE_UP_PARTS + p][i][r];
            up += partial[tile * GATE_UP_PARTS + p][i + 8][r];
        }
        int eight = blockIdx.x * GATE_UP_TILES + tile;
        act[(size_t)slots[r] * intermediate + eight * 8 + (i < 4 ? 2 * i : 2 * i - 7)] = to_bf16(swiglu(gate, up, limit));
    }
}

constexpr int DOWN_WARPS = 16;
constexpr int DOWN_PARTS = 4;  // warps of an expert
constexpr int DOWN_PAIRS = 8;  // picks that are in shared memory at a time, unless a row has more

// A block is 16 outputs, for all picks of all rows: nothing else adds to them, and always in the same order.
KERNEL((512, 2), decode_down, const bf16* act, const int* picks, const float* shares, const byte* codes, const byte* scales,
       const float* bias, float* x, const int* position, int hidden, int intermediate, int picksPerToken, int rows) {
    SHARED_BYTES(shared);
    // Of each round of rows: its different experts, and for each the round's pick of each row (-1: none).
    __shared__ int different[COLUMNS], experts[COLUMNS][WARP];
    __shared__ signed char slots[COLUMNS][WARP][COLUMNS];
    __shared__ uint4 zeros[STEP_BYTES / 16];
    int rowsAtOnce = min(rows, max(1, DOWN_PAIRS / picksPerToken));
    byte* b = shared;
    byte* scale = b + rowsAtOnce * picksPerToken * mx_stride(intermediate);
    float* partial = (float*)(scale + rowsAtOnce * picksPerToken * (intermediate / 2));  // [R*P][parts][16]
    int lane = lane_id(), g = lane / 4, warp = warp_id(), part = warp % DOWN_PARTS;
    int firstRow = blockIdx.x * OPERAND;
    int rounds = (rows + rowsAtOnce - 1) / rowsAtOnce;
    launch_dependents();
    wait_for_previous();

    if (warp < rounds) {  // a lane for each pick of the round
        int first = warp * rowsAtOnce * picksPerToken;
        int count = min(rowsAtOnce * picksPerToken, rows * picksPerToken - first);
        int expert = lane < count ? __ldcg(picks + first + lane) : -1;
        int like = __ffs(__match_any_sync(ALL_LANES, expert)) - 1;  // the first pick of this expert
        unsigned firsts = __ballot_sync(ALL_LANES, like == lane && expert >= 0);
#pragma unroll
        for (int r = 0; r < COLUMNS; r++) {
            slots[warp][lane][r] = -1;
        }
        __syncwarp();
        if (expert >= 0) {
            int u = __popc(firsts & ((1u << like) - 1));
            experts[warp][u] = expert;
            slots[warp][u][lane / picksPerToken] = (signed char)lane;
        }
        if (lane == 0) {
            different[warp] = __popc(firsts);
        }
    } else if (warp == DOWN_WARPS - 1 && lane < STEP_BYTES / 16) {
        zeros[lane] = make_uint4(0, 0, 0, 0);
    }
    __syncthreads();

    for (int round = 0; round < rounds; round++) {
        int first = round * rowsAtOnce * picksPerToken;
        MxProduct<3, DOWN_PARTS> product;
        auto start = [&](int u) {
            size_t row = (size_t)experts[round][u] * hidden + firstRow + g;
            product.start(codes + row * (intermediate / 2), 8, intermediate, part);
        };
        int u = warp / DOWN_PARTS;
        if (u < different[round]) {
            start(u);
        }
        __syncthreads();  // the last round's inputs are not needed any more
        for (int i = 0; i < different[round]; i++) {
            size_t row = (size_t)experts[round][i] * hidden + firstRow;
            copy_bytes(scale + i * (intermediate / 2), scales + row * (intermediate / MX_BLOCK), intermediate / 2);
#pragma unroll
            for (int r = 0; r < COLUMNS; r++) {
                int slot = slots[round][i][r];
                if (slot >= 0) {
                    mx_fill(b + slot * mx_stride(intermediate), act + (size_t)(first + slot) * intermediate, intermediate);
                }
            }
        }
        copy_async_commit();
        copy_async_wait<0>();
        __syncthreads();

        while (u < different[round]) {
            int slot = slots[round][u][g];
            const byte* rowScales = scale + (u * OPERAND + g) * (intermediate / MX_BLOCK);
            float sum[4];
            product.run(sum, rowScales, rowScales + 8 * (intermediate / MX_BLOCK),
                        slot >= 0 ? b + slot * mx_stride(intermediate) : (const byte*)zeros, slot >= 0 ? STEP_BYTES : 0, intermediate,
                        part);
#pragma unroll
            for (int i = 0; i < 2; i++) {
                int to = slots[round][u][2 * (lane % 4) + i];
                if (to >= 0) {
                    float* sums = partial + ((first + to) * DOWN_PARTS + part) * OPERAND;
                    sums[g] = sum[i];
                    sums[g + 8] = sum[i + 2];
                }
            }
            u += DOWN_WARPS / DOWN_PARTS;
            if (u < different[round]) {
                start(u);
            }
        }
    }
    __syncthreads();

    int i = threadIdx.x % OPERAND, r = threadIdx.x / OPERAND;
    if (r < rows && position[r] >= 0) {
        float y = 0.0f;
        for (int p = 0; p < picksPerToken; p++) {
            int pair = r * picksPerToken + p;
            float sum = __ldg(bias + (size_t)__ldcg(picks + pair) * hidden + firstRow + i);
#pragma unroll
            for (int k = 0; k < DOWN_PARTS; k++) {
                sum += partial[(pair * DOWN_PARTS + k) * OPERAND + i];
            }
            y += __ldcg(shares + pair) * sum;
        }
        float* residual = x + (size_t)r * hidden + firstRow + i;
        *residual = __ldcg(residual) + y;
    }
}
