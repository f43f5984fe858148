package dev.ossicle.checkpoint;

import java.util.ArrayList;
import java.util.List;

/**
 * The experts of one layer as safetensors hold them: gate and up interleaved, row by row (even rows are gate); letters as
 * in {@link ModelConfig}.
 */
record Experts(List<ExpertWeights> experts, Matrix gateBias, Matrix upBias, Matrix downBias) {

    /**
     * Codes [E, 2 I, H / 32, 16] and scales [E, 2 I, H / 32] of gate and up, [E, H, I / 32, 16] and [E, H, I / 32] of down.
     *
     * @param gateUp begin of the names of the first; {@code separator} stands between it and "blocks" or "scales"
     */
    static Experts mxfp4(
            Tensors tensors,
            ModelConfig config,
            String gateUp,
            String down,
            String separator,
            String gateUpBias,
            String downBias) {
        int hidden = config.hidden();
        int inner = config.intermediate();
        int count = config.experts();
        int hiddenBlocks = hidden / 32;
        int innerBlocks = inner / 32;
        Tensor gateUpBlocks = tensors.takeBytes(gateUp + separator + "blocks", count, 2L * inner, hiddenBlocks, 16);
        Tensor gateUpScales = tensors.takeBytes(gateUp + separator + "scales", count, 2L * inner, hiddenBlocks);
        Tensor downBlocks = tensors.takeBytes(down + separator + "blocks", count, hidden, innerBlocks, 16);
        Tensor downScales = tensors.takeBytes(down + separator + "scales", count, hidden, innerBlocks);
        List<ExpertWeights> experts = new ArrayList<>();
        for (long e = 0; e < count; e++) {
            experts.add(new ExpertWeights(
                    mxfp4(gateUpBlocks, gateUpScales, 2 * e * inner, 2, inner, hidden),
                    mxfp4(gateUpBlocks, gateUpScales, 2 * e * inner + 1, 2, inner, hidden),
                    mxfp4(downBlocks, downScales, e * hidden, 1, hidden, inner)));
        }
        return withBiases(tensors, config, experts, gateUpBias, downBias);
    }

    /**
     * The form that fine-tunes are saved in: gate and up [E, H, 2 I], down [E, I, H], both with the inputs outside and the
     * outputs inside.
     */
    static Experts transposed(
            Tensors tensors, ModelConfig config, String gateUp, String down, String gateUpBias, String downBias) {
        int hidden = config.hidden();
        int inner = config.intermediate();
        int count = config.experts();
        Tensor gateUps = tensors.take(gateUp, Tensors.PLAIN, count, hidden, 2L * inner);
        Tensor downs = tensors.take(down, Tensors.PLAIN, count, inner, hidden);
        List<ExpertWeights> experts = new ArrayList<>();
        for (long e = 0; e < count; e++) {
            long first = e * hidden * inner;
            experts.add(new ExpertWeights(
                    gateUps.strided(2 * first, inner, hidden, 2, 2L * inner),
                    gateUps.strided(2 * first + 1, inner, hidden, 2, 2L * inner),
                    downs.strided(first, hidden, inner, 1, hidden)));
        }
        return withBiases(tensors, config, experts, gateUpBias, downBias);
    }

    private static Experts withBiases(
            Tensors tensors, ModelConfig config, List<ExpertWeights> experts, String gateUpBias, String downBias) {
        int inner = config.intermediate();
        int count = config.experts();
        Tensor gateUp = tensors.take(gateUpBias, Tensors.PLAIN, count, 2L * inner);
        Tensor down = tensors.take(downBias, Tensors.PLAIN, count, config.hidden());
        return new Experts(
                List.copyOf(experts),
                gateUp.strided(0, count, inner, 2L * inner, 2),
                gateUp.strided(1, count, inner, 2L * inner, 2),
                down.rows(0, 1, count, config.hidden()));
    }

    private static Matrix mxfp4(Tensor blocks, Tensor scales, long first, int step, int rows, int columns) {
        long blocksRow = columns / 2;
        long scalesRow = columns / 32;
        return new MxFp4Matrix(
                rows,
                columns,
                blocks.file().data(),
                blocks.offset() + first * blocksRow,
                step * blocksRow,
                scales.file().data(),
                scales.offset() + first * scalesRow,
                step * scalesRow);
    }
}
