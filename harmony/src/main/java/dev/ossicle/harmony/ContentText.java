package dev.ossicle.harmony;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The text that system and developer content are rendered as. */
final class ContentText {
    private ContentText() {}

    static String of(SystemContent system, boolean conversationHasFunctionTools) {
        List<String> top = new ArrayList<>();
        if (system.modelIdentity() != null) {
            top.add(system.modelIdentity());
        }
        if (system.knowledgeCutoff() != null) {
            top.add("Knowledge cutoff: " + system.knowledgeCutoff());
        }
        if (system.conversationStartDate() != null) {
            top.add("Current date: " + system.conversationStartDate());
        }
        List<String> sections = new ArrayList<>();
        if (!top.isEmpty()) {
            sections.add(String.join("\n", top));
        }
        if (system.reasoningEffort() != null) {
            sections.add("Reasoning: " + system.reasoningEffort().text().toLowerCase(Locale.ROOT));
        }
        if (!system.tools().isEmpty()) {
            sections.add(tools(system.tools()));
        }
        ChannelConfig config = system.channelConfig();
        if (config != null && !config.channels().isEmpty()) {
            sections.add("# Valid channels: " + String.join(", ", config.channels()) + "."
                    + (config.required() ? " Channel must be included for every message." : "")
                    + (conversationHasFunctionTools
                            ? "\nCalls to these tools must go to the commentary channel: 'functions'."
                            : ""));
        }
        return String.join("\n\n", sections);
    }

    static String of(DeveloperContent developer) {
        List<String> sections = new ArrayList<>();
        if (developer.instructions() != null) {
            sections.add("# Instructions");
            sections.add(developer.instructions());
        }
        if (!developer.tools().isEmpty()) {
            sections.add(tools(developer.tools()));
        }
        return String.join("\n\n", sections);
    }

    private static String tools(Map<String, ToolNamespace> tools) {
        List<String> blocks = new ArrayList<>();
        blocks.add("# Tools");
        for (ToolNamespace namespace : tools.values()) {
            blocks.add(block(namespace));
        }
        return String.join("\n\n", blocks);
    }

    private static String block(ToolNamespace namespace) {
        List<String> lines = new ArrayList<>();
        lines.add("## " + namespace.name());
        lines.add("");
        if (namespace.description() != null) {
            // Without functions the description is not a comment on them.
            addLines(namespace.description(), namespace.tools().isEmpty() ? "" : "// ", lines);
        }
        if (!namespace.tools().isEmpty()) {
            lines.add("namespace " + namespace.name() + " {");
            lines.add("");
            for (ToolDescription tool : namespace.tools()) {
                addLines(tool.description(), "// ", lines);
                lines.add(
                        tool.parameters() == null
                                ? "type " + tool.name() + " = () => any;"
                                : "type " + tool.name() + " = (_: " + SchemaText.of(tool.parameters(), "")
                                        + ") => any;");
                lines.add("");
            }
            lines.add("} // namespace " + namespace.name());
        }
        return String.join("\n", lines);
    }

    /** Ends of lines are LF or CRLF; the last line may have one. */
    private static void addLines(String text, String prefix, List<String> lines) {
        for (int at = 0; at < text.length(); ) {
            int end = text.indexOf('\n', at);
            String line = end < 0
                    ? text.substring(at)
                    : text.substring(at, end > at && text.charAt(end - 1) == '\r' ? end - 1 : end);
            lines.add(prefix + line);
            at = end < 0 ? text.length() : end + 1;
        }
    }
}
