// The experts of a step with many rows.
#include "ossicle.cuh"
