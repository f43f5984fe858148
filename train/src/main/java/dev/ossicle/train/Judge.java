package dev.ossicle.train;

import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.List;

/**
 * Judges a model by greedy answers, without generating them: the right answer is unique, so the model gives it exactly
 * if each of its tokens is the likeliest one after the right tokens before it.
 */
final class Judge {
    private static final int BATCH_TOKENS = 8192;

    private final DifferentiableModel model;
    private final float[] weights;

    Judge(ParameterLayout layout, float[] weights) {
        this.model = new DifferentiableModel(layout);
        this.weights = weights;
    }

    /** For each example whether everything that it asks for is right. */
    boolean[] right(List<Example> examples) {
        boolean[] right = new boolean[examples.size()];
        int from = 0;
        while (from < examples.size()) {
            int to = from;
            int length = 0;
            while (to < examples.size()) {
                int longest = Math.max(length, examples.get(to).tokens().length);
                if (to > from && (to - from + 1) * longest > BATCH_TOKENS) {
                    break;
                }
                length = longest;
                to++;
            }
            judge(examples.subList(from, to), length, right, from);
            from = to;
        }
        return right;
    }

    private void judge(List<Example> examples, int length, boolean[] right, int offset) {
        int[] tokens = new int[examples.size() * length];
        int[] position = new int[tokens.length];
        List<int[]> wanted = new ArrayList<>(); // {flat index, next, example}
        for (int row = 0; row < examples.size(); row++) {
            Example example = examples.get(row);
            right[offset + row] = true;
            for (int i = 0; i < example.tokens().length; i++) {
                tokens[row * length + i] = example.tokens()[i];
                position[row * length + i] = i;
                if (example.next()[i] >= 0) {
                    wanted.add(new int[] {row * length + i, example.next()[i], offset + row});
                }
            }
        }
        int[] at = wanted.stream().mapToInt(w -> w[0]).toArray();
        int[] next = wanted.stream().mapToInt(w -> w[1]).toArray();
        Batch batch = new Batch(examples.size(), length, tokens, position, at, next);
        try (NDManager manager = NDManager.newBaseManager()) {
            long[] likeliest = model.forward(manager, model.arrays(manager, weights, false), batch)
                    .logits()
                    .argMax(1)
                    .toLongArray();
            for (int i = 0; i < likeliest.length; i++) {
                if (likeliest[i] != next[i]) {
                    right[wanted.get(i)[2]] = false;
                }
            }
        }
    }
}
