/** Requests, responses, streams of events, and what is refused before anything is done. Knows no model. */
@NullMarked
package dev.ossicle.server.http;

import org.jspecify.annotations.NullMarked;
