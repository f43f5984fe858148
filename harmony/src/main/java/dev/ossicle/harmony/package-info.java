/**
 * Harmony: the messages that gpt-oss models speak, what they look like as tokens, and back.
 *
 * <p>{@link dev.ossicle.harmony.HarmonyEncoding} is the door. Knows tokens and messages; does not know models, how
 * tokens are chosen, or HTTP.
 */
@NullMarked
package dev.ossicle.harmony;

import org.jspecify.annotations.NullMarked;
