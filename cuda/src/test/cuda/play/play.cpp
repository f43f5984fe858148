// Runs kernels on the host. Each thread of a block is a coroutine with its own stack; blocks run one after another in a
// shuffled order, threads until they meet. What a GPU would do without a word is an error here: threads that do not meet, an access
// that is misaligned or far out of range, writes beside an allocation or a block's shared memory.
#include "play_run.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <vector>

namespace play {

enum State { READY, WAITING, DONE };

struct Copy {
    unsigned char* to;
    const unsigned char* from;
    int group;
    bool valid;
};

struct Thread {
    jmp_buf context;
    State state;
    uint3 index;
    int number;
    void* operands;
    // What it waits for, for the message of a deadlock.
    int meeting;  // a Meeting, or 0 for a barrier
    int barrier;
    unsigned mask;
    const char* file;
    int line;
    std::vector<Copy> copies;
    int copy_group;
    bool alive;  // its coroutine exists and waits for the next block
};

struct Pending {
    unsigned mask, arrived;
    int meeting;
    const char* file;
    int line;
};

struct Warp {
    Pending pending[32];
    int count;
};

struct Barrier {
    int arrived, votes;
    const char* file;
    int line;
};

constexpr int MOST_THREADS = 1024;
constexpr size_t STACK = 256 << 10, SHARED_MOST = 256 << 10, SHARED_GUARD = 4096;
constexpr unsigned char POISON = 0xff;  // NaN as float32 and as bf16, -1 as an int

Thread* current = nullptr;
uint3 thread_index, block_index;
dim3 block_size, grid_size;
unsigned char* dynamic_shared;

static Thread threads[MOST_THREADS];
static Warp warps[MOST_THREADS / 32];
static Barrier barriers[16];
static int thread_count, done_count, last_votes[16];
static unsigned char* stacks;
static jmp_buf scheduler;
static const Kernel* kernel;
static void** arguments;
static char message[1024];
static bool failed;
static pthread_t player;
static uint64_t random_state = 1;

static std::map<std::string, Kernel>& kernels() {
    static std::map<std::string, Kernel> all;
    return all;
}

void add(const Kernel& added) { kernels()[added.name] = added; }

const Kernel* find(const char* name) {
    auto found = kernels().find(name);
    return found == kernels().end() ? nullptr : &found->second;
}

void seed(uint64_t value) { random_state = value * 0x9E3779B97F4A7C15ull + 1; }

static unsigned random(unsigned bound) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)((random_state >> 16) % bound);
}

__attribute__((noinline)) static void change(jmp_buf from, jmp_buf to) {
    if (_setjmp(from) == 0) {
        _longjmp(to, 1);
    }
}

static const char* base(const char* file) {
    const char* slash = file ? strrchr(file, '/') : nullptr;
    return slash ? slash + 1 : file ? file : "?";
}

void fail(const char* format, ...) {
    va_list list;
    va_start(list, format);
    char what[512];
    vsnprintf(what, sizeof what, format, list);
    va_end(list);
    if (!current) {
        fprintf(stderr, "played GPU: %s\n", what);
        abort();
    }
    snprintf(message, sizeof message, "kernel %s, block (%u, %u, %u), thread (%u, %u, %u): %s", kernel->name,
             block_index.x, block_index.y, block_index.z, current->index.x, current->index.y, current->index.z, what);
    failed = true;
    _longjmp(scheduler, 1);
}

int lane() { return current->number % 32; }

static void pause() {
    Thread* self = current;
    self->state = WAITING;
    change(self->context, scheduler);
}

