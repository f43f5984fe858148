package dev.ossicle.tools.mcp;

import dev.ossicle.tools.ToolOutput;
import io.modelcontextprotocol.json.McpJsonMapper;
import io.modelcontextprotocol.spec.McpSchema;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The result of a call as the text that a model is told: gpt-oss reads nothing else. */
final class Results {
    private Results() {}

    static ToolOutput of(McpSchema.CallToolResult result, McpJsonMapper mapper) throws IOException {
        List<String> parts = new ArrayList<>();
        if (result.content() != null) {
            for (McpSchema.Content content : result.content()) {
                parts.add(text(content));
            }
        }
        if (parts.isEmpty() && result.structuredContent() != null) { // else it is said in words as well
            parts.add(mapper.writeValueAsString(result.structuredContent()));
        }
        String text = parts.isEmpty() ? "[no output]" : String.join("\n", parts);
        return Boolean.TRUE.equals(result.isError()) ? ToolOutput.failure(text) : ToolOutput.of(text);
    }

    private static String text(McpSchema.Content content) {
        return switch (content) {
            case McpSchema.TextContent text -> String.valueOf(text.text());
            case McpSchema.ImageContent image -> notShown("image", image.mimeType(), image.data());
            case McpSchema.AudioContent audio -> notShown("audio", audio.mimeType(), audio.data());
            case McpSchema.ResourceLink link ->
                "[link to " + link.uri() + (link.description() == null ? "" : ": " + link.description()) + "]";
            case McpSchema.EmbeddedResource resource ->
                switch (resource.resource()) {
                    case McpSchema.TextResourceContents text -> "[" + text.uri() + "]\n" + text.text();
                    case McpSchema.BlobResourceContents blob -> notShown(blob.uri(), blob.mimeType(), blob.blob());
                    default -> "[a resource, not shown]";
                };
            default -> "[" + content.type() + ", not shown]";
        };
    }

    /** @param base64 of which four characters are three bytes */
    private static String notShown(String what, @Nullable String type, @Nullable String base64) {
        long bytes = base64 == null ? 0 : base64.length() * 3L / 4;
        String size = bytes < 1000 ? bytes + " bytes" : String.format(Locale.ROOT, "%.0f kB", bytes / 1000.0);
        return "[" + (type == null ? what : type) + ", " + size + ", not shown]";
    }
}
