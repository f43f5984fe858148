/**
 * What a model can use: python, a browser, patches, the functions of any MCP server.
 *
 * <p>{@link dev.ossicle.tools.ToolSession} is what one conversation holds of a tool; {@link dev.ossicle.tools.ToolOutput} is
 * what the model is told of a call. Knows Harmony's messages; nothing of models, of HTTP that is served, or of terminals.
 */
@NullMarked
package dev.ossicle.tools;

import org.jspecify.annotations.NullMarked;
