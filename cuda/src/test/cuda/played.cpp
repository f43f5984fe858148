// All kernels, those of the tests included, for the host.
#include "kernels.cu"
#include "probe.cu"
