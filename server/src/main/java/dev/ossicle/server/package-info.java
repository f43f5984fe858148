/**
 * The HTTP server: which models there are, who may ask, what is running, when it ends. Knows no dialect but by its routes, and
 * no kernel.
 */
@NullMarked
package dev.ossicle.server;

import org.jspecify.annotations.NullMarked;
