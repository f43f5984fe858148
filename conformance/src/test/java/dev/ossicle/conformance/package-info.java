/** Holds the whole to what its documents say: the arrows between the modules. Knows everything; nothing knows it. */
@NullMarked
package dev.ossicle.conformance;

import org.jspecify.annotations.NullMarked;
