/**
 * JMH benchmarks of the other modules, with a peer beside each where there is one.
 *
 * <p>May use everything; nothing uses it. Asserts nothing: a figure counts with its machine and commit.
 */
@NullMarked
package dev.ossicle.bench;

import org.jspecify.annotations.NullMarked;
