// All kernels as one translation unit, which makes one fatbin.
#include "decode.cu"
#include "decode_attention.cu"
#include "decode_experts.cu"
#include "sample.cu"
#include "prefill.cu"
#include "attention.cu"
#include "route.cu"
#include "experts.cu"
