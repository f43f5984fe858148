// Kernels of a step with many rows: norm, products, cache.
#include "ossicle.cuh"
