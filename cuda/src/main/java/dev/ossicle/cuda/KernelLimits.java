package dev.ossicle.cuda;

import dev.ossicle.checkpoint.ModelConfig;
import java.util.List;
import java.util.Optional;

/**
 * Which shapes the kernels cannot compute, so that it is said before anything is loaded. What a launch asks for is at the top of the
 * .cu files; letters as in {@link ModelConfig}.
 */
final class KernelLimits {
    /** Attention is compiled for heads of this width; both gpt-oss models have it. */
    private static final int HEAD_DIMENSION = 64;

    /** The threads of a warp hold the picks of a row, one each (route, decode_router, decode_down). */
    private static final int MOST_PICKS = 32;

    /** Queries of a block of prefill_attention, which takes all of a key head's for a row. */
    private static final int MOST_QUERY_HEADS = 128;

    /**
     * A kernel whose shared memory grows with the model.
     *
     * @param own bytes of the arrays that it declares (kernels.txt)
     * @param given bytes at the launch, where they are most
     * @param because the numbers of the model that they come from
     */
    record Launch(String kernel, int own, int given, String because) {}

    private KernelLimits() {}

    /**
     * Why a model of this shape cannot be run, with what to do about it; empty if it can.
     *
     * @param sharedBytes that a block may have on this GPU
     */
    static Optional<String> problem(ModelConfig c, int sharedBytes) {
        int queryHeads = c.heads() / c.kvHeads();
        if (c.headDim() != HEAD_DIMENSION) {
            return refusal("head dimension is " + c.headDim() + ", a GPU can compute " + HEAD_DIMENSION + " alone");
        }
        if (queryHeads > MOST_QUERY_HEADS) {
            return refusal("query heads for each key head are " + queryHeads + ", a GPU can compute " + MOST_QUERY_HEADS
                    + " at most");
        }
        if (c.expertsPerToken() > MOST_PICKS) {
            return refusal("experts for each token are " + c.expertsPerToken() + ", a GPU can compute " + MOST_PICKS
                    + " at most");
        }
        for (Launch launch : launches(c)) {
            int needed = launch.own + launch.given;
            if (needed > sharedBytes) {
                return refusal(launch.because + ", for which the kernel " + launch.kernel + " needs " + needed
                        + " bytes of shared memory; a block of this GPU may have " + sharedBytes);
            }
        }
        return Optional.empty();
    }

    private static Optional<String> refusal(String problem) {
        return Optional.of("the model's " + problem + "; use --device cpu");
    }

    static List<Launch> launches(ModelConfig c) {
        int hidden = c.hidden();
        int intermediate = c.intermediate();
        int picks = c.expertsPerToken();
        int rows = DecodePass.MOST_ROWS;
        int pairs = Math.min(rows, Math.max(1, 8 / picks)) * picks;
        String hiddenSize = "hidden size is " + hidden;
        return List.of(
                // decode_logits has the same, decode_gate_up less.
                new Launch("decode_qkv", 0, rows * stride(hidden) + 8224 + 4 * hidden, hiddenSize),
                new Launch("decode_out", 0, rows * stride(c.queryWidth()) + 16_384, "heads are " + c.heads()),
                new Launch("decode_router", 384, rows * c.experts() * 4, "experts are " + c.experts()),
                new Launch(
                        "decode_down",
                        3456,
                        pairs * (steps(intermediate) + intermediate / 2) + rows * picks * 256,
                        "intermediate size is " + intermediate + " with " + picks + " experts for each token"),
                new Launch("expert_gate_up", 0, expert(hidden), hiddenSize),
                new Launch("expert_down", 0, expert(intermediate), "intermediate size is " + intermediate));
    }

    private static int stride(int columns) {
        return 2 * columns + (columns % 64 == 0 ? 64 : 0);
    }

    private static int steps(int columns) {
        return 256 * ((columns + 127) / 128) + 64;
    }

    /** With the smallest ring of weights under way. */
    private static int expert(int depth) {
        return (8 * depth + 127 & -128) + 640 + 65_536;
    }
}
