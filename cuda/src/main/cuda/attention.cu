// Attention of many rows over the pages of keys and values.
//
// Letters: T rows, S sequences, Q query heads, K key and value heads, G = Q / K.
//
// prefill_attention(const fp16* q, const int* firstRow, const int* position, const int* const* tables, const fp16* keys, const fp16* values,
//     const float* sinks, int window, fp16* out, int heads, int kvHeads, int sequences)
//   q, out [T, Q*64], q rotated and times 1/8; the rows firstRow[s] .. firstRow[s + 1] - 1 are sequence s at positions that follow one
//   another, tables[s] its pages. Row at position p sees positions max(0, p - window + 1) .. p (window 0: 0 .. p) and its head's sink.
//   G at most 128. Pages before the window are never touched, nor are positions after the last row of a block, so both may hold anything.
//   launch: grid (K, floor(T / floor(128 / G)) + S), block 128, shared 49152.
//
// A block has one key head and floor(128 / G) rows of one sequence: up to 128 queries (row, head), 32 to a warp, that see the same pages.
// A page is a tile of 64 keys. S = q k^T has queries as operand a, straight from global memory, and keys as operand b by
// 16-byte loads with the components of 32 in the order of lanes; its sums are operand a of P v as they lie, and v comes transposed by
// ldmatrix. The sink starts the running maximum, so there is no infinity to guard. Exponentials are of 2, and RAISED.
// A block of at most 16 queries (a decoding row among prefills) gives each warp a quarter of each page's keys instead, and adds up at the end.
//
// Reckoning for a whole page: 2*2*128*64*64 = 2.1 MFLOP (830 cycles at mma.sync's 2500 FLOP a cycle and SM) for 16 KiB: 128 FLOP a byte of L2.
// Shared memory: 4 warps x 32 16-byte loads = 512 cycles; 8192 exponentials = 512 cycles of the special units: about 60 % of the tensor
// cores' time each, overlapped by two blocks an SM. Registers: 64 sums of P v, 64 of S, 32 of q.
#include "ossicle.cuh"

constexpr int PAGE_BYTES = PAGE * 64 * 2;        // of the keys, or the values, of one head
constexpr int FLASH_WARPS = 4;
constexpr int FLASH_STAGES = 3;
constexpr float LOG2_E = 1.4426950408889634f;

// 16-byte piece of a key for lanes of two neighbouring keys to meet all banks; of a value row for ldmatrix to.
__device__ __forceinline__ int key_piece(int key, int piece) {
    return (key * 8 + (piece ^ (key & 1) << 2)) * 16;
}

__device__ __forceinline__ int value_piece(int key, int piece) {
    return (key * 8 + (piece ^ key & 7)) * 16;
}

struct FlashBlock {
    const fp16* q;
    const int* table;
    const fp16* keys;
    const fp16* values;
    const float* sinks;
    fp16* out;
    int heads, kvHeads, kvHead, group;
    int window;
    int row;        // first of the block, in the batch
    int position;   // its position
    int rows;       // of the block
    int firstKey;   // of all rows
};

// Copies one page's keys and values of the block's head; what no row may see becomes zero.
__device__ __forceinline__ void flash_copy(const FlashBlock& b, int page, byte* stage) {
    int piece = threadIdx.x % 8;
    int last = b.position + b.rows - 1 - page * PAGE, first = b.firstKey - page * PAGE;
    size_t base = ((size_t)b.table[page] * b.kvHeads + b.kvHead) * (PAGE * 64) + piece * 8;
    constexpr int AT_ONCE = FLASH_WARPS * WARP / 8;
#pragma unroll
    for (int i = 0; i < PAGE / AT_ONCE; i++) {
        int key = threadIdx.x / 8 + i * AT_ONCE;
        bool seen = key <= last && key >= first;
        copy_async_or_zero(stage + key_piece(key, piece), b.keys + base + key * 64, seen);
        copy_async_or_zero(stage + PAGE_BYTES + value_piece(key, piece), b.values + base + key * 64, seen);
    }
}

