// Draws a token from each row of logits, as engine/Sampler does: divided by the temperature; cut to the best topK, then to the
// fewest best that hold topP of what was left, then to those of at least minP times the best one's probability; of the rest, in
// the order of ids where nothing was cut, else best first (of equals the lower id), the first whose cumulative weight exceeds
// uniform times the whole.
//
// Rounding: weights and sums are float64 as the host's, only added in another order (fixed, so that a draw can be repeated). So the
// token is the host's unless uniform lies within about 1e-12 of the boundary between two.
//
// One block for each 2048 ids, which leaves its largest logit, the sum of its weights relative to that, and the largest of each 32
// ids; the last block of a row to arrive draws. Where nothing is cut that takes one look at the chunk in question. Else the
// tokens around the boundary are sorted in shared memory: those above the 256th largest of the "largest of 32 ids" nearly always hold
// it; where they do not, the row is searched by bisection until 2048 or fewer do.
// Reckoning, V = 201 088: 0.8 MB from L2 by 99 blocks, about 3 us, then about 2 us (nothing cut) or 15 us (cut) in one block.
//
// sample(const float* logits, const SampleRequest* requests, const unsigned* masks, int* token, int* outToken, SampleChunk* chunks,
//     float* largest, int* tickets, int vocabulary, int* fault, int faultCode)
//   token [R] and outToken [R] (pinned memory of the host): the drawn ids; not written where temperature < 0, -1 where a mask allows
//   nothing. logits [R, V]; requests [R]; masks [R, ceil(V/32)], bit i of a word is id 32w + i, read where the request is masked.
//   chunks R * ceil(V/2048) of 32 bytes, largest R * ceil(V/32), tickets R ints, 0. faultCode: a logit is not finite.
//   V at most 2^20.   launch: grid (ceil(V/2048), R), block 512, shared 32768 + 4 * ceil(V/32)
#include "ossicle.cuh"

struct alignas(8) SampleRequest {
    double temperature;  // 0: the best; below 0: no draw is wanted
    double topP;
    double minP;
    double uniform;      // in [0, 1)
    int topK;            // 0: all
    int masked;
};

struct alignas(8) SampleChunk {
    double sum;    // of exp((logit - largest) / temperature)
    float largest;
    int best;      // the lowest id with the largest logit; -1: none is allowed
    int count;     // of allowed ids
    int unused[3];
};

typedef unsigned long long SampleKey;  // ascending: best first, of equals the lower id, which is its lower half

constexpr int SAMPLE_THREADS = 512;
constexpr int SAMPLE_WARPS = SAMPLE_THREADS / WARP;
constexpr int SAMPLE_CHUNK = 2048;
constexpr int SAMPLE_EACH = SAMPLE_CHUNK / SAMPLE_THREADS;
constexpr int SAMPLE_SORTED = 2048;  // keys that are sorted at a time

// Sums of a whole block in a fixed order, in every thread. scratch: SAMPLE_WARPS, in shared memory.
__device__ __forceinline__ double sample_sum(double value, double* scratch) {
#pragma unroll
    for (int distance = WARP / 2; distance > 0; distance /= 2) {
        value += __shfl_xor_sync(ALL_LANES, value, distance);
    }
    __syncthreads();
    if (lane_id() == 0) {
        scratch[warp_id()] = value;
    }
    __syncthreads();
    double sum = 0.0;
#pragma unroll
    for (int warp = 0; warp < SAMPLE_WARPS; warp++) {
        sum += scratch[warp];
    }
    return sum;
}

__device__ __forceinline__ int sample_count(int value, int* scratch) {
    value = __reduce_add_sync(ALL_LANES, value);
    __syncthreads();
    if (lane_id() == 0) {
        scratch[warp_id()] = value;
    }
    __syncthreads();
    int sum = 0;
#pragma unroll
    for (int warp = 0; warp < SAMPLE_WARPS; warp++) {
        sum += scratch[warp];
    }
    return sum;
}

