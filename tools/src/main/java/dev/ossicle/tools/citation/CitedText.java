package dev.ossicle.tools.citation;

import dev.ossicle.tools.Source;
import org.jspecify.annotations.Nullable;

/**
 * A piece of an answer.
 *
 * @param text as the reader sees it, in Markdown
 * @param source where all of the text is a link that stands for a citation; null where it is the model's own
 */
public record CitedText(String text, @Nullable Source source) {}