void meet(Meeting meeting, unsigned mask, void* operands, Perform perform, const char* file, int line) {
    Thread* self = current;
    int lane = self->number % 32;
    if (!(mask >> lane & 1)) {
        fail("lane %d is not in the mask %08x it meets with (%s:%d)", lane, mask, base(file), line);
    }
    Warp& warp = warps[self->number / 32];
    Pending* pending = nullptr;
    for (int i = 0; i < warp.count; i++) {
        if (warp.pending[i].mask == mask) {
            pending = &warp.pending[i];
        }
    }
    if (!pending) {
        pending = &warp.pending[warp.count++];
        *pending = Pending{mask, 0, meeting, file, line};
    }
    if (pending->meeting != meeting || pending->line != line || pending->file != file) {
        fail("lanes of one mask %08x meet at different places: %s:%d and %s:%d", mask, base(pending->file), pending->line,
             base(file), line);
    }
    pending->arrived |= 1u << lane;
    self->operands = operands;
    self->meeting = meeting;
    self->mask = mask;
    self->file = file;
    self->line = line;
    if (pending->arrived != mask) {
        pause();
        return;
    }
    *pending = warp.pending[--warp.count];
    Thread* first = self - lane;
    if (perform) {
        void* all[32] = {};
        for (int i = 0; i < 32; i++) {
            if (mask >> i & 1) {
                all[i] = first[i].operands;
            }
        }
        perform(all, mask);
    }
    for (int i = 0; i < 32; i++) {
        if (mask >> i & 1) {
            first[i].state = READY;
        }
    }
}

static void release(int id) {
    for (int i = 0; i < thread_count; i++) {
        if (threads[i].state == WAITING && threads[i].meeting == 0 && threads[i].barrier == id) {
            threads[i].state = READY;
        }
    }
    last_votes[id] = barriers[id].votes;
    barriers[id] = Barrier{};
}

static int arrive(int id, int count, int value, const char* file, int line) {
    Thread* self = current;
    Barrier& barrier = barriers[id];
    if (barrier.arrived == 0) {
        barrier.file = file;
        barrier.line = line;
    } else if (count == 0 && (barrier.line != line || barrier.file != file)) {
        fail("threads of one block wait at different barriers: %s:%d and %s:%d", base(barrier.file), barrier.line, base(file),
             line);
    }
    barrier.arrived++;
    barrier.votes += value != 0;
    self->meeting = 0;
    self->barrier = id;
    self->file = file;
    self->line = line;
    if (barrier.arrived == (count ? count : thread_count - done_count)) {
        release(id);
        return last_votes[id];
    }
    pause();
    return last_votes[id];
}

void barrier(int id, int count, const char* file, int line) { arrive(id, count, 0, file, line); }

int vote_of_block(int value, const char* file, int line) { return arrive(0, 0, value, file, line); }

void shuffle(Shuffle& operands, unsigned mask, const char* file, int line) {
    if (!(mask >> operands.source & 1)) {
        fail("a shuffle reads lane %d, which is not in the mask %08x (%s:%d)", operands.source, mask, base(file), line);
    }
    meet(SHUFFLE, mask, &operands, [](void* const all[32], unsigned mask) {
        for (int i = 0; i < 32; i++) {
            if (mask >> i & 1) {
                Shuffle* s = (Shuffle*)all[i];
                s->result = ((Shuffle*)all[s->source])->value;
            }
        }
    }, file, line);
}

struct Word {
    int64_t value;
    int operation;
};

unsigned vote(unsigned value, unsigned mask, const char* file, int line) {
    Word word{value, 0};
    meet(VOTE, mask, &word, [](void* const all[32], unsigned mask) {
        unsigned votes = 0;
        for (int i = 0; i < 32; i++) {
            votes |= (mask >> i & 1) && ((Word*)all[i])->value ? 1u << i : 0;
        }
        for (int i = 0; i < 32; i++) {
            if (mask >> i & 1) {
                ((Word*)all[i])->value = votes;
            }
        }
    }, file, line);
    return (unsigned)word.value;
}

uint64_t match(uint64_t value, unsigned mask, const char* file, int line) {
    uint64_t words[2] = {value, 0};
    meet(MATCH, mask, words, [](void* const all[32], unsigned mask) {
        for (int i = 0; i < 32; i++) {
            for (int j = 0; j < 32; j++) {
                if ((mask >> i & 1) && (mask >> j & 1) && ((uint64_t*)all[i])[0] == ((uint64_t*)all[j])[0]) {
                    ((uint64_t*)all[i])[1] |= 1u << j;
                }
            }
        }
    }, file, line);
    return words[1];
}

