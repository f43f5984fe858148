package dev.ossicle.tools.mcp;

import dev.ossicle.json.JsonObject;
import org.jspecify.annotations.Nullable;

/**
 * A tool as its server describes it.
 *
 * @param description empty if there is none
 * @param inputSchema of its arguments
 * @param annotations hints; null if there are none
 * @param readOnly whether the server says that it changes nothing
 */
public record McpTool(
        String name,
        String description,
        JsonObject inputSchema,
        @Nullable JsonObject annotations,
        boolean readOnly) {}
