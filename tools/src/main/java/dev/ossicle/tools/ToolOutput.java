package dev.ossicle.tools;

import java.util.List;

/**
 * What came of a call.
 *
 * @param text that the model is told
 * @param failed whether the text is an error message
 * @param files of the tool that the call made or changed
 */
public record ToolOutput(String text, boolean failed, List<ToolFile> files) {
    public ToolOutput {
        files = List.copyOf(files);
    }

    public static ToolOutput of(String text) {
        return new ToolOutput(text, false, List.of());
    }

    public static ToolOutput failure(String text) {
        return new ToolOutput(text, true, List.of());
    }
}
