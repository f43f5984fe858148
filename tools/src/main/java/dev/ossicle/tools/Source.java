package dev.ossicle.tools;

/** What was cited. */
public record Source(String title, String url) {}
