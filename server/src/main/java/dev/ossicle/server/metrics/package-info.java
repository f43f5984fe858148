/** What the server counts, for Prometheus. Knows no HTTP and no dialect. */
@NullMarked
package dev.ossicle.server.metrics;

import org.jspecify.annotations.NullMarked;
