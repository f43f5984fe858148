// The attention of decode.cu, which says what its kernel takes.
#include "ossicle.cuh"

constexpr int ATTENTION_WARPS = 8;
constexpr int SPAN = 16;                        // positions that a warp takes at a time; of one page
constexpr int GROUP = 8;                        // query heads of a block, all of one key head
constexpr int PART = GROUP * (HEAD + 2);        // floats of a split: for each head its largest score, its sum, its output

struct Spans {
    uint4 k[4], v[4];  // of positions g, g + 8 (two parts each); of positions 2t, 2t + 1, 2t + 8, 2t + 9
};

// Keys and values of a page's 16 positions from at on; zero where the position is not in first .. last. The order of the 64
// components is that of both operands, see decode_attention.
__device__ __forceinline__ void load_keys(Spans& s, const fp16* page, int at, int first, int last) {
    int g = lane_id() / 4, t = lane_id() % 4;
#pragma unroll
    for (int half = 0; half < 2; half++) {
        int i = at + g + 8 * half;
        s.k[2 * half] = s.k[2 * half + 1] = make_uint4(0, 0, 0, 0);
        if (i >= first && i <= last) {
            const fp16* row = page + i % PAGE * HEAD + t * 8;
            s.k[2 * half] = load_streaming(row);
            s.k[2 * half + 1] = load_streaming(row + HEAD / 2);
        }
    }
}

__device__ __forceinline__ void load_values(Spans& s, const fp16* page, int at, int first, int last) {
    int g = lane_id() / 4, t = lane_id() % 4;
#pragma unroll
    for (int j = 0; j < 4; j++) {
        int i = at + 2 * t + j % 2 + j / 2 * 8;
        s.v[j] = make_uint4(0, 0, 0, 0);
        if (i >= first && i <= last) {
            s.v[j] = load_streaming(page + i % PAGE * HEAD + g * 8);
        }
    }
}

// A pair of floats as two pairs of fp16 whose sum has twice the bits.
__device__ __forceinline__ void split_pair(unsigned& high, unsigned& low, float a, float b) {
    high = fp16_pair(a, b);
    low = fp16_pair(a - fp16_float(high & 0xffffu), b - fp16_float(high >> 16));
}