int64_t reduce(int64_t value, int operation, unsigned mask, const char* file, int line) {
    Word word{value, operation};
    meet(REDUCE, mask, &word, [](void* const all[32], unsigned mask) {
        bool first = true;
        int64_t total = 0;
        for (int i = 0; i < 32; i++) {
            if (mask >> i & 1) {
                int64_t v = ((Word*)all[i])->value;
                int op = ((Word*)all[i])->operation;
                total = first ? v : op == '+' ? total + v : op == '<' ? std::min(total, v) : op == '>' ? std::max(total, v)
                        : op == '|' ? (total | v) : (total & v);
                first = false;
            }
        }
        for (int i = 0; i < 32; i++) {
            if (mask >> i & 1) {
                ((Word*)all[i])->value = total;
            }
        }
    }, file, line);
    return word.value;
}

static float bf16_float(unsigned bits) {
    bits <<= 16;
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

struct Mma {
    float* d;
    const unsigned* a;
    const unsigned* b;
};

template <float (*FLOAT)(unsigned)>
static void multiply(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    Mma operands{d, a, b};
    meet(MMA, 0xffffffffu, &operands, [](void* const all[32], unsigned) {
        float A[16][16], B[16][8];
        for (int lane = 0; lane < 32; lane++) {
            int g = lane / 4, t = lane % 4;
            const Mma& m = *(const Mma*)all[lane];
            for (int i = 0; i < 4; i++) {
                int row = g + (i & 1) * 8, column = 2 * t + (i >> 1) * 8;
                A[row][column] = FLOAT(m.a[i] & 0xffff);
                A[row][column + 1] = FLOAT(m.a[i] >> 16);
            }
            for (int i = 0; i < 2; i++) {
                int row = 2 * t + i * 8;
                B[row][g] = FLOAT(m.b[i] & 0xffff);
                B[row + 1][g] = FLOAT(m.b[i] >> 16);
            }
        }
        for (int lane = 0; lane < 32; lane++) {
            int g = lane / 4, t = lane % 4;
            const Mma& m = *(const Mma*)all[lane];
            for (int i = 0; i < 4; i++) {
                int row = g + (i >> 1) * 8, column = 2 * t + (i & 1);
                float sum = m.d[i];
                for (int k = 0; k < 16; k++) {
                    sum += A[row][k] * B[k][column];
                }
                m.d[i] = sum;
            }
        }
    }, "mma", 0);
}

void mma_bf16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    multiply<bf16_float>(d, a, b);
}

void mma_fp16(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    multiply<fp16_float>(d, a, b);
}

struct Matrices {
    unsigned* r;
    const unsigned short* row;
    bool transposed;
};

void load_matrices(unsigned (&r)[4], const void* row, bool transposed) {
    if ((uintptr_t)row % 16) {
        fail("ldmatrix from a row that is not 16-byte aligned");
    }
    Matrices operands{r, (const unsigned short*)row, transposed};
    meet(MATRICES, 0xffffffffu, &operands, [](void* const all[32], unsigned) {
        for (int lane = 0; lane < 32; lane++) {
            const Matrices& self = *(const Matrices*)all[lane];
            for (int matrix = 0; matrix < 4; matrix++) {
                unsigned words[2];
                for (int i = 0; i < 2; i++) {
                    int row = self.transposed ? 2 * (lane % 4) + i : lane / 4;
                    int column = self.transposed ? lane / 4 : 2 * (lane % 4) + i;
                    words[i] = ((const Matrices*)all[8 * matrix + row])->row[column];
                }
                self.r[matrix] = words[0] | words[1] << 16;
            }
        }
    }, "ldmatrix", 0);
}

