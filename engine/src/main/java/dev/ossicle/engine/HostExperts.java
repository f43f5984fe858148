package dev.ossicle.engine;

/** Computes the experts of single layers in host memory, for a device that has no room for them. Not thread-safe. */
public interface HostExperts {
    /**
     * Adds to each row what the layer's norm, router and experts make of it.
     *
     * @param x [rows, H], changed in place
     * @throws NonFiniteException if a row is not finite
     */
    void addExperts(int layer, float[] x, int rows);
}
