package dev.ossicle.tools.citation;

import dev.ossicle.tools.Source;

/**
 * A place of a text that cites a source.
 *
 * @param domain what the link says; gpt-oss's own server gives it for the title
 * @param start of the link with the spaces around it, in code points of the whole text
 * @param end of it, exclusive
 */
public record Citation(Source source, String domain, int start, int end) {}
