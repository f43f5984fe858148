/** The kernels and what drives them, on a played GPU: see src/test/cuda/play. */
@NullMarked
package dev.ossicle.cuda;

import org.jspecify.annotations.NullMarked;
