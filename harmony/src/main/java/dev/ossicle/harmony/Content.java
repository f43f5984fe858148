package dev.ossicle.harmony;

/** One part of what a message says. */
public sealed interface Content permits TextContent, SystemContent, DeveloperContent {}
