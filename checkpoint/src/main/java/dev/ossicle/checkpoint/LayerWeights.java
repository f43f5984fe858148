package dev.ossicle.checkpoint;

import java.util.List;

/**
 * The weights of one layer; letters as in {@link ModelConfig}.
 *
 * @param attentionNorm gain [H]
 * @param query [Q*D, H], head after head
 * @param queryBias [Q*D]
 * @param key [K*D, H]
 * @param keyBias [K*D]
 * @param value [K*D, H]
 * @param valueBias [K*D]
 * @param sinks one raw logit for each query head [Q]
 * @param out [H, Q*D]
 * @param outBias [H]
 * @param mlpNorm gain [H]
 * @param router [E, H]
 * @param routerBias [E]
 * @param experts E of them
 * @param gateBias [E, I]
 * @param upBias [E, I]
 * @param downBias [E, H]
 */
public record LayerWeights(
        float[] attentionNorm,
        Matrix query,
        float[] queryBias,
        Matrix key,
        float[] keyBias,
        Matrix value,
        float[] valueBias,
        float[] sinks,
        Matrix out,
        float[] outBias,
        float[] mlpNorm,
        Matrix router,
        float[] routerBias,
        List<ExpertWeights> experts,
        Matrix gateBias,
        Matrix upBias,
        Matrix downBias) {}