// The latest moment at which the hardware may have copied: when it is waited for.
static void finish_copies(int up_to_group) {
    std::vector<Copy>& copies = current->copies;
    size_t kept = 0;
    for (Copy& copy : copies) {
        if (copy.group >= up_to_group) {
            copies[kept++] = copy;
        } else if (copy.valid) {
            memcpy(copy.to, copy.from, 16);
        } else {
            memset(copy.to, 0, 16);
        }
    }
    copies.resize(kept);
}

void copy_async(void* shared, const void* global, bool valid) {
    if ((uintptr_t)shared % 16 || (uintptr_t)global % 16) {
        fail("cp.async between addresses that are not 16-byte aligned");
    }
    memset(shared, POISON, 16);
    current->copies.push_back(Copy{(unsigned char*)shared, (const unsigned char*)global, current->copy_group, valid});
}

void copy_async_commit() { current->copy_group++; }

void copy_async_wait(int groups) { finish_copies(current->copy_group - groups); }

static void thread_main() {
    for (;;) {
        kernel->invoke(kernel->function, arguments);
        if (!current->copies.empty()) {
            fail("ends with cp.async copies that it never waited for");
        }
        current->state = DONE;
        done_count++;
        for (int id = 0; id < 1; id++) {
            if (barriers[id].arrived && barriers[id].arrived == thread_count - done_count) {
                release(id);
            }
        }
        change(current->context, scheduler);
    }
}

static void start(Thread& thread) {
    static ucontext_t created, here;
    getcontext(&created);
    created.uc_stack.ss_sp = stacks + thread.number * STACK + 4096;
    created.uc_stack.ss_size = STACK - 4096;
    created.uc_link = nullptr;
    makecontext(&created, thread_main, 0);
    thread.alive = true;
    swapcontext(&here, &created);
}

// Runs a thread until it waits or ends.
__attribute__((noinline)) static void resume(Thread& thread) {
    current = &thread;
    thread_index = thread.index;
    if (_setjmp(scheduler) == 0) {
        if (thread.alive) {
            _longjmp(thread.context, 1);
        }
        start(thread);
    }
    current = nullptr;
}

static void deadlock() {
    int length = snprintf(message, sizeof message, "kernel %s, block (%u, %u, %u): its threads never meet:", kernel->name,
                          block_index.x, block_index.y, block_index.z);
    std::map<std::string, std::vector<int>> places;
    for (int i = 0; i < thread_count; i++) {
        char place[256];
        if (threads[i].state == DONE) {
            snprintf(place, sizeof place, "have ended");
        } else if (threads[i].meeting == 0) {
            snprintf(place, sizeof place, "wait at the barrier of %s:%d", base(threads[i].file), threads[i].line);
        } else {
            snprintf(place, sizeof place, "wait for the lanes %08x at %s:%d", threads[i].mask, base(threads[i].file),
                     threads[i].line);
        }
        places[place].push_back(i);
    }
    for (auto& place : places) {
        if (length < (int)sizeof message) {
            length += snprintf(message + length, sizeof message - length, " %zu threads (first %d) %s;", place.second.size(),
                               place.second[0], place.first.c_str());
        }
    }
    failed = true;
}

static struct sigaction old_segv, old_bus;

static void on_fault(int signal, siginfo_t* info, void* context) {
    if (current && pthread_equal(pthread_self(), player)) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, signal);
        pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
        fail("an access far out of range, at address %p", info->si_addr);
    }
    struct sigaction& old = signal == SIGSEGV ? old_segv : old_bus;
    if (old.sa_flags & SA_SIGINFO) {
        old.sa_sigaction(signal, info, context);
    } else if (old.sa_handler != SIG_DFL && old.sa_handler != SIG_IGN) {
        old.sa_handler(signal);
    } else {
        sigaction(signal, &old, nullptr);
    }
}

