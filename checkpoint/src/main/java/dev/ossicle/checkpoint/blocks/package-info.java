/**
 * The quantised number formats of ggml, as GGUF files hold them: which bits of a block are a value's code, which its scale and offset.
 * Knows no matrices and no files.
 */
@NullMarked
package dev.ossicle.checkpoint.blocks;

import org.jspecify.annotations.NullMarked;
