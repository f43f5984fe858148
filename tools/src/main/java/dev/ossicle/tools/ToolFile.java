package dev.ossicle.tools;

/**
 * A file that a tool holds.
 *
 * @param name relative to the tool's working folder
 * @param bytes its size
 */
public record ToolFile(String name, long bytes) {}
