/**
 * Writing checkpoints: the Hugging Face layout and GGUF, from weights in memory or made up at random.
 *
 * <p>Tensors are described first and then streamed, so that a model larger than the memory can be written. A file takes its
 * name only once it is complete. Knows nothing of training, tokens or running.
 */
@NullMarked
package dev.ossicle.checkpoint.write;

import org.jspecify.annotations.NullMarked;