static void prepare() {
    if (stacks) {
        return;
    }
    stacks = (unsigned char*)mmap(nullptr, MOST_THREADS * STACK, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (int i = 0; i < MOST_THREADS; i++) {
        threads[i].number = i;
        mprotect(stacks + i * STACK, 4096, PROT_NONE);
    }
    dynamic_shared = (unsigned char*)aligned_alloc(4096, SHARED_MOST + SHARED_GUARD);
    struct sigaction action = {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigaction(SIGSEGV, &action, &old_segv);
    sigaction(SIGBUS, &action, &old_bus);
}

static void run_block(size_t shared_bytes) {
    thread_count = block_size.x * block_size.y * block_size.z;
    done_count = 0;
    int warp_count = (thread_count + 31) / 32;
    memset(warps, 0, sizeof(Warp) * warp_count);
    memset(barriers, 0, sizeof barriers);
    memset(dynamic_shared, POISON, shared_bytes + SHARED_GUARD);
    for (int i = 0; i < thread_count; i++) {
        Thread& t = threads[i];
        t.state = READY;
        t.index = uint3{i % block_size.x, i / block_size.x % block_size.y, i / (block_size.x * block_size.y)};
        t.copies.clear();
        t.copy_group = 0;
    }
    int order[MOST_THREADS / 32];
    std::iota(order, order + warp_count, 0);
    while (done_count < thread_count) {
        bool progress = false;
        for (int w = 0; w < warp_count; w++) {
            std::swap(order[w], order[w + random(warp_count - w)]);
            int first = order[w] * 32, lanes = std::min(32, thread_count - first), turn = random(lanes);
            for (bool moved = true; moved;) {
                moved = false;
                for (int i = 0; i < lanes; i++) {
                    Thread& t = threads[first + (i + turn) % lanes];
                    if (t.state == READY) {
                        resume(t);
                        if (failed) {
                            return;
                        }
                        moved = progress = true;
                    }
                }
            }
        }
        if (!progress) {
            deadlock();
            return;
        }
    }
    for (size_t i = 0; i < SHARED_GUARD; i++) {
        if (dynamic_shared[shared_bytes + i] != POISON) {
            snprintf(message, sizeof message, "kernel %s, block (%u, %u, %u): wrote byte %zu of %zu bytes of shared memory",
                     kernel->name, block_index.x, block_index.y, block_index.z, shared_bytes + i, shared_bytes);
            failed = true;
            return;
        }
    }
}

std::string run(const Kernel& launched, dim3 grid, dim3 block, size_t shared_bytes, void** values) {
    prepare();
    kernel = &launched;
    arguments = values;
    grid_size = grid;
    block_size = block;
    player = pthread_self();
    failed = false;
    std::vector<uint64_t> order((uint64_t)grid.x * grid.y * grid.z);
    std::iota(order.begin(), order.end(), 0);
    for (size_t i = 0; i < order.size() && !failed; i++) {
        std::swap(order[i], order[i + random((unsigned)(order.size() - i))]);
        uint64_t b = order[i];
        block_index = uint3{(unsigned)(b % grid.x), (unsigned)(b / grid.x % grid.y), (unsigned)(b / grid.x / grid.y)};
        run_block(shared_bytes);
    }
    if (failed) {
        // The coroutines hang where they were: the next launch starts new ones on their stacks.
        for (Thread& t : threads) {
            t.alive = false;
        }
        return message;
    }
    return "";
}

}  // namespace play

// g++ -fsanitize=alignment,bounds,null calls these where it finds a bad access; its own library would end the process.
extern "C" {
struct UbsanPlace {
    const char* file;
    uint32_t line, column;
};
void __ubsan_handle_type_mismatch_v1_abort(void* data, uintptr_t pointer) {
    UbsanPlace* place = (UbsanPlace*)data;
    play::fail("%s access at address %p, %s:%u", pointer ? "misaligned" : "null", (void*)pointer, play::base(place->file),
               place->line);
}
void __ubsan_handle_out_of_bounds_abort(void* data, uintptr_t index) {
    UbsanPlace* place = (UbsanPlace*)data;
    play::fail("index %ld is outside its array, %s:%u", (long)index, play::base(place->file), place->line);
}
}
