// Kernels of a step with up to eight rows, one token of each sequence.
#include "ossicle.cuh"