__device__ __forceinline__ int sample_min(int value, int* scratch) {
    value = __reduce_min_sync(ALL_LANES, value);
    __syncthreads();
    if (lane_id() == 0) {
        scratch[warp_id()] = value;
    }
    __syncthreads();
    int least = scratch[0];
#pragma unroll
    for (int warp = 1; warp < SAMPLE_WARPS; warp++) {
        least = min(least, scratch[warp]);
    }
    return least;
}

// What the threads before this one have, together. scratch: SAMPLE_WARPS.
__device__ __forceinline__ double sample_before(double value, double* scratch) {
    double upTo = value;
#pragma unroll
    for (int distance = 1; distance < WARP; distance *= 2) {
        double other = __shfl_up_sync(ALL_LANES, upTo, distance);
        if (lane_id() >= distance) {
            upTo += other;
        }
    }
    __syncthreads();
    if (lane_id() == WARP - 1) {
        scratch[warp_id()] = upTo;
    }
    __syncthreads();
    double before = 0.0;
    for (int warp = 0; warp < warp_id(); warp++) {
        before += scratch[warp];
    }
    double lanesBefore = __shfl_up_sync(ALL_LANES, upTo, 1);
    return lane_id() == 0 ? before : before + lanesBefore;
}

__device__ __forceinline__ SampleKey sample_key(float logit, int id) {
    return (SampleKey)~float_order(logit) << 32 | (unsigned)id;
}

__device__ __forceinline__ float sample_logit(SampleKey key) {
    return order_float(~(unsigned)(key >> 32));
}

// One row, for the block that draws from it.
struct SampleRow {
    const float* logits;
    const unsigned* mask;  // null: all are allowed
    const float* largest;  // of each 32 ids, in shared memory; -infinity where none is allowed
    int vocabulary;
    int allowed;              // ids
    double temperature, top;  // the best logit

    // -infinity where the id is not allowed.
    __device__ __forceinline__ float logit(int id) const {
        bool allowed = id < vocabulary && (!mask || (mask[id / WARP] >> id % WARP & 1) != 0);
        return allowed ? __ldcg(logits + id) : -INFINITY;
    }

    __device__ __forceinline__ double weight(float logit) const {
        return exp(((double)logit - top) / temperature);
    }
};

// Some of the row's tokens, neighbours in the order of keys, sorted, with the cumulative weights before and at each.
struct SampleWindow {
    SampleKey* keys;     // [SAMPLE_SORTED]
    double* cumulative;  // [SAMPLE_SORTED]: with its own
    int size;            // 0: nothing there yet
    int before;          // tokens before the first
    double weightBefore;
    double* doubles;     // [SAMPLE_WARPS]
    int* ints;           // [SAMPLE_WARPS]
    int* length;
};

// Calls found(key, logit) for this thread's tokens with keys from first to last.
template <class Found>
__device__ __forceinline__ void sample_scan(const SampleRow& row, SampleKey first, SampleKey last, Found found) {
    int parts = (row.vocabulary + WARP - 1) / WARP;
    for (int part = warp_id(); part < parts; part += SAMPLE_WARPS) {
        if (row.largest[part] == -INFINITY || ~float_order(row.largest[part]) > (unsigned)(last >> 32)) {
            continue;
        }
        int id = part * WARP + lane_id();
        float logit = row.logit(id);
        SampleKey key = sample_key(logit, id);
        if (logit != -INFINITY && key >= first && key <= last) {
            found(key, logit);
        }
    }
}

