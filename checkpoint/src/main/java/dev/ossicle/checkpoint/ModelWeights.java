package dev.ossicle.checkpoint;

import java.util.List;

/**
 * Every weight of a model, the same for all checkpoint layouts; letters as in {@link ModelConfig}.
 *
 * @param embedding [V, H]
 * @param layers L of them
 * @param norm final gain [H]
 * @param unembedding [V, H]
 */
public record ModelWeights(Matrix embedding, List<LayerWeights> layers, float[] norm, Matrix unembedding) {}
