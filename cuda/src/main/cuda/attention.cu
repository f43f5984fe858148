// Flash attention of a step with many rows.
#include "ossicle.cuh"
