package dev.ossicle.cuda;

/** Adds what the experts of a layer make of the residual stream, in host memory. */
@FunctionalInterface
interface HostLayers {
    void addExperts(int layer, int rows);
}