// Fills the window with the tokens from first to last, which are at most SAMPLE_SORTED.
__device__ __forceinline__ void sample_load(SampleWindow& window, const SampleRow& row, SampleKey first, SampleKey last, int before,
                                            double weightBefore) {
    __syncthreads();
    if (threadIdx.x == 0) {
        *window.length = 0;
    }
    __syncthreads();
    sample_scan(row, first, last, [&](SampleKey key, float) { window.keys[atomicAdd(window.length, 1)] = key; });
    __syncthreads();
    int size = *window.length;
    int whole = SAMPLE_THREADS;
    while (whole < size) {
        whole *= 2;
    }
    for (int i = size + threadIdx.x; i < whole; i += SAMPLE_THREADS) {
        window.keys[i] = ~0ull;
    }
    // Bitonic: runs of length `run`, alternately ascending and descending, are merged.
    for (int run = 2; run <= whole; run *= 2) {
        for (int distance = run / 2; distance > 0; distance /= 2) {
            __syncthreads();
            for (int i = threadIdx.x; i < whole / 2; i += SAMPLE_THREADS) {
                int low = i / distance * 2 * distance + i % distance, high = low + distance;
                SampleKey a = window.keys[low], b = window.keys[high];
                if ((a > b) == ((low & run) == 0)) {
                    window.keys[low] = b;
                    window.keys[high] = a;
                }
            }
        }
    }
    __syncthreads();
    double weights[SAMPLE_SORTED / SAMPLE_THREADS];
    double sum = 0.0;
    int each = whole / SAMPLE_THREADS, from = threadIdx.x * each;
#pragma unroll
    for (int j = 0; j < SAMPLE_SORTED / SAMPLE_THREADS; j++) {
        weights[j] = j < each && from + j < size ? row.weight(sample_logit(window.keys[from + j])) : 0.0;
        sum += weights[j];
    }
    double cumulative = weightBefore + sample_before(sum, window.doubles);
#pragma unroll
    for (int j = 0; j < SAMPLE_SORTED / SAMPLE_THREADS; j++) {
        cumulative += weights[j];
        if (j < each) {
            window.cumulative[from + j] = cumulative;
        }
    }
    window.size = size;
    window.before = before;
    window.weightBefore = weightBefore;
    __syncthreads();
}

// The place of the wanted-th largest in `largest`, as the last key that it may have: so at least wanted tokens come up to there.
__device__ __forceinline__ SampleKey sample_guess(const SampleRow& row, int wanted, int* ints) {
    int parts = (row.vocabulary + WARP - 1) / WARP;
    unsigned threshold = 0;
    for (int bit = 31; bit >= 0; bit--) {
        unsigned higher = threshold | 1u << bit;
        int count = 0;
        for (int i = threadIdx.x; i < parts; i += SAMPLE_THREADS) {
            count += float_order(row.largest[i]) >= higher;
        }
        if (sample_count(count, ints) >= wanted) {
            threshold = higher;
        }
    }
    return (SampleKey)~threshold << 32 | 0xffffffffu;
}

// The first token, best first, for which enough(tokens, weight) holds of it and all before. Brings it into the window and returns
// its place there; -1 if there is none, which only rounding can cause.
template <class Enough>
__device__ __forceinline__ int sample_find(SampleWindow& window, const SampleRow& row, int wanted, Enough enough) {
    bool there = window.size > 0 && enough(window.before + window.size, window.cumulative[window.size - 1]) &&
                 (window.before == 0 || !enough(window.before, window.weightBefore));
    if (!there) {
        SampleKey first = 0, last = ~0ull;  // it is from first to last
        int before = 0;
        double weightBefore = 0.0;
        while (row.allowed > SAMPLE_SORTED && first < last) {
            SampleKey middle = first + (last - first) / 2;
            if (wanted < row.vocabulary / WARP) {
                SampleKey guess = sample_guess(row, wanted, window.ints);
                middle = guess >= first && guess < last ? guess : middle;
                wanted *= 4;
            }
            int count = 0;
            double weight = 0.0;
            sample_scan(row, first, middle, [&](SampleKey, float logit) {
                count++;
                weight += row.weight(logit);
            });
            count = sample_count(count, window.ints);
            weight = sample_sum(weight, window.doubles);
            if (enough(before + count, weightBefore + weight)) {
                last = middle;
                if (count <= SAMPLE_SORTED) {
                    break;
                }
            } else {
                first = middle + 1;
                before += count;
                weightBefore += weight;
            }
        }
        sample_load(window, row, first, last, before, weightBefore);
    }
    int at = window.size - 1;
    for (int i = threadIdx.x; i < window.size; i += SAMPLE_THREADS) {
        if (enough(window.before + i + 1, window.cumulative[i])) {
            at = min(at, i);
        }
    }
    return sample_min(at, window.ints);
}