// The eight heads of a group are rows 0..7 of operand a; rows 8..15 are what fp16 lost of them, so that queries and shares
// keep nearly float32's precision at no cost. Scores: a = queries, b = keys, the columns are positions; a lane's scores are then
// just where operand a wants the shares for the second product, b = values, the columns are components.
KERNEL((256, 2), decode_attention, const float* q, const int* position, const int* sequence, const int* const* tables, const fp16* keys,
       const fp16* values, const float* sinks, int window, float* scratch, int* tickets, fp16* out, int heads, int kvHeads,
       int splits) {
    constexpr float LOG2_E = 1.4426950408889634f;
    constexpr int ROW = HEAD + 4;  // floats of a head in shared memory; not a multiple of the banks
    __shared__ float outputs[ATTENTION_WARPS][GROUP][ROW];
    __shared__ float largests[ATTENTION_WARPS][GROUP], totals[ATTENTION_WARPS][GROUP];
    __shared__ int arrived;
    int lane = lane_id(), g = lane / 4, t = lane % 4, warp = warp_id();
    int r = blockIdx.z;
    int groupSize = heads / kvHeads, groups = (groupSize + GROUP - 1) / GROUP;
    int kvHead = (int)blockIdx.x / groups, group = (int)blockIdx.x % groups, split = blockIdx.y;
    int firstHead = kvHead * groupSize + group * GROUP;
    int headCount = min(GROUP, groupSize - group * GROUP);

    launch_dependents();
    int last = position[r];
    if (last < 0) {
        wait_for_previous();
        return;
    }
    int first = window > 0 ? max(0, last - window + 1) : 0;
    int spans = last / SPAN - first / SPAN + 1;
    int perSplit = max(ATTENTION_WARPS, (spans + splits - 1) / splits);
    int active = (spans + perSplit - 1) / perSplit;  // splits with something to do
    if (split >= active) {
        wait_for_previous();
        return;
    }
    int end = first / SPAN + min(spans, (split + 1) * perSplit);
    int span = first / SPAN + split * perSplit + warp;
    const int* table = tables[sequence[r]];
    auto page_of = [&](int s) { return s < end ? table[s / (PAGE / SPAN)] : 0; };
    size_t pageSize = (size_t)kvHeads * PAGE * HEAD;
    keys += kvHead * PAGE * HEAD;
    values += kvHead * PAGE * HEAD;

    Spans s;
    int page = page_of(span), nextPage = page_of(span + ATTENTION_WARPS);
    // All but the last position were there before.
    bool early = span < end && span != last / SPAN;
    if (early) {
        load_keys(s, keys + page * pageSize, span * SPAN, first, last);
        load_values(s, values + page * pageSize, span * SPAN, first, last);
    }
    wait_for_previous();
    if (span < end && !early) {
        load_keys(s, keys + page * pageSize, span * SPAN, first, last);
        load_values(s, values + page * pageSize, span * SPAN, first, last);
    }
    unsigned query[4][4];
#pragma unroll
    for (int part = 0; part < 2; part++) {
        float4 a = make_float4(0, 0, 0, 0), b = a;
        if (g < headCount) {
            const float4* from = (const float4*)(q + ((size_t)r * heads + firstHead + g) * HEAD + part * (HEAD / 2) + t * 8);
            a = __ldcg(from);
            b = __ldcg(from + 1);
        }
        split_pair(query[2 * part][0], query[2 * part][1], a.x * LOG2_E, a.y * LOG2_E);
        split_pair(query[2 * part][2], query[2 * part][3], a.z * LOG2_E, a.w * LOG2_E);
        split_pair(query[2 * part + 1][0], query[2 * part + 1][1], b.x * LOG2_E, b.y * LOG2_E);
        split_pair(query[2 * part + 1][2], query[2 * part + 1][3], b.z * LOG2_E, b.w * LOG2_E);
    }

    // Of head g: scores are to the base 2; this lane's sum is over its own positions.
    float largest = -INFINITY, total = 0.0f;
    float sum[8][4];
#pragma unroll
    for (int i = 0; i < 8; i++) {
        sum[i][0] = sum[i][1] = sum[i][2] = sum[i][3] = 0.0f;
    }
    while (span < end) {
        int at = span * SPAN;
        float lower[4] = {0.0f, 0.0f, 0.0f, 0.0f}, upper[4] = {0.0f, 0.0f, 0.0f, 0.0f};
#pragma unroll
        for (int part = 0; part < 2; part++) {
            mma_fp16(lower, query[2 * part], {s.k[part].x, s.k[part].y});
            mma_fp16(lower, query[2 * part + 1], {s.k[part].z, s.k[part].w});
            mma_fp16(upper, query[2 * part], {s.k[2 + part].x, s.k[2 + part].y});
            mma_fp16(upper, query[2 * part + 1], {s.k[2 + part].z, s.k[2 + part].w});
        }
        span += ATTENTION_WARPS;
        page = nextPage;
        nextPage = page_of(span + ATTENTION_WARPS);
        if (span < end) {
            load_keys(s, keys + page * pageSize, span * SPAN, first, last);
        }

        float score[4] = {lower[0] + lower[2], lower[1] + lower[3], upper[0] + upper[2], upper[1] + upper[3]};
        float most = largest;
#pragma unroll
        for (int j = 0; j < 4; j++) {
            int i = at + 2 * t + j % 2 + j / 2 * 8;
            score[j] = i >= first && i <= last ? score[j] : -INFINITY;
            most = fmaxf(most, score[j]);
        }
        most = fmaxf(most, __shfl_xor_sync(ALL_LANES, most, 1));
        most = fmaxf(most, __shfl_xor_sync(ALL_LANES, most, 2));
        float shrink = exp2f(largest - most);
        largest = most;
        total *= shrink;
#pragma unroll
        for (int j = 0; j < 4; j++) {
            score[j] = exp2f(score[j] - (most - RAISED));
            total += score[j];
        }
        unsigned share[4];
        split_pair(share[0], share[1], score[0], score[1]);
        split_pair(share[2], share[3], score[2], score[3]);
#pragma unroll
        for (int i = 0; i < 8; i++) {
            unsigned pick = i % 2 == 0 ? 0x5410 : 0x7632;
            unsigned v[4];
#pragma unroll
            for (int j = 0; j < 4; j++) {
                v[j] = i / 2 == 0 ? s.v[j].x : i / 2 == 1 ? s.v[j].y : i / 2 == 2 ? s.v[j].z : s.v[j].w;
            }
#pragma unroll
            for (int j = 0; j < 4; j++) {
                sum[i][j] *= shrink;
            }
            mma_fp16(sum[i], share, {__byte_perm(v[0], v[1], pick), __byte_perm(v[2], v[3], pick)});
        }
        if (span < end) {
            load_values(s, values + page * pageSize, span * SPAN, first, last);
        }
    }

    // The warps' results become the block's.
    total += __shfl_xor_sync(ALL_LANES, total, 1);
    total += __shfl_xor_sync(ALL_LANES, total, 2);
    if (t == 0) {
        largests[warp][g] = largest - RAISED;
        totals[warp][g] = total;
    }
    float4* mine = (float4*)(outputs[warp][g] + t * 16);
    mine[0] = make_float4(sum[0][0] + sum[0][2], sum[1][0] + sum[1][2], sum[2][0] + sum[2][2], sum[3][0] + sum[3][2]);
    mine[1] = make_float4(sum[4][0] + sum[4][2], sum[5][0] + sum[5][2], sum[6][0] + sum[6][2], sum[7][0] + sum[7][2]);
    mine[2] = make_float4(sum[0][1] + sum[0][3], sum[1][1] + sum[1][3], sum[2][1] + sum[2][3], sum[3][1] + sum[3][3]);
    mine[3] = make_float4(sum[4][1] + sum[4][3], sum[5][1] + sum[5][3], sum[6][1] + sum[6][3], sum[7][1] + sum[7][3]);
    __syncthreads();

    // From here on warp h has head h, a lane two of its components.
    int head = warp;
    float most = -INFINITY, all = 0.0f;
    float2 y = make_float2(0.0f, 0.0f);
#pragma unroll
    for (int i = 0; i < ATTENTION_WARPS; i++) {
        most = fmaxf(most, largests[i][head]);
    }
#pragma unroll
    for (int i = 0; i < ATTENTION_WARPS; i++) {
        float share = exp2f(largests[i][head] - most);
        float2 o = *(const float2*)(outputs[i][head] + 2 * lane);
        all += share * totals[i][head];
        y.x += share * o.x;
        y.y += share * o.y;
    }
    if (active > 1) {
        // The last split to arrive adds them all up, in order.
        float* parts = scratch + ((size_t)r * gridDim.x + blockIdx.x) * splits * PART;
        float* part = parts + split * PART + head * (HEAD + 2);
        if (lane == 0) {
            *(float2*)part = make_float2(most, all);
        }
        *(float2*)(part + 2 + 2 * lane) = y;
        __threadfence();
        __syncthreads();
        int* ticket = tickets + r * gridDim.x + blockIdx.x;
        if (threadIdx.x == 0) {
            arrived = atomicAdd(ticket, 1);
        }
        __syncthreads();
        if (arrived != active - 1) {
            return;
        }
        if (threadIdx.x == 0) {
            *ticket = 0;
        }
        __threadfence();
        parts += head * (HEAD + 2);
        most = -INFINITY;
        for (int i = lane; i < active; i += WARP) {
            most = fmaxf(most, __ldcg(parts + i * PART));
        }
        most = warp_max(most);
        all = 0.0f;
        y = make_float2(0.0f, 0.0f);
#pragma unroll 4
        for (int i = 0; i < active; i++) {
            float2 state = __ldcg((const float2*)(parts + i * PART));
            float2 o = __ldcg((const float2*)(parts + i * PART + 2 + 2 * lane));
            float share = exp2f(state.x - most);
            all += share * state.y;
            y.x += share * o.x;
            y.y += share * o.y;
        }
    }
    if (head < headCount) {
        float sink = sinks[firstHead + head] * LOG2_E;
        float top = fmaxf(most, sink);
        float shrink = exp2f(most - top);
        float scale = shrink / (all * shrink + exp2f(sink - top));
        unsigned* to = (unsigned*)(out + ((size_t)r * heads + firstHead + head) * HEAD);
        to[lane] = fp16_pair(y.x * scale, y.y * scale);
    }
}
