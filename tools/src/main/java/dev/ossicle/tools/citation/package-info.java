/**
 * The sources in an answer: what the model writes as a marker becomes a link for the reader and a place for the client.
 *
 * <p>{@link dev.ossicle.tools.citation.Citations} takes text as it comes, or all at once. Knows how a marker looks; where it
 * leads is told by the tool ({@link dev.ossicle.tools.ToolSession#source}).
 */
@NullMarked
package dev.ossicle.tools.citation;

import org.jspecify.annotations.NullMarked;