// The drawn id.
__device__ __forceinline__ int sample_draw(SampleRow& row, const SampleRequest& request, const SampleChunk* chunks, const float* largest,
                                           byte* shared, double* doubles, int* ints, int* length) {
    int chunkCount = (row.vocabulary + SAMPLE_CHUNK - 1) / SAMPLE_CHUNK;
    SampleChunk chunk{0.0, -INFINITY, -1, 0, {0, 0, 0}};
    if (threadIdx.x < chunkCount) {
        chunk.sum = __ldcg(&chunks[threadIdx.x].sum);
        chunk.largest = __ldcg(&chunks[threadIdx.x].largest);
        chunk.best = __ldcg(&chunks[threadIdx.x].best);
        chunk.count = __ldcg(&chunks[threadIdx.x].count);
    }
    row.allowed = sample_count(chunk.count, ints);
    if (row.allowed == 0) {
        return -1;
    }
    // Of equals the lowest id is in the first chunk.
    float top = warp_max(chunk.largest);
    __syncthreads();
    if (lane_id() == 0) {
        doubles[warp_id()] = top;
    }
    __syncthreads();
    row.top = doubles[0];
#pragma unroll
    for (int warp = 1; warp < SAMPLE_WARPS; warp++) {
        row.top = max(row.top, doubles[warp]);
    }
    int best = sample_min(chunk.count > 0 && chunk.largest == row.top ? chunk.best : row.vocabulary, ints);
    if (request.temperature == 0.0) {
        return best;
    }

    double mine = chunk.count > 0 ? chunk.sum * row.weight(chunk.largest) : 0.0;
    double total = sample_sum(mine, doubles);
    if (request.topP >= 1.0 && request.topK <= 0 && request.minP <= 0.0) {
        double target = request.uniform * total;
        double before = sample_before(mine, doubles);
        int at = sample_min(mine > 0.0 && before + mine > target ? (int)threadIdx.x : chunkCount, ints);
        if (at == chunkCount) {
            return best;
        }
        if (threadIdx.x == at) {
            doubles[0] = before;
        }
        __syncthreads();
        double cumulative = doubles[0];
        int from = at * SAMPLE_CHUNK + threadIdx.x * SAMPLE_EACH;
        double weights[SAMPLE_EACH];
        double sum = 0.0;
        int last = -1;  // with a weight
#pragma unroll
        for (int j = 0; j < SAMPLE_EACH; j++) {
            weights[j] = row.weight(row.logit(from + j));
            sum += weights[j];
            last = weights[j] > 0.0 ? from + j : last;
        }
        cumulative += sample_before(sum, doubles);
        int id = row.vocabulary;
#pragma unroll
        for (int j = 0; j < SAMPLE_EACH; j++) {
            cumulative += weights[j];
            id = id == row.vocabulary && weights[j] > 0.0 && cumulative > target ? from + j : id;
        }
        id = sample_min(id, ints);
        return id < row.vocabulary ? id : -sample_min(-last, ints);
    }

    // The largest of each 32 go to shared memory: they are looked at often.
    SampleWindow window{(SampleKey*)shared, (double*)(shared + SAMPLE_SORTED * 8), 0, 0, 0.0, doubles, ints, length};
    float* nearLargest = (float*)(shared + SAMPLE_SORTED * 16);
    for (int i = threadIdx.x; i < (row.vocabulary + WARP - 1) / WARP; i += SAMPLE_THREADS) {
        nearLargest[i] = __ldcg(largest + i);
    }
    row.largest = nearLargest;
    __syncthreads();
    int limit = row.allowed;
    int wanted = 256;
    if (request.topK > 0 && request.topK < row.allowed) {
        limit = request.topK;
        wanted = max(wanted, limit);
        int at = sample_find(window, row, wanted, [=](int tokens, double) { return tokens >= limit; });
        total = window.cumulative[at];
    }
    if (request.minP > 0.0) {
        // Somewhat below the bound, then exactly.
        float bound = (float)(row.top + request.temperature * log(request.minP));
        bound -= fabsf(bound) * 1e-5f + 1e-5f;
        int count = 0;
        sample_scan(row, 0, sample_key(bound, -1), [&](SampleKey, float logit) { count += row.weight(logit) >= request.minP; });
        limit = min(limit, max(1, sample_count(count, ints)));
    }
    double held = total * request.topP;
    int at = sample_find(window, row, wanted, [=](int tokens, double weight) { return tokens >= limit || weight >= held; });
    SampleKey lastKept = window.keys[at];
    double target = request.uniform * window.cumulative[at];
    at = sample_find(window, row, wanted, [=](int, double weight) { return weight > target; });
    return at >= 0 && window.keys[at] <= lastKept ? (int)(unsigned)window.keys[at] : best;
}

