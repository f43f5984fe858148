// Between the played driver and what runs its kernels.
#pragma once
#include "play.h"

#include <string>

namespace play {
const Kernel* find(const char* name);
void seed(uint64_t value);
// Runs all blocks; empty, or what went wrong and where.
std::string run(const Kernel& kernel, dim3 grid, dim3 block, size_t shared_bytes, void** arguments);
}
