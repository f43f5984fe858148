/** Real clients against the real server, with a model that says what the test has it say. */
@NullMarked
package dev.ossicle.conformance.clients;

import org.jspecify.annotations.NullMarked;