// What a lane keeps of its queries: M operands a, two rows (g and g + 8) of each.
template <int M>
struct FlashState {
    unsigned q[M][2][2][4];  // [operand][half of the components][row][pairs]
    int position[M][2];
    float max[M][2];         // times log2 e
    float sum[M][2];         // of this lane's keys
    float out[M][8][4];
};

template <int M>
__device__ __forceinline__ void flash_start(FlashState<M>& s, const FlashBlock& b, int firstQuery, bool sink) {
    int g = lane_id() / 4, t = lane_id() % 4;
#pragma unroll
    for (int m = 0; m < M; m++) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            int query = firstQuery + 16 * m + 8 * half + g;
            int row = query / b.group;
            bool valid = row < b.rows;
            row = valid ? row : b.rows - 1;
            int head = b.kvHead * b.group + query % b.group;
            const fp16* from = b.q + ((size_t)(b.row + row) * b.heads + head) * 64 + 8 * t;
#pragma unroll
            for (int c = 0; c < 2; c++) {
                uint4 v = *(const uint4*)(from + 32 * c);
                s.q[m][c][half][0] = v.x;
                s.q[m][c][half][1] = v.y;
                s.q[m][c][half][2] = v.z;
                s.q[m][c][half][3] = v.w;
            }
            s.position[m][half] = b.position + row;
            s.max[m][half] = b.sinks[head] * LOG2_E;
            s.sum[m][half] = sink && t == 0 ? exp2_fast(RAISED) : 0.0f;
        }
#pragma unroll
        for (int d = 0; d < 8; d++) {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                s.out[m][d][i] = 0.0f;
            }
        }
    }
}

// KEYS of a page, from firstKey on.
template <int M, int KEYS>
__device__ __forceinline__ void flash_page(FlashState<M>& s, const FlashBlock& b, int page, int firstKey, const byte* stage) {
    int lane = lane_id(), g = lane / 4, t = lane % 4;
    float score[M][KEYS / 8][4] = {};
#pragma unroll
    for (int c = 0; c < 2; c++) {
#pragma unroll
        for (int j = 0; j < KEYS / 8; j++) {
            uint4 k = *(const uint4*)(stage + key_piece(firstKey + 8 * j + g, 4 * c + t));
#pragma unroll
            for (int m = 0; m < M; m++) {
                mma_fp16(score[m][j], {s.q[m][c][0][0], s.q[m][c][1][0], s.q[m][c][0][1], s.q[m][c][1][1]}, {k.x, k.y});
            }
#pragma unroll
            for (int m = 0; m < M; m++) {
                mma_fp16(score[m][j], {s.q[m][c][0][2], s.q[m][c][1][2], s.q[m][c][0][3], s.q[m][c][1][3]}, {k.z, k.w});
            }
        }
    }

    // Only the pages at a row's ends have keys that some row does not see.
    int lastPosition = b.position + b.rows - 1;
    bool ends = page * PAGE + PAGE - 1 > b.position || (b.window > 0 && page * PAGE <= lastPosition - b.window);
    if (ends) {
#pragma unroll
        for (int m = 0; m < M; m++) {
#pragma unroll
            for (int j = 0; j < KEYS / 8; j++) {
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    int key = page * PAGE + firstKey + 8 * j + 2 * t + i % 2;
                    int position = s.position[m][i / 2];
                    if (key > position || (b.window > 0 && key <= position - b.window)) {
                        score[m][j][i] = -INFINITY;
                    }
                }
            }
        }
    }

    float scale[M][2];
    bool same = true;
#pragma unroll
    for (int m = 0; m < M; m++) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            float most = -INFINITY;
#pragma unroll
            for (int j = 0; j < KEYS / 8; j++) {
                most = fmaxf(most, fmaxf(score[m][j][2 * half], score[m][j][2 * half + 1]));
            }
            most = fmaxf(most, __shfl_xor_sync(ALL_LANES, most, 1));
            most = fmaxf(most, __shfl_xor_sync(ALL_LANES, most, 2));
            most = fmaxf(s.max[m][half], most * LOG2_E);
            scale[m][half] = exp2_fast(s.max[m][half] - most);
            same = same && s.max[m][half] == most;
            s.max[m][half] = most;
        }
    }
    // After the first pages the maximum rarely changes.
    if (!__all_sync(ALL_LANES, same)) {
#pragma unroll
        for (int m = 0; m < M; m++) {
#pragma unroll
            for (int half = 0; half < 2; half++) {
                s.sum[m][half] *= scale[m][half];
            }
#pragma unroll
            for (int d = 0; d < 8; d++) {
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    s.out[m][d][i] *= scale[m][i / 2];
                }
            }
        }
    }
    unsigned p[M][KEYS / 8][2];
