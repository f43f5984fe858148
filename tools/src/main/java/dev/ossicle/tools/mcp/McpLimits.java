package dev.ossicle.tools.mcp;

import java.time.Duration;

/**
 * What one server may take.
 *
 * @param connect until it is ready: a command that has to be downloaded first takes its time
 * @param list for each page of its list of tools
 * @param call of a tool
 * @param tools in its list
 * @param schema bytes of name, description and parameters of one tool that is used
 * @param message bytes of one message, and so of a result
 */
public record McpLimits(Duration connect, Duration list, Duration call, int tools, int schema, int message) {
    public static final McpLimits DEFAULT = new McpLimits(
            Duration.ofSeconds(60), Duration.ofSeconds(30), Duration.ofSeconds(115), 512, 32 << 10, 16 << 20);

    public McpLimits {
        if (!connect.isPositive()
                || !list.isPositive()
                || !call.isPositive()
                || tools < 1
                || schema < 1
                || message < 1) {
            throw new IllegalArgumentException("limits must be positive: connect " + connect + ", list " + list
                    + ", call " + call + ", tools " + tools + ", schema " + schema + ", message " + message);
        }
    }

    public McpLimits withConnect(Duration time) {
        return new McpLimits(time, list, call, tools, schema, message);
    }

    public McpLimits withCall(Duration time) {
        return new McpLimits(connect, list, time, tools, schema, message);
    }

    public McpLimits withTools(int count) {
        return new McpLimits(connect, list, call, count, schema, message);
    }

    public McpLimits withSchema(int bytes) {
        return new McpLimits(connect, list, call, tools, bytes, message);
    }

    public McpLimits withMessage(int bytes) {
        return new McpLimits(connect, list, call, tools, schema, bytes);
    }
}
