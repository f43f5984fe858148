package dev.ossicle.tools.citation;

import java.util.List;

/**
 * Text with its citations.
 *
 * @param text links in place of markers, as Markdown
 * @param citations in the order of the text
 */
public record CitedText(String text, List<Citation> citations) {
    public CitedText {
        citations = List.copyOf(citations);
    }
}
