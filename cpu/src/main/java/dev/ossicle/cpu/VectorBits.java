package dev.ossicle.cpu;

import java.util.Optional;

/** The property that forces a vector width, for tests and measurements. */
final class VectorBits {
    private static final String PROPERTY = "ossicle.cpu.vectorBits";

    private VectorBits() {}

    /** What is wrong with the property; empty if it is fine or absent. */
    static Optional<String> problem() {
        return switch (System.getProperty(PROPERTY, "128")) {
            case "128", "256", "512" -> Optional.empty();
            case String other -> Optional.of(PROPERTY + " is " + other + ", must be 128, 256 or 512");
        };
    }

    /** Bits that are asked for. */
    static Optional<Integer> forced() {
        return Optional.ofNullable(Integer.getInteger(PROPERTY));
    }
}
