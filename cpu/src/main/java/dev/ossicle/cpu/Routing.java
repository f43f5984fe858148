package dev.ossicle.cpu;

import java.util.Arrays;

/**
 * Which rows of a pass go to which experts: the best logits of each row, and the rows grouped by expert. A slot is one row
 * at one of its experts; the slots of an expert lie together.
 */
final class Routing {
    private final int experts;
    private final int picks;

    /** Picked experts, the best first [T, picks]. */
    private int[] chosen = new int[0];
    /** Softmax over the picked logits [T, picks]. */
    private float[] share = new float[0];
    /** Slot of each pick [T, picks]. */
    private int[] slot = new int[0];
    /** Row of each slot [T * picks]. */
    private int[] row = new int[0];
    /** First slot of each expert, and the end [E + 1]. */
    private final int[] start;
    /** Experts with at least one slot [active]. */
    private final int[] active;

    private final int[] next;
    private int activeCount;

    Routing(int experts, int picks) {
        this.experts = experts;
        this.picks = picks;
        this.start = new int[experts + 1];
        this.active = new int[experts];
        this.next = new int[experts];
    }

    /** @param logits [rows, E], overwritten */
    void route(float[] logits, int rows) {
        if (chosen.length < rows * picks) {
            chosen = new int[rows * picks];
            share = new float[rows * picks];
            slot = new int[rows * picks];
            row = new int[rows * picks];
        }
        Arrays.fill(start, 0);
        for (int r = 0; r < rows; r++) {
            pick(logits, r * experts, r * picks);
        }
        group(rows);
    }

    /** Of equal logits the lower index is taken. */
    private void pick(float[] logits, int at, int to) {
        double sum = 0;
        float best = 0;
        for (int n = 0; n < picks; n++) {
            int top = at;
            for (int i = at + 1; i < at + experts; i++) {
                if (logits[i] > logits[top]) {
                    top = i;
                }
            }
            best = n == 0 ? logits[top] : best;
            float weight = (float) Math.exp((double) logits[top] - best);
            chosen[to + n] = top - at;
            share[to + n] = weight;
            sum += weight;
            start[top - at + 1]++;
            logits[top] = Float.NEGATIVE_INFINITY;
        }
        for (int n = 0; n < picks; n++) {
            share[to + n] = (float) (share[to + n] / sum);
        }
    }

    private void group(int rows) {
        activeCount = 0;
        for (int expert = 0; expert < experts; expert++) {
            if (start[expert + 1] > 0) {
                active[activeCount++] = expert;
            }
            next[expert] = start[expert];
            start[expert + 1] += start[expert];
        }
        for (int pick = 0; pick < rows * picks; pick++) {
            int at = next[chosen[pick]]++;
            slot[pick] = at;
            row[at] = pick / picks;
        }
    }

    /** Experts with something to do. */
    int activeCount() {
        return activeCount;
    }

    int active(int index) {
        return active[index];
    }

    int firstSlot(int expert) {
        return start[expert];
    }

    int slots(int expert) {
        return start[expert + 1] - start[expert];
    }

    int rowOfSlot(int at) {
        return row[at];
    }

    /** @param n 0 for the row's best expert */
    int slot(int r, int n) {
        return slot[r * picks + n];
    }

    float share(int r, int n) {
        return share[r * picks + n];
    }
}
