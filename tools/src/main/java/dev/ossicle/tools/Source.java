package dev.ossicle.tools;

/** A page that was found, shown or cited. */
public record Source(String title, String url) {}
