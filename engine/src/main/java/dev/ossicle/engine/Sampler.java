package dev.ossicle.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/** Draws tokens from logits. Keeps scratch space for one vocabulary; not thread-safe. */
public final class Sampler {
    /** Ids that are in the draw, and their probabilities relative to the best one's beside them. */
    private final int[] ids;

    private final double[] weights;

    public Sampler(int vocabulary) {
        ids = new int[vocabulary];
        weights = new double[vocabulary];
    }

    /**
     * @param logits [V], finite
     * @param index of the token in its generation: the draw depends on it and on the seed only
     * @param allowed ids that may be drawn; null for all
     * @throws IllegalStateException if nothing is allowed
     */
    public int sample(float[] logits, Sampling sampling, long index, @Nullable BitMask allowed) {
        if (allowed != null && allowed.isEmpty()) {
            throw new IllegalStateException("the mask allows no token at all");
        }
        int best = argmax(logits, allowed);
        if (sampling.temperature() == 0) {
            return best;
        }
        int count = weigh(logits, logits[best], sampling.temperature(), allowed);
        if (sampling.topP() < 1 || sampling.topK() > 0 || sampling.minP() > 0) {
            count = cut(logits, count, sampling);
        }
        double target = uniform(sampling.seed(), index) * sum(count);
        double cumulative = 0;
        for (int i = 0; i < count; i++) {
            cumulative += weights[i];
            if (cumulative > target) {
                return ids[i];
            }
        }
        return best; // rounding left the target at the very end of the last interval
    }

    private static int argmax(float[] logits, @Nullable BitMask allowed) {
        int best = -1;
        for (int id = 0; id < logits.length; id++) {
            if ((best < 0 || logits[id] > logits[best]) && (allowed == null || allowed.get(id))) {
                best = id;
            }
        }
        return best;
    }

    /** Fills {@link #ids} and {@link #weights} in id order. Returns how many. */
    private int weigh(float[] logits, float max, double temperature, @Nullable BitMask allowed) {
        int count = 0;
        for (int id = 0; id < logits.length; id++) {
            if (allowed == null || allowed.get(id)) {
                ids[count] = id;
                weights[count++] = Math.exp(((double) logits[id] - max) / temperature);
            }
        }
        return count;
    }

    private double sum(int count) {
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += weights[i];
        }
        return sum;
    }

    /** Applies top-k, top-p and min-p to the first {@code count} entries; the kept ones come best first. */
    private int cut(float[] logits, int count, Sampling sampling) {
        long[] order;
        double total;
        if (sampling.topK() > 0 && sampling.topK() < count) {
            order = best(logits, count, sampling.topK());
            total = 0;
            for (long key : order) {
                total += weights[(int) key];
            }
        } else {
            // Weights are relative to the best, so all those below the first bound are together less than half of what
            // top-p leaves out, and those below the second fall to min-p: sorting the rest is enough.
            double bound = Math.max((1 - sampling.topP()) / (2.0 * count), sampling.minP());
            order = new long[count];
            int kept = 0;
            for (int i = 0; i < count; i++) {
                if (weights[i] >= bound) {
                    order[kept++] = key(logits[ids[i]], i);
                }
            }
            order = Arrays.copyOf(order, kept);
            Arrays.sort(order);
            total = sum(count);
        }
        int[] keptIds = new int[order.length];
        double[] keptWeights = new double[order.length];
        int kept = 0;
        double cumulative = 0;
        for (long key : order) {
            int i = (int) key;
            if (kept > 0 && (cumulative >= total * sampling.topP() || weights[i] < sampling.minP())) {
                break;
            }
            cumulative += weights[i];
            keptIds[kept] = ids[i];
            keptWeights[kept++] = weights[i];
        }
        System.arraycopy(keptIds, 0, ids, 0, kept);
        System.arraycopy(keptWeights, 0, weights, 0, kept);
        return kept;
    }

    /** The keys of the {@code k} best of the first {@code count} entries, best first. */
    private long[] best(float[] logits, int count, int k) {
        PriorityQueue<Long> kept = new PriorityQueue<>((a, b) -> Long.compare(b, a)); // the worst one on top
        for (int i = 0; i < count; i++) {
            long key = key(logits[ids[i]], i);
            if (kept.size() < k) {
                kept.add(key);
            } else if (key < kept.element()) {
                kept.poll();
                kept.add(key);
            }
        }
        return kept.stream().mapToLong(Long::longValue).sorted().toArray();
    }

    /** Sorts ascending as best logit first, then lowest index; the low half is the index. */
    private static long key(float logit, int index) {
        int bits = Float.floatToIntBits(logit + 0f); // -0 becomes 0, its equal
        int ascending = bits ^ (bits >> 31 & Integer.MAX_VALUE);
        return (long) ~ascending << 32 | index;
    }

    /** The log-probability of {@code token}, then those of the {@code top} best tokens, best first. */
    List<Logprob> logprobs(float[] logits, int token, int top) {
        float max = logits[argmax(logits, null)];
        int count = weigh(logits, max, 1, null);
        double logSum = max + Math.log(sum(count));
        List<Logprob> result = new ArrayList<>();
        result.add(new Logprob(token, logits[token] - logSum));
        if (top > 0) {
            for (long key : best(logits, count, top)) {
                result.add(new Logprob((int) key, logits[(int) key] - logSum));
            }
        }
        return result;
    }

    /**
     * A number in [0, 1) that depends on seed and index only: SplitMix64's output function (Steele, Lea, Flood: Fast
     * Splittable Pseudorandom Number Generators, 2014) on a counter, twice, so that neighbouring seeds part.
     */
    public static double uniform(long seed, long index) {
        long bits = mix(mix(seed) + (index + 1) * 0x9E3779B97F4A7C15L);
        return (bits >>> 11) * 0x1p-53;
    }

    private static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
