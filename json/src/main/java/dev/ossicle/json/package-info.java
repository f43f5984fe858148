/**
 * JSON as a value: what a checkpoint's header, a tokenizer file and a Harmony message need, and no more.
 *
 * <p>Objects keep the order of their members and numbers keep the text they were written with, since Harmony renders
 * a tool's schema from both. Knows nothing of models, tokens or HTTP.
 */
@NullMarked
package dev.ossicle.json;

import org.jspecify.annotations.NullMarked;
