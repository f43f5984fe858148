/**
 * UTF-8 validated by hand and a list of ints: what both the tokenizer and the parser need.
 *
 * <p>Knows nothing of tokens or messages. Not exported.
 */
@NullMarked
package dev.ossicle.harmony.internal;

import org.jspecify.annotations.NullMarked;
