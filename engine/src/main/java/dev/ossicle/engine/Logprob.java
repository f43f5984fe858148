package dev.ossicle.engine;

/** A token's natural logarithm of probability, before temperature, cuts and masks. */
public record Logprob(int token, double value) {}