KERNEL((512, 1), sample, const float* logits, const SampleRequest* requests, const unsigned* masks, int* token, int* outToken,
       SampleChunk* chunks, float* largest, int* tickets, int vocabulary, int* fault, int faultCode) {
    SHARED_BYTES(shared);
    __shared__ double doubles[SAMPLE_WARPS];
    __shared__ int ints[SAMPLE_WARPS];
    __shared__ SampleKey keys[SAMPLE_WARPS];
    __shared__ int arrived, length;
    int r = blockIdx.y, parts = (vocabulary + WARP - 1) / WARP;
    launch_dependents();
    wait_for_previous();
    SampleRequest request = requests[r];
    if (!(request.temperature >= 0.0)) {
        return;
    }
    SampleRow row{logits + (size_t)r * vocabulary, request.masked != 0 ? masks + (size_t)r * parts : nullptr, nullptr, vocabulary,
                  0, request.temperature, 0.0};
    chunks += (size_t)r * gridDim.x;
    largest += (size_t)r * parts;

    float own[SAMPLE_EACH];
    SampleKey best = ~0ull;
    int count = 0;
    bool finite = true;
#pragma unroll
    for (int j = 0; j < SAMPLE_EACH; j++) {
        int id = blockIdx.x * SAMPLE_CHUNK + j * SAMPLE_THREADS + threadIdx.x;
        own[j] = row.logit(id);
        if (id < vocabulary) {
            finite &= isfinite(__ldcg(row.logits + id)) != 0;
        }
        if (own[j] > -INFINITY) {
            best = min(best, sample_key(own[j], id));
            count++;
        }
        float most = warp_max(own[j]);
        if (lane_id() == 0 && id < vocabulary) {
            largest[id / WARP] = most;
        }
    }
    if (!finite) {
        report(fault, faultCode);
    }
#pragma unroll
    for (int distance = WARP / 2; distance > 0; distance /= 2) {
        best = min(best, __shfl_xor_sync(ALL_LANES, best, distance));
    }
    if (lane_id() == 0) {
        keys[warp_id()] = best;
    }
    count = sample_count(count, ints);
    best = keys[0];
#pragma unroll
    for (int warp = 1; warp < SAMPLE_WARPS; warp++) {
        best = min(best, keys[warp]);
    }
    double sum = 0.0;
    if (request.temperature > 0.0 && count > 0) {
        row.top = sample_logit(best);
#pragma unroll
        for (int j = 0; j < SAMPLE_EACH; j++) {
            sum += own[j] > -INFINITY ? row.weight(own[j]) : 0.0;
        }
        sum = sample_sum(sum, doubles);
    }
    if (threadIdx.x == 0) {
        SampleChunk& chunk = chunks[blockIdx.x];
        chunk.sum = sum;
        chunk.largest = count > 0 ? sample_logit(best) : -INFINITY;
        chunk.best = count > 0 ? (int)(unsigned)best : -1;
        chunk.count = count;
    }
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) {
        arrived = atomicAdd(tickets + r, 1);
    }
    __syncthreads();
    if (arrived != gridDim.x - 1) {
        return;
    }
    __threadfence();
    int id = sample_draw(row, request, chunks, largest, shared, doubles, ints, &length);
    if (threadIdx.x == 0) {
        tickets[r] = 0;
        token[r] = id;
        outToken[r] = id;
    }
}
