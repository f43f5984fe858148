/**
 * The tools of MCP servers (Model Context Protocol) as functions of the model.
 *
 * <p>{@link dev.ossicle.tools.mcp.McpServer} is one server by its label, {@link dev.ossicle.tools.mcp.McpAddress} how it is
 * reached, {@link dev.ossicle.tools.mcp.McpSession} what one conversation may call of it. The protocol is the SDK's; below it
 * lie two wires of our own, a process and HTTP. What a server sends is bounded, told to the model and obeyed by nobody here.
 */
@NullMarked
package dev.ossicle.tools.mcp;

import org.jspecify.annotations.NullMarked;
