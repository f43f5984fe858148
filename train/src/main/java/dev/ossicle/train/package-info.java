/**
 * Training of small gpt-oss models from nothing: the architecture in differentiable form on DJL's PyTorch engine, made-up
 * Harmony conversations to learn from, the optimiser, and the export as a Hugging Face folder.
 *
 * <p>Knows tensors, gradients and what the default model is taught. Knows nothing of serving, HTTP or the engine that
 * later runs the result; it shares with it only the checkpoint format and the Harmony rendering.
 */
@NullMarked
package dev.ossicle.train;

import org.jspecify.annotations.NullMarked;
