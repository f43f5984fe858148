/**
 * The command line: one class for each command, the model that a command names, and what goes to which stream.
 *
 * <p>The answer goes to standard output, everything else to standard error. Knows nothing of kernels.
 */
@NullMarked
package dev.ossicle.cli;

import org.jspecify.annotations.NullMarked;
