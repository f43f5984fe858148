/**
 * Text to token ids and back: byte-level byte-pair encoding, o200k_harmony with its vocabulary inside, and whatever a
 * {@code tokenizer.json} or a GGUF file describes of the same kind.
 *
 * <p>Control tokens are found by name. Knows nothing of messages or models.
 */
@NullMarked
package dev.ossicle.harmony.tokenizer;

import org.jspecify.annotations.NullMarked;
