package dev.ossicle.tools;

import java.util.List;

/**
 * What came of a call.
 *
 * @param text that the model is told
 * @param failed whether the text is an error message
 * @param files of the tool that the call made or changed
 * @param sources what a search found, or the page that is shown
 */
public record ToolOutput(String text, boolean failed, List<ToolFile> files, List<Source> sources) {
    public ToolOutput {
        files = List.copyOf(files);
        sources = List.copyOf(sources);
    }

    public static ToolOutput of(String text) {
        return new ToolOutput(text, false, List.of(), List.of());
    }

    public static ToolOutput failure(String text) {
        return new ToolOutput(text, true, List.of(), List.of());
    }

    public ToolOutput withText(String newText) {
        return new ToolOutput(newText, failed, files, sources);
    }
}
