/** Which models there are, and the one that is in memory. Knows no HTTP and no dialect. */
@NullMarked
package dev.ossicle.server.models;

import org.jspecify.annotations.NullMarked;
