/**
 * From token ids to token ids: the public generation API, sampling, and {@link dev.ossicle.engine.ModelRunner}, the seam
 * behind which a device computes the forward pass.
 *
 * <p>One thread owns the runner; requests and tokens are handed over explicitly. Knows nothing of text, Harmony or kernels.
 */
@NullMarked
package dev.ossicle.engine;

import org.jspecify.annotations.NullMarked;
