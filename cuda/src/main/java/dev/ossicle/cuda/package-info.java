/**
 * The forward pass of a gpt-oss model on one NVIDIA GPU. The kernels are CUDA C++ (src/main/cuda), compiled ahead into one
 * resource; the driver's API is called through java.lang.foreign, so that a machine needs the driver and nothing else.
 *
 * <p>Knows the architecture, the number formats of the weights and the GPU. Knows nothing of scheduling, text or files.
 * Letters in comments as in {@code dev.ossicle.cpu}: L layers, E experts, P picks per token, V vocabulary, H hidden, I
 * intermediate, Q query heads, K key/value heads; T rows (tokens) of a pass.
 */
@NullMarked
package dev.ossicle.cuda;

import org.jspecify.annotations.NullMarked;
