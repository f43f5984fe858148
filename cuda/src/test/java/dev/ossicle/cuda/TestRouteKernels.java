package dev.ossicle.cuda;

import static dev.ossicle.cuda.Numbers.assertNear;
import static dev.ossicle.cuda.Numbers.random;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Router, choice of experts and their tiles (route.cu). */
class TestRouteKernels {
    private PlayedGpu gpu;

    @BeforeEach
    void open() {
        gpu = PlayedGpu.open();
    }

    @AfterEach
    void close() {
        if (gpu != null) {
            gpu.close();
        }
    }

    @Test
    void routerLogits() {
        for (int[] shape :
                new int[][] {{1, 32, 3}, {7, 96, 5}, {65, 64, 32}, {130, 96, 128}, {9, 2880, 128}, {17, 160, 33}}) {
            logits("router_logits", 64, shape);
            logits("router_logits_few", 16, shape);
        }
    }

    private void logits(String name, int tile, int[] shape) {
        int rows = shape[0];
        int hidden = shape[1];
        int experts = shape[2];
        Random random = new Random(rows + hidden);
        float[] x = random(random, rows * hidden, 10);
        float[] scale = random(random, rows, 1);
        float[] gain = random(random, hidden, 1);
        float[] w = random(random, experts * hidden, 1);
        float[] bias = random(random, experts, 1);
        float[] scaled = new float[w.length];
        for (int i = 0; i < w.length; i++) {
            scaled[i] = w[i] * gain[i % hidden];
        }
        double[] expected = Numbers.product(x, scaled, rows, experts, hidden);
        for (int i = 0; i < expected.length; i++) {
            expected[i] = expected[i] * scale[i / experts] + bias[i % experts];
        }
        DeviceMemory logits = gpu.allocate(4L * rows * experts);
        gpu.launch(
                name,
                new int[] {blocks(experts, tile), blocks(rows, tile)},
                256,
                0,
                gpu.upload(x),
                gpu.upload(scale),
                gpu.upload(gain),
                gpu.upload(w),
                gpu.upload(bias),
                logits,
                rows,
                hidden,
                experts);
        assertNear(name + " " + Arrays.toString(shape), gpu.floats(logits), expected, 0, 1e-5);
    }

    @Test
    void theBestExperts() {
        for (int[] shape : new int[][] {{1, 3, 1}, {7, 5, 4}, {9, 32, 4}, {63, 128, 4}, {5, 4, 4}, {6, 200, 32}}) {
            int rows = shape[0];
            int experts = shape[1];
            int picks = shape[2];
            Random random = new Random(rows);
            float[] logits = new float[rows * experts];
            for (int i = 0; i < logits.length; i++) {
                // Few different numbers: many are equal, and the lower expert comes first.
                logits[i] = random.nextInt(6) - 3;
            }
            DeviceMemory chosen = gpu.allocate(4L * rows * picks);
            DeviceMemory shares = gpu.allocate(4L * rows * picks);
            gpu.launch("route", blocks(rows, 4), 128, 0, gpu.upload(logits), chosen, shares, rows, experts, picks);
            int[] expected = new int[rows * picks];
            double[] expectedShares = new double[rows * picks];
            for (int row = 0; row < rows; row++) {
                int base = row * experts;
                int[] best = IntStream.range(0, experts)
                        .boxed()
                        .sorted((a, b) -> logits[base + a] != logits[base + b]
                                ? Float.compare(logits[base + b], logits[base + a])
                                : Integer.compare(a, b))
                        .limit(picks)
                        .mapToInt(i -> i)
                        .toArray();
                double sum = 0;
                for (int expert : best) {
                    sum += Math.exp(logits[base + expert]);
                }
                for (int pick = 0; pick < picks; pick++) {
                    expected[row * picks + pick] = best[pick];
                    expectedShares[row * picks + pick] = Math.exp(logits[base + best[pick]]) / sum;
                }
            }
            assertThat(gpu.ints(chosen)).as(Arrays.toString(shape)).isEqualTo(expected);
            assertNear("shares", gpu.floats(shares), expectedShares, 1e-5, 0);
        }
    }

    /** The norm reports such numbers; the experts must still be ones that exist. */
    @Test
    void logitsThatAreNotNumbersStillGiveExperts() {
        for (float broken : new float[] {Float.NaN, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY}) {
            float[] logits = new float[2 * 5];
            Arrays.fill(logits, broken);
            logits[8] = 1;
            DeviceMemory chosen = gpu.allocate(4L * 2 * 4);
            gpu.launch("route", 1, 128, 0, gpu.upload(logits), chosen, gpu.allocate(4L * 2 * 4), 2, 5, 4);
            for (int expert : gpu.ints(chosen)) {
                assertThat(expert).isBetween(0, 4);
            }
        }
    }

    @Test
    void rowsStandByExpert() {
        for (int[] shape :
                new int[][] {{1, 3, 16}, {28, 5, 16}, {520, 128, 16}, {1024, 32, 112}, {2000, 3, 112}, {64, 70, 4}}) {
            for (boolean oneExpert : new boolean[] {false, true}) {
                group(shape[0], shape[1], shape[2], oneExpert);
            }
        }
    }

    private void group(int pairs, int experts, int tileRows, boolean oneExpert) {
        Random random = new Random(pairs);
        int[] picks = new int[pairs];
        for (int i = 0; i < pairs; i++) {
            // Low experts are picked more often, some not at all.
            picks[i] = oneExpert ? experts - 1 : (int) (experts * Math.pow(random.nextDouble(), 3));
        }
        int most = pairs / tileRows + Math.min(experts, pairs);
        DeviceMemory order = gpu.allocate(4L * pairs);
        DeviceMemory tiles = gpu.allocate(16L * most);
        DeviceMemory tileCount = gpu.allocate(4);
        gpu.launch("group", 1, 1024, 4 * experts, gpu.upload(picks), order, tiles, tileCount, pairs, experts, tileRows);
        int[] seen = gpu.ints(order);
        assertThat(Arrays.stream(seen).sorted().toArray())
                .isEqualTo(IntStream.range(0, pairs).toArray());
        int[] tile = gpu.ints(tiles);
        int count = gpu.ints(tileCount)[0];
        assertThat(count).isBetween(1, most);
        int next = 0;
        int lastExpert = -1;
        for (int t = 0; t < count; t++) {
            int expert = tile[4 * t];
            int rows = tile[4 * t + 2];
            assertThat(tile[4 * t + 1]).isEqualTo(next);
            assertThat(rows).isBetween(1, tileRows);
            assertThat(expert).isGreaterThanOrEqualTo(lastExpert);
            if (t > 0 && expert == lastExpert) {
                assertThat(tile[4 * t - 2])
                        .as("a tile before another of its expert is full")
                        .isEqualTo(tileRows);
            }
            for (int i = next; i < next + rows; i++) {
                assertThat(picks[seen[i]]).isEqualTo(expert);
            }
            next += rows;
            lastExpert = expert;
        }
        assertThat(next).isEqualTo(pairs);
    }

    private static int blocks(int count, int each) {
        return (count + each - 1) / each;
    }
}
