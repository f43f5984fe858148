/**
 * A gpt-oss checkpoint on disk: reading its three published layouts by mapping, and writing two of them.
 *
 * <p>{@link dev.ossicle.checkpoint.Checkpoint} opens one; {@link dev.ossicle.checkpoint.ModelConfig} says its shape and
 * {@link dev.ossicle.checkpoint.ModelWeights} gives every layout the same face. Knows nothing of tokens, text or running.
 */
@NullMarked
package dev.ossicle.checkpoint;

import org.jspecify.annotations.NullMarked;