#pragma unroll
    for (int m = 0; m < M; m++) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            float offset = RAISED - s.max[m][half];
#pragma unroll
            for (int j = 0; j < KEYS / 8; j++) {
                float p0 = exp2_fast(fmaf(score[m][j][2 * half], LOG2_E, offset));
                float p1 = exp2_fast(fmaf(score[m][j][2 * half + 1], LOG2_E, offset));
                p[m][j][half] = fp16_pair(p0, p1);
                s.sum[m][half] += p0 + p1;
            }
        }
    }

    const byte* values = stage + PAGE_BYTES;
#pragma unroll
    for (int c = 0; c < KEYS / 16; c++) {
#pragma unroll
        for (int d = 0; d < 4; d++) {
            // matrices: the lower and the upper eight keys at components 16d .., then at 16d + 8 ..
            unsigned v[4];
            load_matrices_transposed(v, values + value_piece(firstKey + 16 * c + lane % 16, 2 * d + lane / 16));
#pragma unroll
            for (int m = 0; m < M; m++) {
                unsigned a[4] = {p[m][2 * c][0], p[m][2 * c][1], p[m][2 * c + 1][0], p[m][2 * c + 1][1]};
                mma_fp16(s.out[m][2 * d], a, {v[0], v[1]});
                mma_fp16(s.out[m][2 * d + 1], a, {v[2], v[3]});
            }
        }
    }
}

template <int M>
__device__ __forceinline__ void flash_write(FlashState<M>& s, const FlashBlock& b, int firstQuery) {
    int g = lane_id() / 4, t = lane_id() % 4;
#pragma unroll
    for (int m = 0; m < M; m++) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            float sum = s.sum[m][half];
            sum += __shfl_xor_sync(ALL_LANES, sum, 1);
            sum += __shfl_xor_sync(ALL_LANES, sum, 2);
            int query = firstQuery + 16 * m + 8 * half + g;
            int row = query / b.group;
            if (row < b.rows) {
                int head = b.kvHead * b.group + query % b.group;
                unsigned* to = (unsigned*)(b.out + ((size_t)(b.row + row) * b.heads + head) * 64);
                float factor = 1.0f / sum;
#pragma unroll
                for (int d = 0; d < 8; d++) {
                    to[4 * d + t] = fp16_pair(s.out[m][d][2 * half] * factor, s.out[m][d][2 * half + 1] * factor);
                }
            }
        }
    }
}

// The block's pages in turn. Each warp has queries of its own and all keys, or (APART) all queries and keys of its own.
template <int M, bool APART>
__device__ __forceinline__ void flash_pages(FlashState<M>& s, const FlashBlock& b, byte* shared) {
    int first = b.firstKey / PAGE;
    int pages = (b.position + b.rows - 1) / PAGE + 1;
    bool work = warp_id() * 16 * M < b.rows * b.group;
#pragma unroll
    for (int i = 0; i < FLASH_STAGES - 1; i++) {
        if (first + i < pages) {
            flash_copy(b, first + i, shared + i * 2 * PAGE_BYTES);
        }
        copy_async_commit();
    }
    int stage = 0, next = FLASH_STAGES - 1;
    for (int page = first; page < pages; page++) {
        copy_async_wait<FLASH_STAGES - 2>();
        __syncthreads();
        if (page + FLASH_STAGES - 1 < pages) {
            flash_copy(b, page + FLASH_STAGES - 1, shared + next * 2 * PAGE_BYTES);
        }
        copy_async_commit();
        if (APART) {
            flash_page<M, PAGE / FLASH_WARPS>(s, b, page, warp_id() * (PAGE / FLASH_WARPS), shared + stage * 2 * PAGE_BYTES);
        } else if (work) {
            flash_page<M, PAGE>(s, b, page, 0, shared + stage * 2 * PAGE_BYTES);
        }
        stage = stage + 1 == FLASH_STAGES ? 0 : stage + 1;
        next = next + 1 == FLASH_STAGES ? 0 : next + 1;
    }
    copy_async_wait<0>();
}

