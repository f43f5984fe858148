package dev.ossicle.engine;

/** How exactly a device computes, where it has a choice. */
public enum Precision {
    /** Float32 activations and cache throughout. */
    EXACT,
    /** Activations may be rounded where that is faster, in front of the experts to 8 bits or some more; keys and values have 16 bits. */
    FAST
}
