package dev.ossicle.cuda;

import static dev.ossicle.cuda.Numbers.random;
import static dev.ossicle.cuda.Numbers.randomFp16;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Attention of many rows against plain loops in double precision. */
class TestAttentionKernel {
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

    /** Rows of one sequence in a batch. */
    private record Rows(int start, int count) {}

    @Test
    void everyGrouping() {
        for (int[] heads : new int[][] {{1, 1}, {4, 1}, {8, 1}, {2, 2}, {8, 2}, {16, 2}, {8, 8}, {6, 2}, {64, 8}}) {
            check(heads[0], heads[1], 0, 1, new Rows(0, 7), new Rows(70, 3));
        }
    }

    @Test
    void everyLength() {
        for (int count : new int[] {1, 2, 7, 9, 63, 65, 130}) {
            check(8, 1, 0, 1, new Rows(0, count));
            check(8, 1, 0, 1, new Rows(61, count));
        }
        // exactly a page before, at and after its end
        for (int start : new int[] {63, 64, 127, 128}) {
            check(8, 2, 0, 1, new Rows(start, 1), new Rows(start, 17));
        }
    }

    @Test
    void severalSequences() {
        check(8, 2, 0, 1, new Rows(5, 63), new Rows(0, 1), new Rows(200, 1), new Rows(64, 40), new Rows(0, 65));
        check(4, 4, 32, 1, new Rows(5, 63), new Rows(0, 1), new Rows(200, 1), new Rows(64, 140), new Rows(0, 65));
    }

    @Test
    void windowsNeverTouchDeadPages() {
        for (int window : new int[] {1, 16, 32, 64, 128}) {
            check(8, 1, window, 1, new Rows(0, 130));
            check(8, 1, window, 1, new Rows(300, 65), new Rows(500, 1), new Rows(126, 9));
            check(1, 1, window, 1, new Rows(191, 130));
        }
    }

    /** Scores far apart: sums must not overflow, and what was summed before a new maximum must shrink. */
    @Test
    void largeScores() {
        check(8, 1, 0, 20, new Rows(0, 130));
        check(8, 1, 128, 20, new Rows(190, 20), new Rows(400, 1));
    }

    private void check(int heads, int kvHeads, int window, double deviation, Rows... batch) {
        Random random = new Random(heads * 1000L + kvHeads * 100L + window + batch[0].count);
        int rows = Arrays.stream(batch).mapToInt(Rows::count).sum();
        int group = heads / kvHeads;
        int[] firstRow = new int[batch.length + 1];
        int[] position = new int[rows];
        int row = 0;
        int pages = 1;
        for (int s = 0; s < batch.length; s++) {
            for (int i = 0; i < batch[s].count; i++) {
                position[row++] = batch[s].start + i;
            }
            firstRow[s + 1] = row;
            pages += (batch[s].start + batch[s].count + 63) / 64;
        }

        // Page 0 is nobody's and holds NaN, as does everything that no row may see. A dead page is no page at all.
        float[] keys = new float[pages * kvHeads * 64 * 64];
        Arrays.fill(keys, Float.NaN);
        float[] values = keys.clone();
        List<int[]> tables = new ArrayList<>();
        int next = 1;
        for (Rows each : batch) {
            int end = each.start + each.count;
            int first = window > 0 ? Math.max(0, each.start - window + 1) : 0;
            int[] table = new int[(end + 63) / 64];
            Arrays.fill(table, 1 << 27);
            for (int page = first / 64; page < table.length; page++) {
                table[page] = next++;
            }
            for (int p = first; p < end; p++) {
                for (int head = 0; head < kvHeads; head++) {
                    int at = ((table[p / 64] * kvHeads + head) * 64 + p % 64) * 64;
                    System.arraycopy(randomFp16(random, 64, deviation), 0, keys, at, 64);
                    System.arraycopy(randomFp16(random, 64, 1), 0, values, at, 64);
                }
            }
            tables.add(table);
        }
        float[] q = randomFp16(random, rows * heads * 64, 1.0 / 4);
        float[] sinks = random(random, heads, 2);

        long[] addresses =
                tables.stream().mapToLong(t -> gpu.upload(t).address()).toArray();
        DeviceMemory out = gpu.allocate(2L * rows * heads * 64);
        int blocks = rows / (128 / group) + batch.length;
        gpu.launch(
                "prefill_attention",
                new int[] {kvHeads, blocks},
                128,
                49152,
                gpu.uploadFp16(q),
                gpu.upload(firstRow),
                gpu.upload(position),
                gpu.upload(addresses),
                gpu.uploadFp16(keys),
                gpu.uploadFp16(values),
                gpu.upload(sinks),
                window,
                out,
                heads,
                kvHeads,
                batch.length);

        double[] expected = new double[rows * heads * 64];
        for (int s = 0; s < batch.length; s++) {
            for (int r = firstRow[s]; r < firstRow[s + 1]; r++) {
                for (int head = 0; head < heads; head++) {
                    attend(
                            q,
                            (r * heads + head) * 64,
                            keys,
                            values,
                            tables.get(s),
                            head / group,
                            kvHeads,
                            window > 0 ? Math.max(0, position[r] - window + 1) : 0,
                            position[r],
                            sinks[head],
                            expected);
                }
            }
        }
        // Weights are rounded to fp16, and so is the result.
        Numbers.assertNear(
                heads + "/" + kvHeads + " heads, window " + window + ", " + Arrays.toString(batch),
                gpu.fp16s(out),
                expected,
                0x1p-10,
                1e-3);
    }

    private static void attend(
            float[] q,
            int query,
            float[] keys,
            float[] values,
            int[] table,
            int kvHead,
            int kvHeads,
            int first,
            int last,
            float sink,
            double[] out) {
        double[] scores = new double[last - first + 1];
        double max = sink;
        for (int p = first; p <= last; p++) {
            int at = ((table[p / 64] * kvHeads + kvHead) * 64 + p % 64) * 64;
            for (int c = 0; c < 64; c++) {
                scores[p - first] += (double) q[query + c] * keys[at + c];
            }
            max = Math.max(max, scores[p - first]);
        }
        double sum = Math.exp(sink - max);
        for (int p = first; p <= last; p++) {
            sum += Math.exp(scores[p - first] - max);
        }
        for (int p = first; p <= last; p++) {
            int at = ((table[p / 64] * kvHeads + kvHead) * 64 + p % 64) * 64;
            for (int c = 0; c < 64; c++) {
                out[query + c] += Math.exp(scores[p - first] - max) / sum * values[at + c];
            }
        }
    }
}