// Adds the other warps' sums over their keys to the first warp's, in order.
__device__ __forceinline__ void flash_merge(FlashState<1>& s, byte* shared) {
    constexpr int FLOATS = 36;  // of a lane: 32 sums, two maxima, two sums of weights
    float* own = (float*)shared + lane_id();
    __syncthreads();
    if (warp_id() > 0) {
        float* to = own + (warp_id() - 1) * FLOATS * WARP;
#pragma unroll
        for (int i = 0; i < 32; i++) {
            to[i * WARP] = s.out[0][i / 4][i % 4];
        }
#pragma unroll
        for (int half = 0; half < 2; half++) {
            to[(32 + half) * WARP] = s.max[0][half];
            to[(34 + half) * WARP] = s.sum[0][half];
        }
    }
    __syncthreads();
    if (warp_id() > 0) {
        return;
    }
    for (int warp = 0; warp < FLASH_WARPS - 1; warp++) {
        const float* from = own + warp * FLOATS * WARP;
        float here[2], there[2];
#pragma unroll
        for (int half = 0; half < 2; half++) {
            float other = from[(32 + half) * WARP];
            float most = fmaxf(s.max[0][half], other);
            here[half] = exp2_fast(s.max[0][half] - most);
            there[half] = exp2_fast(other - most);
            s.max[0][half] = most;
            s.sum[0][half] = s.sum[0][half] * here[half] + from[(34 + half) * WARP] * there[half];
        }
#pragma unroll
        for (int i = 0; i < 32; i++) {
            float& out = s.out[0][i / 4][i % 4];
            out = out * here[i / 2 % 2] + from[i * WARP] * there[i / 2 % 2];
        }
    }
}

KERNEL((128, 2), prefill_attention, const fp16* q, const int* firstRow, const int* position, const int* const* tables,
       const fp16* keys, const fp16* values, const float* sinks, int window, fp16* out, int heads, int kvHeads, int sequences) {
    SHARED_BYTES(pages);
    FlashBlock b;
    b.group = heads / kvHeads;
    int rowsOfBlock = FLASH_WARPS * 2 * 16 / b.group;
    // Which sequence: they have their blocks one after the other. The last blocks see most keys, so they start first.
    int block = gridDim.y - 1 - blockIdx.y, sequence = -1;
    for (int s = 0, before = 0; s < sequences; s++) {
        int first = firstRow[s];
        int blocks = (firstRow[s + 1] - first + rowsOfBlock - 1) / rowsOfBlock;
        if (block >= before && block < before + blocks) {
            sequence = s;
            b.row = first + (block - before) * rowsOfBlock;
        }
        before += blocks;
    }
    if (sequence < 0) {
        return;
    }
    b.rows = min(rowsOfBlock, firstRow[sequence + 1] - b.row);
    b.position = position[b.row];
    b.firstKey = window > 0 ? max(0, b.position - window + 1) : 0;
    b.q = q;
    b.table = tables[sequence];
    b.keys = keys;
    b.values = values;
    b.sinks = sinks;
    b.out = out;
    b.heads = heads;
    b.kvHeads = kvHeads;
    b.kvHead = blockIdx.x;
    b.window = window;
    if (b.rows * b.group <= 16) {
        FlashState<1> s;
        flash_start(s, b, 0, warp_id() == 0);
        flash_pages<1, true>(s, b, pages);
        flash_merge(s, pages);
        if (warp_id() == 0) {
            flash_write(s, b, 0);
        }
    } else {
        FlashState<2> s;
        flash_start(s, b, warp_id() * 32, true);
        flash_pages<2, false>(s, b, pages);
        flash_write(s, b, warp_id() * 32);
    }
}
