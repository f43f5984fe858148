package dev.ossicle.checkpoint;

/**
 * The three projections of one expert, whatever order its checkpoint interleaves them in.
 *
 * @param gate [I, H]
 * @param up [I, H] (the "linear" half of the activation)
 * @param down [H, I]
 */
public record ExpertWeights(Matrix gate, Matrix up, Matrix down) {}
