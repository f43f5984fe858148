// Draws a token from logits.
#include "ossicle.cuh"
