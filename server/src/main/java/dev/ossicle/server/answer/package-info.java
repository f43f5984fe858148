/**
 * What all dialects have in common: requests being read into conversations, answers coming in pieces. Knows no HTTP and no
 * dialect.
 */
@NullMarked
package dev.ossicle.server.answer;

import org.jspecify.annotations.NullMarked;
